"""Undoing the last pull or resolve: all of it, and nothing of it elsewhere."""

from __future__ import annotations

import errno

import pytest

from claude_sync.errors import (
    BundleUnsafe,
    ClaudeHomeError,
    SessionNotFound,
    SessionOpen,
    UsageError,
    VaultError,
)
from claude_sync.model import Outcome, State
from failing_calls import failing
from machines import (
    OTHER,
    SESSION,
    Pair,
    PlayedMachine,
    World,
    agree,
    bookkeeping,
    opened,
    outcomes,
    said,
)


def changed(laptop: PlayedMachine, desktop: PlayedMachine) -> None:
    """The laptop begins anew and changes sidecar files that both have; the desktop takes it."""
    for machine in (laptop, desktop):
        machine.write_sidecar(SESSION, "tool-results/changed.txt", b"one")
        machine.write_sidecar(SESSION, "tool-results/grown.txt", b"one")
        machine.push(SESSION)
    laptop.write_sidecar(SESSION, "tool-results/changed.txt", b"two")
    laptop.write_sidecar(SESSION, "tool-results/grown.txt", b"one two")
    laptop.write_sidecar(SESSION, "tool-results/sub/added.txt", b"added")
    laptop.begin_anew(SESSION, said("another beginning"))


def test_transcript_and_sidecar_files_are_as_they_were(pair: Pair) -> None:
    laptop, desktop = pair
    changed(laptop, desktop)
    before = desktop.read(), desktop.sidecar(), desktop.path().stat().st_mtime_ns
    desktop.pull()
    undone = desktop.read()
    result = desktop.undo()
    assert result.outcome is Outcome.REPLACED
    assert (desktop.read(), desktop.sidecar(), desktop.path().stat().st_mtime_ns) == before
    assert not (desktop.folder / SESSION / "sub").exists()
    assert {undone, b"two", b"one two", b"added"} <= set(desktop.kept())


def test_where_a_link_is_in_the_way_nothing_is_changed_and_nothing_left(pair: Pair) -> None:
    laptop, desktop = pair
    changed(laptop, desktop)
    desktop.pull()
    in_the_way = desktop.folder / SESSION / "tool-results/changed.txt"
    in_the_way.unlink()
    in_the_way.symlink_to(desktop.path())
    before = desktop.read(), desktop.sidecar()
    with pytest.raises(BundleUnsafe):
        desktop.undo()
    assert (desktop.read(), desktop.sidecar()) == before
    assert desktop.leftovers() == []


def test_what_only_grew_is_cut_back(pair: Pair) -> None:
    laptop, desktop = pair
    before = desktop.read()
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.pull()
    desktop.undo()
    assert desktop.read() == before


def test_an_import_is_taken_away_again(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write_sidecar(OTHER, "tool-results/one.txt", b"one")
    whole = laptop.write(OTHER, said())
    laptop.push()
    desktop.pull()
    assert desktop.undo(OTHER).outcome is Outcome.GONE
    assert not desktop.has(OTHER)
    assert not (desktop.folder / OTHER).exists()
    assert {whole, b"one"} <= set(desktop.kept())
    assert desktop.has(SESSION)


def test_what_was_undone_is_passed_over_until_it_changes(pair: Pair) -> None:
    laptop, desktop = pair
    before = desktop.read()
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.pull()
    desktop.undo()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.DECLINED}
    assert desktop.read() == before
    laptop.write(SESSION, said("third"))
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}
    assert agree(*pair)


def test_what_was_undone_is_said_though_others_have_older_versions(
    pair: Pair, world: World
) -> None:
    laptop, desktop = pair
    tablet = world.machine("tablet")
    tablet.pull()
    tablet.push(SESSION)
    desktop.write(SESSION, said("on the desktop"))
    laptop.write(SESSION, said("on the laptop"))
    laptop.push()
    desktop.resolve(SESSION, "laptop")
    desktop.undo()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.DECLINED}
    assert outcomes(desktop.pull(SESSION)) == {SESSION: Outcome.REPLACED}
    assert agree(laptop, desktop)


