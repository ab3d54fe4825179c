"""Killed before every single change to the disk, each piece of work keeps all promises.

A scene is made once and copied for each step. The work is done in a child that is killed (SIGKILL)
before its change number so-and-so; then, with nothing repaired by hand, what the README promises
is looked at, and the same is done again: it must come to its end as if nothing had happened.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from claude_sync.model import Outcome, Version
from claude_sync.sync.store_key import KeyChoice
from crashes import End, killed_at
from machines import PASSPHRASE, SESSION, Pair, PlayedMachine, World, agree, bookkeeping, said
from plain_text import told

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="killing needs fork()")

MOST_STEPS = 400


class Scene(NamedTuple):
    """Machines that are ready for one piece of work.

    Attributes:
        world: everything.
        machine: who does it.
        work: what; done again after a crash it must end well.
        done: whether it came to its end.
        spares_the_tree: whether Claude's tree is left alone by it.
    """

    world: World
    machine: PlayedMachine
    work: Callable[[], object]
    done: Callable[[], bool]
    spares_the_tree: bool = False


# --- scenes ------------------------------------------------------------------------------------


def two(world: World) -> Pair:
    laptop, desktop = world.machines("laptop", "desktop")
    return laptop, desktop


TASK = f"tasks/{SESSION}/1.json"
PLAN = "plans/calm-otter.md"
CHECKPOINT = f"file-history/{SESSION}/0123456789abcdef@v1"


def pushed(world: World) -> Pair:
    """A session with all kinds of files that the first machine has pushed."""
    laptop, desktop = two(world)
    laptop.write(SESSION, said("first", slug="calm-otter"))
    for path in (TASK, PLAN, CHECKPOINT):
        laptop.write_companion(path, f"{path} at first".encode())
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one\n")
    laptop.write_sidecar(SESSION, "subagents/agent-a.jsonl", said("agent"))
    laptop.push()
    return laptop, desktop


def started(world: World) -> Pair:
    """A session with sidecar files that both machines have and have pushed."""
    laptop, desktop = pushed(world)
    desktop.pull()
    desktop.push(SESSION)
    return laptop, desktop


def apart(world: World) -> Pair:
    """The same session gone on with on both, sidecars too."""
    laptop, desktop = started(world)
    for machine in (laptop, desktop):
        machine.write(SESSION, said(f"on {machine.name}"))
        machine.write_sidecar(SESSION, "tool-results/one.txt", f"anew on {machine.name}".encode())
        machine.write_sidecar(SESSION, f"tool-results/{machine.name}.txt", b"more\n")
        machine.write_companion(TASK, f"a task on {machine.name}".encode())
        machine.write_companion(PLAN, f"a plan on {machine.name}".encode())
    laptop.push()
    return laptop, desktop


def to_push(world: World, machine: PlayedMachine, whole: bytes) -> Scene:
    """A machine that has this to push."""
    return Scene(
        world,
        machine,
        machine.push,
        lambda: world.opened(machine.bundle()).transcript == whole,
        spares_the_tree=True,
    )


def to_pull(world: World, there: PlayedMachine, machine: PlayedMachine) -> Scene:
    """A machine that has all that the other one has to pull."""
    return Scene(
        world,
        machine,
        machine.pull,
        lambda: (
            agree(there, machine)
            and machine.sidecar() == there.sidecar()
            and machine.companions() == there.companions()
        ),
    )


def first_push(world: World) -> Scene:
    laptop, _ = two(world)
    whole = laptop.write(SESSION, said("first"), said("second"))
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one\n")
    return to_push(world, laptop, whole)


def growing_push(world: World) -> Scene:
    laptop, _ = started(world)
    whole = laptop.write(SESSION, said("more"))
    laptop.write_companion(TASK, b"done")
    return to_push(world, laptop, whole)


def push_of_what_holds_less(world: World) -> Scene:
    """What is gone of it nobody said; still it goes into the vault."""
    laptop, _ = started(world)
    first = laptop.read()
    laptop.write(SESSION, bookkeeping())
    laptop.push()
    whole = first + said("more")
    laptop.rewrite(SESSION, whole)
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"anew\n")
    return to_push(world, laptop, whole)


def push_under_a_new_name(world: World) -> Scene:
    laptop, _ = started(world)
    old = laptop.bundle()
    laptop.set_up(name="workshop")
    laptop.name = "workshop"
    return Scene(
        world,
        laptop,
        laptop.push,
        lambda: laptop.bundle().exists() and not old.exists(),
        spares_the_tree=True,
    )


def import_(world: World) -> Scene:
    laptop, desktop = pushed(world)
    return to_pull(world, laptop, desktop)


def fast_forward(world: World) -> Scene:
    laptop, desktop = started(world)
    laptop.write(SESSION, said("more"))
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one\nand more\n")
    laptop.write_sidecar(SESSION, "tool-results/two.txt", b"two\n")
    laptop.write_companion(TASK, b"done")
    laptop.write_companion(f"tasks/{SESSION}/2.json", b"new")
    laptop.push()
    return to_pull(world, laptop, desktop)


def replacement(world: World) -> Scene:
    laptop, desktop = started(world)
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"anew\n")
    laptop.write_companion(TASK, b"anew")
    laptop.begin_anew(SESSION, said("another beginning"))
    return to_pull(world, laptop, desktop)


def sidecar_merge(world: World) -> Scene:
    laptop, desktop = started(world)
    laptop.write_sidecar(SESSION, "tool-results/two.txt", b"two\n")
    laptop.push()
    return Scene(world, desktop, desktop.pull, lambda: "tool-results/two.txt" in desktop.sidecar())


def companion_merge(world: World) -> Scene:
    laptop, desktop = started(world)
    laptop.write_companion(TASK, b"done")
    laptop.write_companion(PLAN, b"another plan")
    laptop.push()
    return to_pull(world, laptop, desktop)


def resolve_mine(world: World) -> Scene:
    _, desktop = apart(world)
    mine = desktop.read()
    return Scene(
        world,
        desktop,
        lambda: settle(desktop, "mine"),
        lambda: desktop.read() == mine and world.opened(desktop.bundle()).head.decision == 1,
    )


def resolve_theirs(world: World) -> Scene:
    laptop, desktop = apart(world)
    return Scene(
        world,
        desktop,
        lambda: settle(desktop, "laptop"),
        lambda: (
            agree(laptop, desktop) and world.opened(desktop.bundle()).transcript == laptop.read()
        ),
    )


def resolve_both(world: World) -> Scene:
    laptop, desktop = apart(world)
    mine = desktop.read()

    def done() -> bool:
        found = {desktop.read(session) for session in desktop.sessions()}
        return desktop.read() == mine and found == {mine, laptop.read()}

    return Scene(world, desktop, lambda: settle(desktop, "both"), done)


def resolve_both_where_nothing_was(world: World) -> Scene:
    laptop, desktop = apart(world)
    desktop.push()
    tablet = world.machine("tablet")
    sides = {laptop.read(), desktop.read()}

    def done() -> bool:
        found = {tablet.read(session) for session in tablet.sessions()}
        return SESSION in tablet.sessions() and found == sides

    return Scene(world, tablet, lambda: settle(tablet, "both"), done)


def settle(machine: PlayedMachine, choice: str) -> None:
    """Resolve, unless a crash came so late that nothing was left to do but to push."""
    if machine.states()[SESSION].sides:
        machine.resolve(SESSION, choice)
    else:
        machine.push(*machine.sessions())


def undo_of_an_import(world: World) -> Scene:
    scene = import_(world)
    scene.work()
    machine = scene.machine
    whole, beside = machine.read(), (machine.sidecar(), machine.companions())

    def done() -> bool:
        gone = is_clean(machine) and declined(machine) == {whole}
        machine.pull(SESSION)
        return gone and (machine.read(), (machine.sidecar(), machine.companions())) == (
            whole,
            beside,
        )

    return Scene(scene.world, machine, lambda: undo(machine), done)


def undo_of_both_where_nothing_was(world: World) -> Scene:
    scene = resolve_both_where_nothing_was(world)
    scene.work()
    machine = scene.machine
    return Scene(
        scene.world,
        machine,
        lambda: undo(machine),
        lambda: is_clean(machine) and not can_undo(machine),
    )


def undo_of_a_replacement(world: World) -> Scene:
    laptop, desktop = started(world)
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"anew\n")
    laptop.write_sidecar(SESSION, "tool-results/two.txt", b"two\n")
    laptop.write_companion(TASK, b"anew")
    laptop.write_companion(f"tasks/{SESSION}/2.json", b"new")
    laptop.begin_anew(SESSION, said("another beginning"))
    before = desktop.read(), desktop.sidecar(), desktop.companions()
    desktop.pull()
    pulled, gone_on = desktop.read(), desktop.write(SESSION, said("since then"))
    return Scene(
        world,
        desktop,
        lambda: undo(desktop),
        lambda: (
            (desktop.read(), desktop.sidecar(), desktop.companions()) == before
            and declined(desktop) == {pulled, gone_on}
        ),
    )


def undo_of_a_fast_forward(world: World) -> Scene:
    scene = fast_forward(world)
    machine = scene.machine
    before = machine.read(), machine.sidecar(), machine.companions()
    scene.work()
    pulled = machine.read()
    return Scene(
        scene.world,
        machine,
        lambda: undo(machine),
        lambda: (
            (machine.read(), machine.sidecar(), machine.companions()) == before
            and declined(machine) == {pulled}
        ),
    )


def undo(machine: PlayedMachine) -> None:
    """Undo, unless a crash came so late that all of it was done."""
    if can_undo(machine):
        machine.undo()


def is_clean(machine: PlayedMachine) -> bool:
    """Whether nothing is left of any session but temporaries, which go after a day."""
    files = [path for path in machine.folder.rglob("*") if path.is_file()]
    return all(path.match(".ccsync-*.tmp") for path in files) and not machine.companions()


def declined(machine: PlayedMachine) -> set[bytes]:
    """The versions that were undone here, as the bytes that they are."""
    with machine.at_work() as context:
        versions = context.decisions.of(SESSION).declined
    found = {data for data in machine.world.everything() if _version(data) in versions}
    assert len(found) == len(versions)
    return found


def _version(data: bytes) -> Version:
    return Version(len(data), hashlib.sha256(data).hexdigest())


def can_undo(machine: PlayedMachine) -> bool:
    with machine.at_work() as context:
        return bool(context.records.session(SESSION).undo)


def forget(world: World) -> Scene:
    laptop, _ = started(world)
    laptop.rewrite(SESSION, said("another beginning"))
    return Scene(
        world,
        laptop,
        lambda: laptop.forget() if laptop.bundle().exists() else None,
        lambda: not laptop.bundle().exists(),
        spares_the_tree=True,
    )


SCENES: tuple[Callable[[World], Scene], ...] = (
    first_push,
    growing_push,
    push_of_what_holds_less,
    push_under_a_new_name,
    import_,
    fast_forward,
    replacement,
    sidecar_merge,
    companion_merge,
    resolve_mine,
    resolve_theirs,
    resolve_both,
    undo_of_an_import,
    undo_of_a_replacement,
    undo_of_a_fast_forward,
    forget,
    undo_of_both_where_nothing_was,
)
LONG_SCENES = (resolve_both_where_nothing_was,)


# --- killing -----------------------------------------------------------------------------------


@pytest.fixture(params=[None, KeyChoice(True, PASSPHRASE)], ids=["plain", "encrypted"])
def key(request: pytest.FixtureRequest, cheap_keys: None) -> KeyChoice | None:
    """The store's key, which costs little here; None for a plain store."""
    chosen: KeyChoice | None = request.param
    return chosen


