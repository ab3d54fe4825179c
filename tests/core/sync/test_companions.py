"""Task lists, plans, checkpoints and to-do lists travel with their session, whoever wins."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bundles import packed
from capabilities import MODES
from claude_sync.model import Outcome, State, Version
from claude_sync.sync.pack import pack, unpack
from claude_sync.sync.push import push
from claude_sync.sync.tree.resolve_apply import copy_id
from equipped import ALL, CHECKPOINT, HASH, PLAN, TASK, TODOS, equip, equipped, planned, settle
from faults.disks import ordinary_permissions
from machines import KEY, KEY_FOLDER, OTHER, SESSION, PlayedMachine, World, opened, outcomes, said

IN_A_BUNDLE = {
    "@tasks/1.json": b"to do",
    "@plans/calm-otter.md": b"# A plan",
    f"@file-history/{HASH}@v1": b"print()\n",
    f"@todos/{SESSION}-agent-{SESSION}.json": b"[]",
}


def strange(
    world: World,
    transcript: bytes,
    sidecar: dict[str, bytes],
    *,
    session: str = SESSION,
    revision: int = 1,
) -> None:
    """Put a stranger's bundle into the store."""
    data, _ = packed(
        transcript,
        sidecar,
        session_id=session,
        project_key=KEY,
        machine="stranger",
        revision=revision,
    )
    folder = world.store / KEY_FOLDER
    folder.mkdir(exist_ok=True)
    (folder / f"{session}-stranger.ccsync").write_bytes(data)


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    return equipped(world)


@pytest.fixture
def desktop(world: World, laptop: PlayedMachine) -> PlayedMachine:
    """Another one that has pulled it."""
    desktop = world.machine("desktop")
    desktop.pull()
    return desktop


# --- there and back ----------------------------------------------------------------------------