def test_what_was_undone_comes_back_when_it_is_named(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.pull()
    desktop.undo()
    assert outcomes(desktop.pull(SESSION)) == {SESSION: Outcome.UPDATED}
    assert agree(laptop, desktop)


def test_an_import_that_was_undone_comes_back_when_it_is_named(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.undo()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.GONE}
    assert desktop.states()[SESSION].state is State.GONE
    assert outcomes(desktop.pull(SESSION)) == {SESSION: Outcome.IMPORTED}
    assert agree(laptop, desktop)


def test_nothing_of_it_travels(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.begin_anew(SESSION, said("another beginning"))
    desktop.pull()
    desktop.undo()
    desktop.push()
    desktop.push(SESSION)
    before = laptop.read()
    assert outcomes(laptop.pull()) == {SESSION: Outcome.AHEAD}
    assert laptop.read() == before


def test_after_a_pull_is_undone_an_earlier_decision_stands_as_before(diverged: Pair) -> None:
    """What the version here had given up before the pull is given up by it again."""
    laptop, desktop = diverged
    theirs = opened(laptop.bundle()).head.sha256
    desktop.resolve(SESSION, "mine")
    with desktop.at_work() as context:
        before = context.decisions.of(SESSION)
    assert (before.supersedes, before.decision) == ((theirs,), 1)
    laptop.pull()
    laptop.write(SESSION, said("after that"))
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}
    desktop.undo()
    with desktop.at_work() as context:
        after = context.decisions.of(SESSION)
    assert after._replace(declined=frozenset()) == before


def test_a_resolve_is_undone(diverged: Pair) -> None:
    _, desktop = diverged
    mine = desktop.read()
    desktop.resolve(SESSION, "theirs")
    desktop.undo()
    assert desktop.read() == mine
    assert outcomes(desktop.pull()) == {SESSION: Outcome.DECLINED}
    desktop.push()
    assert opened(desktop.bundle()).transcript == mine


def test_both_is_undone_copies_and_all(diverged: Pair) -> None:
    _, desktop = diverged
    mine = desktop.read()
    desktop.resolve(SESSION, "both")
    assert len(desktop.sessions()) == 2
    desktop.undo()
    assert desktop.sessions() == [SESSION]
    assert desktop.read() == mine


def test_both_is_undone_copies_and_all_where_nothing_was_here_before(
    diverged: Pair, world: World
) -> None:
    tablet = world.machine("tablet")
    texts = {machine.read() for machine in diverged}
    tablet.resolve(SESSION, "both")
    assert len(tablet.sessions()) == 2
    result = tablet.undo()
    assert (result.outcome, result.message) == (Outcome.GONE, "")
    assert tablet.sessions() == []
    assert texts <= set(tablet.kept())
    assert set(outcomes(tablet.pull()).values()) == {Outcome.GONE}


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("name", ["desktop", "tablet"])
def test_a_copy_that_was_continued_or_is_open_stays_and_is_named(
    diverged: Pair, world: World, name: str, is_open: bool
) -> None:
    """On a machine that had the session before, and on one that hadn't."""
    machine = diverged[1] if name == "desktop" else world.machine(name)
    machine.resolve(SESSION, "both")
    (copy,) = set(machine.sessions()) - {SESSION}
    if is_open:
        machine.open(copy)
    else:
        machine.write(copy, said("more"))
    message = machine.undo().message
    assert message == f"the copy {copy} stays: it is open here or was continued"
    assert copy in machine.sessions()
    assert machine.has(SESSION) is (name == "desktop")


def test_a_copy_of_which_two_diverged_does_not_keep_the_rest_from_being_undone(
    diverged: Pair,
) -> None:
    _, desktop = diverged
    before = desktop.read()
    desktop.resolve(SESSION, "both")
    (copy,) = set(desktop.sessions()) - {SESSION}
    twin = desktop.folder.with_name("-elsewhere") / f"{copy}.jsonl"
    twin.parent.mkdir()
    twin.write_bytes(desktop.read(copy) + said("more there"))
    desktop.write(copy, said("more here"))
    assert copy in desktop.undo().message
    assert desktop.read() == before
    assert twin.exists()
    assert copy in desktop.sessions()


def test_a_copy_that_was_continued_and_pushed_stays_too(diverged: Pair) -> None:
    _, desktop = diverged
    desktop.resolve(SESSION, "both")
    (copy,) = set(desktop.sessions()) - {SESSION}
    whole = desktop.write(copy, said("more"))
    desktop.push()
    desktop.undo()
    assert desktop.read(copy) == whole


def test_what_was_said_since_is_kept(pair: Pair) -> None:
    laptop, desktop = pair
    before = desktop.read()
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.pull()
    since = desktop.write(SESSION, said("third"))
    desktop.undo()
    assert desktop.read() == before
    assert since in desktop.kept()


def test_what_was_said_since_and_pushed_is_undone_too(pair: Pair) -> None:
    laptop, desktop = pair
    before = desktop.read()
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.pull()
    since = desktop.write(SESSION, said("third"))
    desktop.push()
    desktop.undo()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.DECLINED}
    assert outcomes(desktop.push()) == {SESSION: Outcome.PUSHED}
    assert (desktop.read(), opened(desktop.bundle()).transcript) == (before, before)
    assert since in desktop.kept()


