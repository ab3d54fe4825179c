"""Task lists, plans, checkpoints and to-do lists travel with their session, whoever wins."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bundles import packed
from claude_sync.claude import listed_files
from claude_sync.model import Outcome, State, Version
from claude_sync.state import preferences
from claude_sync.sync.pack import pack, unpack
from claude_sync.sync.tree.resolve_apply import copy_id
from machines import KEY, KEY_FOLDER, OTHER, SESSION, PlayedMachine, World, opened, outcomes, said

HASH = "0123456789abcdef"
TASK = f"tasks/{SESSION}/1.json"
PLAN = "plans/calm-otter.md"
CHECKPOINT = f"file-history/{SESSION}/{HASH}@v1"
TODOS = f"todos/{SESSION}-agent-{SESSION}.json"
ALL = {TASK: b"to do", PLAN: b"# A plan", CHECKPOINT: b"print()\n", TODOS: b"[]"}
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


def planned(text: str = "hello") -> bytes:
    return said(text, slug="calm-otter")


def equip(machine: PlayedMachine, files: dict[str, bytes] = ALL) -> None:
    for path, data in files.items():
        machine.write_companion(path, data)


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    """A machine with a session that has everything, pushed."""
    laptop = world.machine("laptop")
    laptop.write(SESSION, planned())
    equip(laptop)
    laptop.push()
    return laptop


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
        assert (desktop.claude / path).stat().st_mode & 0o777 == 0o600
    assert (desktop.claude / TASK).parent.stat().st_mode & 0o777 == 0o700
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


# --- only they differ --------------------------------------------------------------------------


def settle(*machines: PlayedMachine) -> int:
    """Everybody pushes and pulls until nothing moves; how many rounds that took."""
    for rounds in range(20):
        moved = False
        for machine in machines:
            pushed, pulled = machine.push(), machine.pull()
            moved |= Outcome.PUSHED in outcomes(pushed).values()
            moved |= not set(outcomes(pulled).values()) <= {Outcome.UNCHANGED, Outcome.AHEAD}
        if not moved:
            return rounds
    raise AssertionError("it never ends")


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
        assert outcomes(machine.pull()) == {SESSION: Outcome.UPDATED}
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


# --- checkpoints -------------------------------------------------------------------------------


def test_checkpoints_stay_where_the_preference_says_so(world: World, laptop: PlayedMachine) -> None:
    desktop, tablet = world.machines("desktop", "tablet")
    preferences.change(desktop.paths, checkpoints=False)
    without = {path: data for path, data in ALL.items() if path != CHECKPOINT}
    desktop.pull()
    assert desktop.companions() == without
    assert outcomes(desktop.push()) == {SESSION: Outcome.UNCHANGED}
    equip(desktop, {CHECKPOINT: b"secret = 1\n"})
    desktop.write(SESSION, planned())
    desktop.push()
    assert f"@file-history/{HASH}@v1" not in opened(desktop.bundle()).sidecar
    tablet.pull()
    assert tablet.companions() == without
    assert settle(desktop, laptop, tablet) <= 2


def test_those_that_were_pushed_leave_the_store_though_another_machine_has_the_session_too(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    name = f"@file-history/{HASH}@v1"
    desktop.push(SESSION)
    for machine in (laptop, desktop):
        assert name in opened(machine.bundle()).sidecar
        preferences.change(machine.paths, checkpoints=False)
        assert machine.states()[SESSION].state is State.CHANGED
        assert outcomes(machine.push()) == {SESSION: Outcome.PUSHED}
        assert name not in opened(machine.bundle()).sidecar
        assert machine.companions() == ALL
    assert settle(laptop, desktop) == 0


@pytest.mark.parametrize("remembered", [True, False])
def test_they_leave_an_older_bundle_of_ours_though_nobody_remembers_it(
    laptop: PlayedMachine, desktop: PlayedMachine, remembered: bool
) -> None:
    desktop.push(SESSION)
    laptop.write(SESSION, planned("more"))
    preferences.change(laptop.paths, checkpoints=False)
    laptop.push()
    preferences.change(desktop.paths, checkpoints=False)
    desktop.pull()
    if not remembered:
        desktop.lose_records()
    assert outcomes(desktop.push()) == {SESSION: Outcome.PUSHED}
    assert f"@file-history/{HASH}@v1" not in opened(desktop.bundle()).sidecar
    assert settle(laptop, desktop) == 0


def test_one_that_lies_nowhere_but_in_our_bundle_goes_into_the_vault_first(
    laptop: PlayedMachine,
) -> None:
    (laptop.claude / CHECKPOINT).unlink()
    preferences.change(laptop.paths, checkpoints=False)
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert ALL[CHECKPOINT] in laptop.kept()


def test_what_stays_behind_of_them_is_said_and_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_files, "MAX_CHECKPOINT_BYTES", 250)
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    for number in range(1, 5):
        path = laptop.write_companion(
            f"file-history/{SESSION}/{HASH}@v{number}", b"%d" % number * 100
        )
        os.utime(path, ns=(number * 10**9, number * 10**9))
    assert "2 older checkpoints stay on this machine" in laptop.push()[SESSION].message
    desktop.pull()
    assert sorted(desktop.companions()) == [
        f"file-history/{SESSION}/{HASH}@v{number}" for number in (3, 4)
    ]
    laptop.write_companion(f"file-history/{SESSION}/{HASH}@v5", b"5" * 100)
    laptop.write(SESSION, said())
    laptop.push()
    assert laptop.kept() == []
    desktop.pull()
    assert len(desktop.companions()) == 3
    assert settle(laptop, desktop) <= 3


def checkpoint(name: str, machine: PlayedMachine, age: float) -> str:
    """Write a checkpoint of 100 bytes that is so many seconds old; its path."""
    path = machine.write_companion(f"file-history/{SESSION}/{name}", b"x" * 100)
    then = time.time() - age
    os.utime(path, (then, then))
    return f"@file-history/{name}"


@pytest.mark.parametrize(("one", "another"), [("0" * 16, "f" * 16), ("f" * 16, "0" * 16)])
def test_the_newest_of_them_are_the_newest_on_a_machine_that_they_came_to_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch, one: str, another: str
) -> None:
    monkeypatch.setattr(listed_files, "MAX_CHECKPOINT_BYTES", 250)
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.grow_old()
    oldest = checkpoint(f"{one}@v1", laptop, 5000)
    middle = checkpoint(f"{another}@v9", laptop, 4000)
    laptop.push()
    newest = checkpoint("8888888888888888@v1", desktop, 60)
    desktop.pull()
    desktop.push(SESSION)
    assert {*opened(laptop.bundle()).sidecar} == {oldest, middle}
    assert {*opened(desktop.bundle()).sidecar} == {middle, newest}


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
    assert "a link or a file is in the way" in result.message
    assert settle(laptop, desktop) <= 2


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