def test_everything_is_in_the_bundle_and_arrives(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    assert opened(laptop.bundle()).sidecar == IN_A_BUNDLE
    assert desktop.companions() == ALL
    for path in ALL:
        assert not MODES or (desktop.claude / path).stat().st_mode & 0o777 == 0o600
    assert not MODES or (desktop.claude / TASK).parent.stat().st_mode & 0o777 == 0o700
    assert desktop.leftovers() == []


def test_what_came_is_neither_pushed_again_nor_waiting(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    assert outcomes(desktop.push()) == {SESSION: Outcome.UNCHANGED}
    assert not desktop.bundle().exists()
    for machine in (laptop, desktop):
        assert outcomes(machine.pull()) == {SESSION: Outcome.UNCHANGED}
        assert machine.states()[SESSION].state is State.SYNCED


def test_the_winner_brings_its_own_and_ours_go_into_the_vault(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    equip(desktop, {TASK: b"mine", f"tasks/{SESSION}/2.json": b"only here"})
    laptop.write(SESSION, planned("more"))
    equip(laptop, {TASK: b"done", PLAN: b"# Another plan"})
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}
    assert desktop.companions() == {
        **ALL,
        TASK: b"done",
        PLAN: b"# Another plan",
        f"tasks/{SESSION}/2.json": b"only here",
    }
    assert {b"mine", b"# A plan"} <= set(desktop.kept())
    assert desktop.read() not in desktop.kept(), "all of the transcript is in the newer one"
    desktop.undo()
    assert desktop.companions()[TASK] == b"mine"
    assert desktop.companions()[PLAN] == b"# A plan"


def test_no_companion_stands_because_it_is_longer(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    laptop.write(SESSION, planned("more"))
    equip(laptop, {TASK: b"to"})
    laptop.push()
    desktop.pull()
    assert desktop.companions()[TASK] == b"to"


def test_a_changed_task_list_sends_no_whole_bundle_into_the_vault(laptop: PlayedMachine) -> None:
    for number in range(3):
        equip(laptop, {TASK: b"%d" % number})
        assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
        laptop.write(SESSION, planned())
        assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert laptop.kept() == []


def test_an_own_bundle_that_nobody_here_remembers_is_kept_with_its_companions(
    laptop: PlayedMachine,
) -> None:
    laptop.lose_records()
    laptop.write(SESSION, planned())
    equip(laptop, {TASK: b"done"})
    laptop.push()
    assert b"to do" in laptop.kept()


def test_only_the_plan_that_is_named_last_travels(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said(slug="one-fox"), said(slug="two-fox"), said())
    equip(laptop, {"plans/one-fox.md": b"one", "plans/two-fox.md": b"two"})
    laptop.push()
    desktop.pull()
    assert desktop.companions() == {"plans/two-fox.md": b"two"}


def test_a_plan_under_a_new_name_comes_along_and_the_old_one_stays(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    os.rename(laptop.claude / PLAN, laptop.claude / "plans/new-otter.md")
    laptop.write(SESSION, said(slug="new-otter"))
    laptop.push()
    desktop.pull()
    assert desktop.companions() == {**ALL, "plans/new-otter.md": b"# A plan"}


def test_wherever_a_task_is_removed_while_it_is_pushed_no_file_is_said_to_be_unreadable(
    laptop: PlayedMachine,
) -> None:
    said_of_it = set()
    for moment in range(1, 100):
        equip(laptop, {TASK: b"%d" % moment})
        laptop.write(SESSION, planned())
        asked = itertools.count(1)

        def remove(asked: Iterator[int] = asked, moment: int = moment) -> bool:
            if next(asked) == moment:
                (laptop.claude / TASK).unlink()
            return False

        with laptop.at_work(remove) as context:
            said_of_it |= {result.message for result in push(context)}
        if (laptop.claude / TASK).exists():
            break
        laptop.push()
        assert "@tasks/1.json" not in opened(laptop.bundle()).sidecar
    else:
        raise AssertionError("a push never ends")
    removed = (
        f"one of the session's files was removed since it was looked at ({laptop.claude / TASK}"
    )
    assert {message.partition("): ")[0] for message in said_of_it} == {"", removed}


def test_what_was_pushed_is_not_read_again_because_a_task_was_done(laptop: PlayedMachine) -> None:
    (laptop.claude / CHECKPOINT).chmod(0)
    equip(laptop, {TASK: b"done"})
    with ordinary_permissions():
        assert laptop.states()[SESSION].state is State.CHANGED
    (laptop.claude / CHECKPOINT).chmod(0o600)
    equip(laptop, {CHECKPOINT: b"print(1)\n"})
    laptop.push()
    assert opened(laptop.bundle()).sidecar[f"@file-history/{HASH}@v1"] == b"print(1)\n"


# --- only they differ --------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"a", b"b", b"c", b"d"])
def test_a_change_of_a_companion_alone_reaches_the_others_and_is_no_conflict(
    world: World, laptop: PlayedMachine, desktop: PlayedMachine, data: bytes
) -> None:
    tablet = world.machine("tablet")
    tablet.pull()
    equip(desktop, {TASK: data})
    assert outcomes(laptop.push() | tablet.push()) == {SESSION: Outcome.UNCHANGED}
    assert desktop.states()[SESSION].state is State.CHANGED
    assert outcomes(desktop.push()) == {SESSION: Outcome.PUSHED}
    for machine in (laptop, tablet):
        assert outcomes(machine.push()) == {SESSION: Outcome.UNCHANGED}, "it is the older one"
        assert machine.states()[SESSION].state is State.WAITING
        assert machine.states()[SESSION].rivals == ("desktop",)
        assert outcomes(machine.pull()) == {SESSION: Outcome.UPDATED}
        assert machine.states()[SESSION].state is State.SYNCED
        assert machine.companions() == {**ALL, TASK: data}
        assert b"to do" in machine.kept()
    assert settle(laptop, tablet, desktop) == 0


@pytest.mark.parametrize("data", [b"a", b"b", b"c", b"d"])
def test_the_older_one_does_not_come_back_though_it_is_pushed_by_name(
    laptop: PlayedMachine, desktop: PlayedMachine, data: bytes
) -> None:
    desktop.push(SESSION)
    equip(laptop, {TASK: data})
    laptop.push()
    desktop.pull()
    assert settle(laptop, desktop) <= 1
    assert laptop.companions() == desktop.companions() == {**ALL, TASK: data}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_where_several_changed_one_all_end_with_the_same(
    world: World, laptop: PlayedMachine, desktop: PlayedMachine, order: tuple[int, ...]
) -> None:
    machines = [laptop, desktop, world.machine("tablet")]
    machines[2].pull()
    for number, machine in enumerate(machines):
        equip(machine, {TASK: b"%d" % number, f"tasks/{SESSION}/{number + 2}.json": b"new"})
    for machine in machines:
        assert outcomes(machine.push()) == {SESSION: Outcome.PUSHED}
    settle(*(machines[number] for number in order))
    found = [machine.companions() for machine in machines]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == len(ALL) + 3
    for number in range(3):
        assert world.keeps(b"%d" % number)


def test_of_two_that_were_written_at_once_all_take_the_same(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    before = laptop.bundle().read_bytes()
    equip(laptop, {TASK: b"on the laptop"})
    laptop.push()
    at_once = laptop.bundle().read_bytes()
    laptop.bundle().write_bytes(before)  # it hasn't arrived yet
    equip(desktop, {TASK: b"on the desktop"})
    desktop.push()
    laptop.bundle().write_bytes(at_once)
    assert opened(laptop.bundle()).head.revision == opened(desktop.bundle()).head.revision
    settle(laptop, desktop)
    assert laptop.companions() == desktop.companions()


@pytest.mark.parametrize("revision", [1 << 48, 1 << 62, (1 << 63) - 1])
def test_a_revision_that_nobody_can_have_come_to_outranks_none(
    world: World, laptop: PlayedMachine, desktop: PlayedMachine, revision: int
) -> None:
    strange(world, laptop.read(), {"@tasks/1.json": b"a stranger's"}, revision=revision)
    for number in range(3):
        machine, other = (laptop, desktop) if number % 2 else (desktop, laptop)
        equip(machine, {TASK: b"%d" % number})
        settle(machine, other)
        assert other.companions() == {**ALL, TASK: b"%d" % number}
        assert opened(machine.bundle()).head.revision < 1 << 48


# --- open, copied, undone ----------------------------------------------------------------------


def test_those_of_an_open_session_are_not_replaced(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    equip(laptop, {TASK: b"done"})
    laptop.push()
    desktop.open()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.OPEN}
    assert desktop.companions() == ALL
    desktop.close()
    desktop.pull()
    assert desktop.companions()[TASK] == b"done"


def test_a_plan_that_an_open_session_has_too_is_not_replaced(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.write(OTHER, planned("of another session"))
    desktop.open(OTHER)
    laptop.write(SESSION, planned("more"))
    equip(laptop, {PLAN: b"# Another plan", TASK: b"done"})
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}
    assert desktop.companions() == {**ALL, TASK: b"done"}
    assert laptop.companions()[PLAN] == b"# Another plan"


def test_nor_does_what_a_person_chose_or_brought_back_replace_it(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    for machine in (laptop, desktop):
        machine.write(SESSION, planned(f"on {machine.name}"))
    equip(laptop, {PLAN: b"# Another plan", TASK: b"done"})
    laptop.push()
    desktop.resolve(keep="theirs")
    assert desktop.companions() == {**ALL, PLAN: b"# Another plan", TASK: b"done"}
    desktop.write(OTHER, planned("of another session"))
    desktop.open(OTHER)
    desktop.bring_back()
    assert desktop.companions() == {**ALL, PLAN: b"# Another plan"}
    laptop.write(SESSION, planned("more on the laptop"))
    equip(laptop, {PLAN: b"# A third plan", TASK: b"done twice"})
    laptop.push()
    desktop.resolve(keep="theirs")
    assert desktop.companions() == {**ALL, PLAN: b"# Another plan", TASK: b"done twice"}


def test_a_session_that_came_without_its_plan_is_not_what_its_bundle_holds(
    world: World, laptop: PlayedMachine
) -> None:
    desktop = world.machine("desktop")
    desktop.write(OTHER, planned("of another session"))
    equip(desktop, {PLAN: b"# Another's"})
    desktop.pull()
    assert desktop.companions() == {**ALL, PLAN: b"# Another's"}
    assert desktop.states()[SESSION].state is State.CHANGED
    desktop.push()
    assert opened(desktop.bundle()).sidecar["@plans/calm-otter.md"] == b"# Another's"


def test_undoing_both_removes_the_plan_that_both_brought(
    world: World, laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    tablet = world.machine("tablet")
    for machine in (laptop, desktop):
        machine.write(SESSION, planned(f"on {machine.name}"))
        machine.push()
    tablet.resolve(keep="both")
    assert len(tablet.sessions()) == 2
    assert tablet.companions()[PLAN] == b"# A plan"
    tablet.undo()
    assert tablet.companions() == {}


def test_both_takes_them_along_under_the_new_id(
    world: World, laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    for machine in (laptop, desktop):
        machine.write(SESSION, planned(f"on {machine.name}"))
        equip(machine, {path: machine.name.encode() for path in ALL})
    laptop.push()
    bundle = opened(laptop.bundle())
    copy = copy_id(SESSION, Version(bundle.head.size, bundle.head.sha256))
    desktop.resolve(keep="both")
    mine = dict.fromkeys(ALL, b"desktop")
    theirs = {path.replace(SESSION, copy): b"laptop" for path in ALL if path != PLAN}
    assert desktop.companions() == {**mine, **theirs}, "a plan goes by a name, and ours stays"
    assert f"@todos/{copy}-agent-{copy}.json" in opened(desktop.bundle(copy)).sidecar
    settle(laptop, desktop)
    assert laptop.companions() == desktop.companions()
    for data in (b"laptop", b"desktop"):
        assert world.keeps(data)
    desktop.undo()
    assert desktop.companions() == mine, "with the copy goes all that only it had"


def test_undoing_an_import_removes_them_and_leaves_what_others_have(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.write(OTHER, planned())
    equip(desktop, {f"tasks/{OTHER}/1.json": b"another's"})
    desktop.undo()
    assert desktop.companions() == {PLAN: b"# A plan", f"tasks/{OTHER}/1.json": b"another's"}
    assert not (desktop.claude / TASK).parent.exists()
    assert set(ALL.values()) - {b"# A plan"} <= set(desktop.kept())


def test_what_lay_here_of_a_session_without_a_transcript_comes_back_with_an_undo(
    world: World, laptop: PlayedMachine
) -> None:
    desktop = world.machine("desktop")
    equip(desktop, {TASK: b"of long ago"})
    desktop.pull()
    assert desktop.companions() == ALL
    desktop.undo()
    assert desktop.companions() == {TASK: b"of long ago"}


def test_restoring_and_forgetting_know_them(laptop: PlayedMachine, desktop: PlayedMachine) -> None:
    laptop.begin_anew(SESSION, planned("another beginning"))
    equip(laptop, {TASK: b"done"})
    laptop.push()
    desktop.pull()
    assert desktop.companions()[TASK] == b"done"
    desktop.bring_back()
    assert desktop.companions()[TASK] == b"to do"
    equip(laptop, {TASK: b"not pushed"})
    laptop.forget()
    assert b"done" in laptop.kept()


def test_a_packed_session_has_them(world: World, laptop: PlayedMachine, tmp_path: Path) -> None:
    with laptop.at_work() as context:
        file = pack(context, SESSION, tmp_path / "one.ccsync")
    desktop = world.machine("desktop")
    with desktop.at_work() as context:
        assert unpack(context, file).outcome is Outcome.IMPORTED
    assert desktop.companions() == ALL


# --- where something is in the way -------------------------------------------------------------


@pytest.mark.parametrize(
    "link", [f"tasks/{SESSION}", "plans", "file-history", f"file-history/{SESSION}", "todos", TODOS]
)
def test_no_link_is_followed_and_the_rest_arrives(
    world: World, laptop: PlayedMachine, tmp_path: Path, link: str
) -> None:
    desktop = world.machine("desktop")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (desktop.claude / link).parent.mkdir(parents=True, exist_ok=True)
    (desktop.claude / link).symlink_to(elsewhere)
    result = desktop.pull()[SESSION]
    assert result.outcome is Outcome.IMPORTED
    assert list(elsewhere.iterdir()) == []
    assert desktop.read() == laptop.read()
    assert set(desktop.companions()) == {path for path in ALL if not path.startswith(link)}
    assert "something else is in the way" in result.message
    assert settle(laptop, desktop) <= 2


def make_pipe(path: Path) -> None:
    os.mkfifo(path)  # which Windows doesn't even have


@pytest.mark.parametrize("make", [Path.mkdir, make_pipe], ids=["a folder", "a pipe"])
@pytest.mark.parametrize("is_new", [True, False])
def test_what_takes_the_place_of_one_stays_and_the_rest_arrives(
    world: World, laptop: PlayedMachine, make: Callable[[Path], None], is_new: bool
) -> None:
    desktop = world.machine("desktop")
    if not is_new:
        desktop.pull()
        (desktop.claude / TASK).unlink()
        laptop.write(SESSION, planned("more"))
        equip(laptop, {TASK: b"done"})
        laptop.push()
    (desktop.claude / TASK).parent.mkdir(parents=True, exist_ok=True)
    make(desktop.claude / TASK)
    result = desktop.pull()[SESSION]
    assert result.outcome is (Outcome.IMPORTED if is_new else Outcome.UPDATED)
    assert result.message == (
        "one of its files isn't here, since something else is in the way below tasks"
    )
    assert desktop.read() == laptop.read()
    assert desktop.companions() == {path: data for path, data in ALL.items() if path != TASK}
    assert not (desktop.claude / TASK).is_file()
    desktop.undo()
    assert (desktop.claude / TASK).exists()


def test_they_arrive_where_the_projects_folder_is_on_another_disk(
    world: World, laptop: PlayedMachine, tmp_path: Path
) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one file system only")
    desktop = world.machine("desktop")
    other = shared / f"claude-sync-{os.getpid()}"
    other.mkdir()
    try:
        desktop.folder.parent.mkdir(parents=True, exist_ok=True)
        desktop.folder.symlink_to(other)
        desktop.pull()
        assert desktop.companions() == ALL
        laptop.write(SESSION, planned())
        equip(laptop, {TASK: b"done"})
        laptop.push()
        desktop.pull()
        assert desktop.companions() == {**ALL, TASK: b"done"}
        desktop.undo()
        assert desktop.companions() == ALL
        assert desktop.leftovers() == []
    finally:
        for path in other.iterdir():
            path.unlink()
        other.rmdir()
