"""Pulling: what rivals the transcripts here, taken where the rules say so."""

from __future__ import annotations

import errno
import os
import stat
import time

import pytest

from claude_sync.model import Outcome
from claude_sync.sync.pull import pull
from failing_calls import failing
from machines import (
    DAY_NS,
    KEY,
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


def settled(machine: PlayedMachine) -> bool:
    """Whether a further pull has nothing to do."""
    return set(outcomes(machine.pull()).values()) <= {Outcome.UNCHANGED, Outcome.AHEAD}


def test_an_import_says_where_from_and_where_to(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.push()
    result = desktop.pull()[SESSION]
    assert result.outcome is Outcome.IMPORTED
    assert (result.machine, result.project_key) == ("laptop", KEY)
    assert result.path == desktop.path()
    assert result.directory == desktop.project
    assert result.bytes == laptop.bundle().stat().st_size
    assert settled(desktop)


def test_what_is_installed_is_private(world: World) -> None:
    if os.name != "posix":
        pytest.skip("modes are POSIX'")
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    laptop.push()
    before = os.umask(0)
    try:
        desktop.pull()
    finally:
        os.umask(before)
    for path in desktop.folder.rglob("*"):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_the_longer_wins(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("second"))
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}
    assert agree(*pair)
    assert desktop.kept() == []


def test_what_is_ahead_here_stays(pair: Pair) -> None:
    _, desktop = pair
    whole = desktop.write(SESSION, said("second"))
    assert outcomes(desktop.pull()) == {SESSION: Outcome.AHEAD}
    assert desktop.read() == whole


def test_a_decision_elsewhere_replaces_and_what_was_here_is_kept(pair: Pair) -> None:
    laptop, desktop = pair
    old = desktop.read()
    laptop.begin_anew(SESSION, said("another beginning"))
    assert outcomes(desktop.pull()) == {SESSION: Outcome.REPLACED}
    assert agree(*pair)
    assert old in desktop.kept()
    assert settled(desktop)


def test_a_decision_against_what_was_gone_on_with_here_is_a_conflict(pair: Pair) -> None:
    laptop, desktop = pair
    whole = desktop.write(SESSION, said("second"))
    laptop.begin_anew(SESSION, said("another beginning"))
    assert outcomes(desktop.pull()) == {SESSION: Outcome.CONFLICT}
    assert desktop.read() == whole


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ETIMEDOUT])
@pytest.mark.parametrize("kind", ["plain", "encrypted"])
def test_a_bundle_that_can_not_be_read_any_more_costs_its_session_only(
    request: pytest.FixtureRequest, kind: str, code: int
) -> None:
    world: World = request.getfixturevalue("world" if kind == "plain" else "encrypted_world")
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("hello"))
    laptop.write(OTHER, said("hello"))
    laptop.push()
    desktop.states()  # so it is known what the bundles say of themselves
    with failing(laptop.bundle(), code, "open"):
        pulled = desktop.pull()
    assert outcomes(pulled) == {SESSION: Outcome.FAILED, OTHER: Outcome.IMPORTED}
    assert pulled[SESSION].code == "FileUnreadable"
    assert str(laptop.bundle()) in pulled[SESSION].message
    assert ": check " in pulled[SESSION].message
    assert outcomes(desktop.pull()) == {SESSION: Outcome.IMPORTED, OTHER: Outcome.UNCHANGED}


def test_a_conflict_touches_nothing_and_names_the_machines(diverged: Pair) -> None:
    _, desktop = diverged
    before = desktop.read(), desktop.path().stat().st_mtime_ns
    result = desktop.pull()[SESSION]
    assert result.outcome is Outcome.CONFLICT
    assert "laptop" in result.message
    assert "this machine" in result.message
    assert (desktop.read(), desktop.path().stat().st_mtime_ns) == before


def test_a_conflict_between_two_others_installs_nothing(diverged: Pair, world: World) -> None:
    tablet = world.machine("tablet")
    result = tablet.pull()[SESSION]
    assert result.outcome is Outcome.CONFLICT
    assert "laptop" in result.message
    assert "desktop" in result.message
    assert not tablet.has()


def test_looking_at_a_session_on_two_machines_is_no_conflict(pair: Pair) -> None:
    laptop, desktop = pair
    for machine in pair:
        machine.write(SESSION, bookkeeping())
        machine.push()
    found = {laptop.pull()[SESSION].outcome, desktop.pull()[SESSION].outcome}
    assert found == {Outcome.AHEAD, Outcome.REPLACED}
    assert agree(*pair)


