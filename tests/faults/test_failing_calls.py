"""Whatever the system answers at a call, once or from then on, nothing wrong becomes true.

A scene is made once and put back for each fault. A command runs in a child whose disk fails at one
call; then the disk is well again, and what the README promises is looked at:

* no bundle was written over by an older one, no line is lost, in no file of ours anything that a
  person put in;
* the command said in a sentence what it couldn't do, or did all of it: what wasn't seen is
  nowhere said to be up to date;
* the next commands come to the same end as if nothing had happened.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from claude_sync.state.paths import Paths
from claude_sync_app.cli.runner import run
from failing_calls import ERRORS, Ended, Fault, run_with
from machines import OTHER, SESSION, PlayedMachine, World, agree, opened, said
from randomness import examples

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="failing needs fork()")

NEVER = 1 << 40
OF_THE_TIME = ("just now", "minute ago", "minutes ago")


class Scene(NamedTuple):
    """Two machines, and what of theirs may never be lost."""

    world: World
    laptop: PlayedMachine
    desktop: PlayedMachine
    words: list[bytes]


def machine(world: World, name: str) -> PlayedMachine:
    """A machine whose files are where the command line looks for them."""
    made = PlayedMachine(world, name)
    state = made.home / ".local" / "state" / "claude-sync"
    made.paths = Paths(made.home / ".config" / "claude-sync", state, state / "run")
    made.set_up()
    world.known.append(made)
    return made


def scene_of(world: World) -> Scene:
    words = [
        path.read_bytes() for one in world.known for path in one.folder.rglob("*") if path.is_file()
    ]
    laptop, desktop = world.known
    return Scene(world, laptop, desktop, words)


def growing(folder: Path) -> Scene:
    """One session grew here, another one elsewhere; both are nobody's conflict."""
    world = World(folder)
    laptop, desktop = machine(world, "laptop"), machine(world, "desktop")
    laptop.write(SESSION, said("first"))
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one\n")
    laptop.write(OTHER, said("other"))
    laptop.push()
    desktop.pull()
    desktop.write(SESSION, said("newer"))
    desktop.write_sidecar(SESSION, "tool-results/two.txt", b"two\n")
    desktop.push()
    laptop.write(OTHER, said("more"))
    return scene_of(world)