@pytest.mark.parametrize("make", SCENES, ids=lambda make: make.__name__.strip("_"))
def test_killed_before_any_third_step_nothing_is_lost_and_the_work_can_be_done_again(
    make: Callable[[World], Scene],
    key: KeyChoice | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _kill_before_each(
        make, key, tmp_path, monkeypatch, range(SCENES.index(make) % 3, MOST_STEPS, 3)
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("make", [*SCENES, *LONG_SCENES], ids=lambda make: make.__name__.strip("_"))
def test_killed_before_any_step_at_all_nothing_is_lost_and_the_work_can_be_done_again(
    make: Callable[[World], Scene],
    key: KeyChoice | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _kill_before_each(make, key, tmp_path, monkeypatch, range(MOST_STEPS))


def _kill_before_each(
    make: Callable[[World], Scene],
    key: KeyChoice | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    steps: Sequence[int],
) -> None:
    # The disk keeps its power; what is synced when is another test's matter.
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    folder, saved = tmp_path / "world", tmp_path / "saved"
    scene = make(World(folder, key=key))
    shutil.copytree(folder, saved, symlinks=True)
    words, whole = written(scene.world), transcripts(scene.world)
    for step in steps:
        restore(saved, folder)
        before = tree(scene.machine)
        end = killed_at(step, scene.work)
        _check(scene, before, words, whole, f"at step {step}")
        if end is not End.KILLED:
            assert end is End.DONE
            assert step > 10, "so few steps can't be all"
            assert scene.done()
            return
        scene.work()
        assert scene.done(), f"after a crash at step {step} it can't be done again"
        _check(scene, before, words, whole, f"after step {step}")
    raise AssertionError(f"not done in {MOST_STEPS} steps")


def _check(
    scene: Scene, before: Mapping[str, bytes], words: list[bytes], whole: set[bytes], when: str
) -> None:
    after = tree(scene.machine)
    missing = [word for word in words if not scene.world.keeps(word)]
    assert not missing, f"lost {when}: {missing!r}"
    if scene.spares_the_tree:
        assert after == before, f"Claude's tree was touched {when}"
    for name, data in after.items():
        if name.endswith(".jsonl") and "/" not in name:
            assert data in whole, f"a transcript is no version {when}"
    for path in scene.world.bundles():
        scene.world.opened(path)
    if scene.world.key is not None:
        secrets = [*words, SESSION.encode(), scene.machine.project.name.encode()]
        assert not told(scene.world.store, secrets), f"readable in the store {when}"


def restore(saved: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(saved, folder, symlinks=True)


def written(world: World) -> list[bytes]:
    """Everything that people and clients wrote, and that must be somewhere for ever."""
    return [data for machine in world.known for data in tree(machine).values()]


def transcripts(world: World) -> set[bytes]:
    """Every version that may stand in Claude's tree: what stands there, or in the store."""
    found = {world.opened(path).transcript for path in world.bundles()}
    for machine in world.known:
        found |= {data for name, data in tree(machine).items() if "/" not in name}
        found |= {data for data in machine.kept() if data.endswith(b"\n")}
    return found


def tree(machine: PlayedMachine) -> Mapping[str, bytes]:
    found = {
        path.relative_to(machine.folder).as_posix(): path.read_bytes()
        for path in machine.folder.rglob("*")
        if path.is_file() and ".ccsync-" not in path.name
    }
    return found | {f"../{name}": data for name, data in machine.companions().items()}


def test_what_a_crash_leaves_in_claudes_tree_is_gone_after_a_day(tmp_path: Path) -> None:
    scene = import_(World(tmp_path / "world"))
    for step in range(MOST_STEPS):
        if killed_at(step, scene.work) is End.KILLED and scene.machine.leftovers():
            break
    (left, *_) = scene.machine.leftovers()
    os.utime(left, ns=(0, 0))
    assert scene.machine.pull()[SESSION].outcome in (Outcome.IMPORTED, Outcome.UNCHANGED)
    assert not left.exists()