def test_who_only_looked_gives_way_to_who_spoke(pair: Pair) -> None:
    laptop, desktop = pair
    looked = desktop.write(SESSION, bookkeeping())
    laptop.write(SESSION, said("second"))
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.REPLACED}
    assert looked in desktop.kept()


def test_three_machines_agree_after_one_settled_it(diverged: Pair, world: World) -> None:
    laptop, desktop = diverged
    tablet = world.machine("tablet")
    desktop.resolve(SESSION, "mine")
    assert outcomes(tablet.pull()) == {SESSION: Outcome.IMPORTED}
    assert outcomes(laptop.pull()) == {SESSION: Outcome.REPLACED}
    assert agree(laptop, desktop, tablet)


def test_a_conflict_settled_elsewhere_for_what_lies_here_is_settled_here(
    pair: Pair, world: World
) -> None:
    laptop, desktop = pair
    tablet = world.machine("tablet")
    tablet.pull()
    desktop.write(SESSION, said("on the desktop"))
    desktop.push()
    laptop.write(SESSION, said("on the laptop"))
    laptop.push()
    tablet.set_up()
    tablet.rewrite(SESSION, laptop.read())
    assert tablet.pull()[SESSION].outcome is Outcome.CONFLICT
    laptop.resolve(SESSION, "mine")
    # The desktop hasn't followed yet.
    assert tablet.pull()[SESSION].outcome is Outcome.AHEAD


# --- open, gone, unplaced ----------------------------------------------------------------------


def test_an_open_session_is_never_replaced_and_pulled_once_it_is_closed(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.open()
    before = desktop.read()
    for named in ((), (SESSION,)):
        assert outcomes(desktop.pull(*named)) == {SESSION: Outcome.OPEN}
    assert desktop.read() == before
    desktop.close()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}


def test_without_live_files_what_changed_in_the_last_minute_is_open(world: World) -> None:
    laptop = world.machine("laptop")
    desktop = world.machine("desktop", live_files=False)
    laptop.write(SESSION, said())
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said())
    laptop.push()
    # What we wrote ourselves isn't a change of the client's.
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}
    os.utime(desktop.path())
    laptop.write(SESSION, said())
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.OPEN}
    desktop.grow_old()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}


def test_a_session_that_is_gone_stays_gone_until_it_is_named(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.path().unlink()
    laptop.write(SESSION, said("second"))
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.GONE}
    assert not desktop.has()
    assert outcomes(desktop.pull(SESSION)) == {SESSION: Outcome.IMPORTED}
    assert agree(*pair)
    assert settled(desktop)


def test_a_session_that_is_gone_everywhere_comes_back_from_this_machines_own_bundle(
    pair: Pair,
) -> None:
    laptop, _ = pair
    whole = laptop.read()
    laptop.path().unlink()
    assert outcomes(laptop.pull(SESSION)) == {SESSION: Outcome.IMPORTED}
    assert laptop.read() == whole


def test_absence_is_never_carried_over(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.path().unlink()
    assert laptop.push() == {}
    assert laptop.bundle().exists()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UNCHANGED}
    assert desktop.has()


@pytest.mark.usefixtures("pair")
def test_a_session_of_a_project_that_is_not_here_is_unplaced_and_waits(world: World) -> None:
    tablet = world.machine("tablet")
    with tablet.at_work() as context:
        context.registry.remove(tablet.project)
    (tablet.project / ".git" / "config").write_text("[core]\n\tbare = false\n")
    result = tablet.pull()[SESSION]
    assert result.outcome is Outcome.UNPLACED
    assert result.message
    assert not list(tablet.claude.glob("projects/*/*.jsonl"))
    tablet.add_project()
    assert outcomes(tablet.pull()) == {SESSION: Outcome.IMPORTED}


def test_a_dry_run_says_what_would_be_and_does_nothing(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("second"))
    laptop.push()
    before = desktop.read()
    with desktop.at_work() as context:
        results = pull(context, dry_run=True)
    assert [result.outcome for result in results] == [Outcome.UPDATED]
    assert desktop.read() == before
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}