def restored(folder: Path) -> Scene:
    """The laptop's home is one of a backup: its own bundle is newer, and it went on otherwise."""
    world = World(folder)
    laptop, desktop = machine(world, "laptop"), machine(world, "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    backup = folder.with_name("backup")
    shutil.copytree(laptop.home, backup, symlinks=True)
    laptop.write(SESSION, said("after the backup"))
    laptop.push()
    shutil.rmtree(laptop.home)
    shutil.move(backup, laptop.home)
    laptop.write(SESSION, said("on the restored home"))
    return scene_of(world)


def typed(at: PlayedMachine, *words: str) -> Callable[[], int]:
    """A command as it is typed at a machine, in the child."""

    def work() -> int:
        os.environ["HOME"] = str(at.home)
        for name in [name for name in os.environ if name.startswith(("XDG_", "CLAUDE_"))]:
            del os.environ[name]
        os.chdir(at.project)
        return run(words)

    return work


# --- what must hold ----------------------------------------------------------------------------


def check(scene: Scene, before: Mapping[Path, bytes], ended: Ended, clean: Ended) -> None:
    """What must hold once the command has ended, however that was."""
    lost_choice = "preferences.json" in ended.failed and "no shared folder is chosen" in ended.words
    assert ended.status in (0, 1) or (ended.status == 2 and lost_choice), ended.words
    assert not ended.failed or "Traceback" not in ended.words, ended.words
    for unclear in ("a bug in", "the system reported"):
        assert unclear not in ended.words, ended.words
    if ended.status == 1 and clean.status == 0:
        assert ended.words.strip()
    for path, data in before.items():
        if path.suffix == ".ccsync":
            check_bundle(path, data)
        elif path.exists() or path.name == "preferences.json":
            assert holds(json.loads(path.read_bytes()), json.loads(data)), path
    lost = [word for word in scene.words if not scene.world.keeps(word)]
    assert not lost


def check_bundle(path: Path, before: bytes) -> None:
    """A bundle is as it was, or holds all that it held."""
    if path.read_bytes() == before:
        return
    whole = opened(path).transcript
    copy = path.with_name(".before")
    copy.write_bytes(before)
    older = opened(copy).transcript
    copy.unlink()
    assert whole.startswith(older), "a newer bundle was written over"


def holds(now: Any, before: Any) -> bool:
    """Whether a document has every member that it had."""
    if isinstance(before, dict):
        return isinstance(now, dict) and all(
            key in now and holds(now[key], value) for key, value in before.items()
        )
    return True


def of_the_machine(world: World) -> dict[Path, bytes]:
    """What is in the store, and the files in which a person or the machine itself is told of."""
    found = {path: path.read_bytes() for path in world.bundles()}
    for one in world.known:
        own = (one.paths.preferences_file, one.paths.projects_file, one.paths.machine_file)
        found |= {path: path.read_bytes() for path in own if path.exists()}
    return found


def check_seen(scene: Scene, command: str, ended: Ended) -> None:
    """What the command says to be done is done; what it didn't do, it names."""
    if ended.status != 0 or not ended.failed:
        return
    if ended.code == errno.ENOENT and ended.failed.endswith(".ccsync"):
        return  # a mirror may take a bundle away at any moment
    newer, grown = scene.desktop.read(SESSION), scene.laptop.read(OTHER)
    named = SESSION[:8] in ended.words or "deleted here" in ended.words
    if command == "pull":
        assert scene.laptop.has(SESSION), ended.words
        assert scene.laptop.read(SESSION) == newer or named, ended.words
    elif command == "push":
        done = opened(scene.laptop.bundle(OTHER)).transcript == grown
        assert done or OTHER[:8] in ended.words or "No session of" in ended.words, ended.words
    elif command == "status":
        assert SESSION[:8] in ended.words or "No sessions" in ended.words, ended.words


def check_agreement(scene: Scene) -> None:
    """Once the disk is well, what is left to do is done."""
    for _ in range(2):
        for one in scene.world.known:
            one.push()
        for one in scene.world.known:
            one.pull()
    assert agree(scene.laptop, scene.desktop, session=SESSION)
    assert agree(scene.laptop, scene.desktop, session=OTHER)
    assert scene.laptop.sidecar() == scene.desktop.sidecar()


# --- failing -----------------------------------------------------------------------------------

COMMANDS = ("push", "pull", "status", "doctor")
PLAYED = [(growing, command) for command in COMMANDS] + [(restored, "push"), (restored, "pull")]
NAMES = [f"{make.__name__}, {command}" for make, command in PLAYED]


@pytest.mark.parametrize(("make", "command"), PLAYED, ids=NAMES)
def test_a_call_that_fails_costs_a_sentence(
    make: Callable[[Path], Scene], command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_at_random(make, command, tmp_path, monkeypatch, examples(60))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize(("make", "command"), PLAYED, ids=NAMES)
def test_any_call_that_fails_in_any_way_costs_a_sentence(
    make: Callable[[Path], Scene], command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_at_random(make, command, tmp_path, monkeypatch, 1500)


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ENOSPC], ids=errno.errorcode.get)
@pytest.mark.parametrize("command", ["push", "pull", "status"])
def test_records_that_fail_cost_one_sentence(
    command: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    folder, saved, notes = tmp_path / "world", tmp_path / "saved", tmp_path / "notes"
    notes.mkdir()
    scene = growing(folder)
    shutil.copytree(folder, saved, symlinks=True)
    work, records = typed(scene.laptop, command), scene.laptop.paths.records_directory
    calls = run_with(Fault(NEVER, code, lasting=False), records, notes, work).calls
    failed = 0
    every = 5 if calls > 100 else 1  # a status works on a copy: it asks little of the file
    for step in range(calls % every, calls, every):
        shutil.rmtree(folder)
        shutil.copytree(saved, folder, symlinks=True)
        before = of_the_machine(scene.world)
        ended = run_with(Fault(step, code, lasting=step % 2 == 0), records, notes, work)
        assert "Traceback" not in ended.words
        sentences = [line for line in ended.words.splitlines() if "claude-sync: " in line]
        assert ended.status == len(sentences) <= 1, ended.words
        for sentence in sentences:
            assert "this machine's records can't be used (" in sentence
            failed += 1
        assert all(path.exists() for path in before)
        assert all(scene.world.keeps(word) for word in scene.words)
        check_agreement(scene)
    # A status writes nothing there, so a full disk is nothing to it.
    assert (failed > 3) is not (command == "status" and code == errno.ENOSPC)


def _fail_at_random(
    make: Callable[[Path], Scene],
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    folder, saved, notes = tmp_path / "world", tmp_path / "saved", tmp_path / "notes"
    notes.mkdir()
    scene = make(folder)
    shutil.copytree(folder, saved, symlinks=True)
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    work = typed(scene.laptop, command)
    clean = run_with(Fault(NEVER, errno.EIO, lasting=False), folder, notes, work)
    for _ in range(times):
        shutil.rmtree(folder)
        shutil.copytree(saved, folder, symlinks=True)
        before = of_the_machine(scene.world)
        fault = Fault(
            chance.randrange(clean.calls), chance.choice(ERRORS), lasting=chance.random() < 0.5
        )
        ended = run_with(fault, folder, notes, work)
        try:
            check(scene, before, ended, clean)
            if make is growing:
                check_seen(scene, command, ended)
                check_agreement(scene)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {fault}, {ended.failed}\n{error}") from error