def test_only_the_last_is_undone_and_only_once(pair: Pair) -> None:
    laptop, desktop = pair
    for text in ("second", "third"):
        before = desktop.read()
        laptop.write(SESSION, said(text))
        laptop.push()
        desktop.pull()
    desktop.undo()
    assert desktop.read() == before
    with pytest.raises(UsageError):
        desktop.undo()
    with pytest.raises(UsageError):
        laptop.undo()
    with pytest.raises(SessionNotFound):
        laptop.undo("nothing")


def test_an_open_session_is_refused(pair: Pair) -> None:
    _, desktop = pair
    desktop.open()
    with pytest.raises(SessionOpen):
        desktop.undo()
    assert desktop.has()


def test_what_is_no_longer_kept_is_said_and_nothing_is_changed(pair: Pair) -> None:
    laptop, desktop = pair
    changed(laptop, desktop)
    desktop.pull()
    for path in desktop.paths.vault_directory.rglob("changed.txt"):
        path.unlink()
    before = desktop.read(), desktop.sidecar()
    with pytest.raises(VaultError, match="no longer kept"):
        desktop.undo()
    assert (desktop.read(), desktop.sidecar()) == before
    assert not desktop.leftovers()


def test_nor_does_what_was_undone_and_had_gone_on_and_been_pushed(pair: Pair, world: World) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, bookkeeping())
    desktop.write(SESSION, said("on the desktop"))
    desktop.push()
    laptop.pull()
    went_on = laptop.write(SESSION, said("on the laptop"))
    laptop.push()
    [third] = world.machines("third")
    third.pull()
    laptop.write(SESSION, said("and once more"))
    laptop.push()
    laptop.undo()
    laptop.push()
    assert outcomes(third.pull()) == {SESSION: Outcome.AHEAD}
    assert third.read() == went_on
    assert all(opened(path).head.supersedes == () for path in world.bundles())


# --- an undo that failed half way --------------------------------------------------------------


def declined(machine: PlayedMachine, session: str) -> set[int]:
    """The sizes of the versions that count as undone."""
    with machine.at_work() as context:
        return {version.size for version in context.decisions.of(session).declined}


def test_an_import_of_which_a_part_could_not_be_removed_is_undone_when_it_is_asked_for_again(
    pair: Pair,
) -> None:
    laptop, desktop = pair
    laptop.write_sidecar(OTHER, "tool-results/one.txt", b"one")
    laptop.write_sidecar(OTHER, "tool-results/two.txt", b"two")
    whole = laptop.write(OTHER, said())
    laptop.push()
    desktop.pull()
    left = desktop.folder / OTHER / "tool-results/two.txt"
    with failing(left, errno.EIO, "unlink"), pytest.raises(ClaudeHomeError):
        desktop.undo(OTHER)
    assert not desktop.has(OTHER)
    assert left.exists()
    result = desktop.undo(OTHER[:8])
    assert (result.session_id, result.outcome) == (OTHER, Outcome.GONE)
    assert not (desktop.folder / OTHER).exists()
    assert declined(desktop, OTHER) == {len(whole)}
    assert {whole, b"one", b"two"} <= set(desktop.kept())
    with pytest.raises(UsageError):
        desktop.undo(OTHER)


def test_what_an_undo_brought_back_does_not_count_as_undone_when_it_is_done_again(
    pair: Pair,
) -> None:
    laptop, desktop = pair
    changed(laptop, desktop)
    before = desktop.read(), desktop.sidecar()
    desktop.pull()
    pulled, gone_on = desktop.read(), desktop.write(SESSION, said("since then"))
    added = desktop.folder / SESSION / "tool-results/sub/added.txt"
    with failing(added, errno.EIO, "unlink"), pytest.raises(ClaudeHomeError):
        desktop.undo()
    assert desktop.read() == before[0]
    desktop.undo()
    assert (desktop.read(), desktop.sidecar()) == before
    assert declined(desktop, SESSION) == {len(pulled), len(gone_on)}


def test_a_session_that_someone_else_removed_can_not_be_undone(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(OTHER, said())
    laptop.push()
    desktop.pull()
    desktop.path(OTHER).unlink()
    with pytest.raises(SessionNotFound):
        desktop.undo(OTHER)