def test_only_a_projects_sessions_are_pulled_where_one_is_asked_for(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.push()
    with desktop.at_work() as context:
        assert pull(context, project="git:example.org/you/other") == []
        assert len(pull(context, project=KEY)) == 1


# --- times -------------------------------------------------------------------------------------


def age_when_pulled(world: World, mtime_ns: int, cleanup_days: int | None = None) -> float:
    """The age in days that a transcript of some time has once it is pulled."""
    laptop, desktop = world.machines("laptop", "desktop")
    if cleanup_days is not None:
        (desktop.claude / "settings.json").write_text(f'{{"cleanupPeriodDays": {cleanup_days}}}')
    laptop.write(SESSION, said())
    os.utime(laptop.path(), ns=(mtime_ns, mtime_ns))
    laptop.push()
    desktop.pull()
    return (time.time_ns() - desktop.path().stat().st_mtime_ns) / DAY_NS


@pytest.mark.parametrize(
    ("days", "cleanup", "age"),
    [(10, None, 10), (26, None, 26), (28, None, 23), (400, None, 23), (40, 90, 40), (88, 90, 83)],
)
def test_an_old_transcript_is_installed_so_that_the_client_will_not_delete_it_at_once(
    world: World, days: int, cleanup: int | None, age: int
) -> None:
    found = age_when_pulled(world, time.time_ns() - days * DAY_NS, cleanup)
    assert found == pytest.approx(age, abs=0.01)


def test_a_time_in_the_future_becomes_the_present(world: World) -> None:
    assert 0 <= age_when_pulled(world, time.time_ns() + 5 * DAY_NS) < 0.01


# --- sidecar files -----------------------------------------------------------------------------


def test_sidecar_files_are_merged_file_by_file(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.write_sidecar(SESSION, "tool-results/only-here.txt", b"here")
    desktop.write_sidecar(SESSION, "tool-results/longer-here.txt", b"one two")
    desktop.write_sidecar(SESSION, "tool-results/longer-there.txt", b"one")
    desktop.write_sidecar(SESSION, "tool-results/different.txt", b"ours")
    laptop.write_sidecar(SESSION, "tool-results/longer-here.txt", b"one")
    laptop.write_sidecar(SESSION, "tool-results/longer-there.txt", b"one two")
    laptop.write_sidecar(SESSION, "tool-results/different.txt", b"theirs")
    laptop.write_sidecar(SESSION, "tool-results/sub/only-there.txt", b"there")
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.pull()
    assert desktop.sidecar() == {
        "tool-results/only-here.txt": b"here",
        "tool-results/longer-here.txt": b"one two",
        "tool-results/longer-there.txt": b"one two",
        "tool-results/different.txt": b"theirs",
        "tool-results/sub/only-there.txt": b"there",
    }
    assert b"ours" in desktop.kept()


def test_sidecar_files_of_equal_transcripts_end_the_same_on_both(pair: Pair) -> None:
    laptop, desktop = pair
    for machine in pair:
        machine.write_sidecar(SESSION, f"tool-results/{machine.name}.txt", b"x")
        machine.write_sidecar(SESSION, "tool-results/both.txt", machine.name.encode())
        machine.push()
    for _ in range(3):
        for machine in pair:
            machine.pull()
            machine.push()
    assert laptop.sidecar() == desktop.sidecar()
    assert set(laptop.sidecar()) == {
        "tool-results/laptop.txt",
        "tool-results/desktop.txt",
        "tool-results/both.txt",
    }
    assert settled(laptop)
    assert settled(desktop)
    assert set(outcomes(laptop.push()).values()) == {Outcome.UNCHANGED}


def test_links_in_a_sidecar_folder_do_not_travel(pair: Pair, world: World) -> None:
    laptop, _ = pair
    secret = world.folder / "secret"
    secret.write_bytes(b"secret")
    laptop.write_sidecar(SESSION, "tool-results/real.txt", b"real")
    (laptop.folder / SESSION / "link.txt").symlink_to(secret)
    (laptop.folder / SESSION / "folder").symlink_to(world.folder)
    laptop.push()
    assert opened(laptop.bundle()).sidecar == {"tool-results/real.txt": b"real"}


def test_a_memory_folder_is_no_session(world: World) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write_sidecar("memory", "MEMORY.md", b"remember")
    laptop.write("memory", said())
    laptop.write(OTHER, said())
    assert outcomes(laptop.push()) == {OTHER: Outcome.PUSHED}
