"""Two versions of claude-sync: the older one says a sentence, and leaves what is newer as it is."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from end_to_end.machine import SESSION, Machine


def files_in(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder, but for logs and what only says that somebody looked."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not re.search(r"\.(log|lock|inlet)$|activity\.sqlite", path.name)
    }


def newer(path: Path, number: int = 99) -> None:
    """Have a file say that a newer version wrote it."""
    data = path.read_bytes()
    found = re.sub(rb'"schema": ?\d+', f'"schema":{number}'.encode(), data, count=1)
    assert found != data
    path.write_bytes(found)


def test_what_a_newer_version_pushed_is_named_and_left(
    laptop: Machine, desktop: Machine, shared_folder: Path
) -> None:
    text = laptop.says("hello")
    laptop.does("push")
    desktop.does("pull")
    laptop.says("more")
    laptop.does("push")
    (bundle,) = shared_folder.rglob("*.ccsync")
    newer(bundle)
    before = files_in(shared_folder)
    done = desktop.run("pull", SESSION)
    assert done.status == 1
    assert "newer claude-sync" in done.err
    assert len(done.err.splitlines()) == 1
    assert desktop.read() == text
    assert "newer claude-sync" in desktop.run("doctor").out
    # Its own bundle, after a downgrade, isn't written over either.
    laptop.says("of the older version")
    done = laptop.run("push")
    assert done.status == 1
    assert "newer claude-sync" in done.err
    assert files_in(shared_folder) == before


@pytest.mark.parametrize("options", [(), ("--encrypt", "--new")], ids=["plain", "encrypted"])
def test_a_shared_folder_of_another_version_is_named_and_left(
    new_laptop: Machine, shared_folder: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    key = tmp_path / "key"
    key.write_text("correct horse battery")
    given = (*options, "--key-file", str(key)) if options else ()
    new_laptop.does("init", shared_folder, "--name", "laptop", *given)
    new_laptop.says("hello")
    new_laptop.does("push")
    new_laptop.says("more")
    newer(shared_folder / ".ccsync-store")
    before = files_in(shared_folder)
    commands = [["push"], ["pull"], ["push", "--all"], ["init", str(shared_folder), *given]]
    if options:
        commands.append(["key", "change", "--key-file", str(key)])
    for command in commands:
        said = new_laptop.fails(*command)
        assert "a newer claude-sync made the shared folder's marker" in said, command
    for looking in ("status", "doctor"):
        done = new_laptop.run(looking)
        assert "newer claude-sync made the shared folder" in done.out + done.err
    assert files_in(shared_folder) == before


def test_the_key_file_of_another_version_is_named_and_left(
    new_laptop: Machine, shared_folder: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("correct horse battery")
    new_laptop.does("init", shared_folder, "--encrypt", "--new", "--key-file", key)
    new_laptop.says("hello")
    (kept,) = (new_laptop.state / "keys").iterdir()
    newer(kept)
    before = kept.read_bytes()
    given = ["--key-file", str(key)]
    again = ["init", str(shared_folder), "--encrypt", *given]
    for command in (["push"], ["pull", "--all"], ["key", "change", *given], again):
        said = new_laptop.fails(*command)
        assert "the shared folder's key on this machine is a newer claude-sync's" in said, command
    assert kept.read_bytes() == before


def _in_records(machine: Machine) -> Path:
    path = next((machine.state / "records").glob("*.sqlite"))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
        database.commit()
    return path


def _in_preferences(machine: Machine) -> Path:
    path = next(machine.home.rglob("preferences.json"))
    newer(path)
    return path


def _in_decisions(machine: Machine) -> Path:
    path = next(machine.home.rglob("preferences.json")).with_name("decisions.json")
    path.write_text(json.dumps({"schema": 99, "sessions": {}}))
    return path


@pytest.mark.parametrize("change", [_in_records, _in_preferences, _in_decisions])
def test_after_a_downgrade_nothing_of_the_newer_version_is_lost(
    laptop: Machine, change: Callable[[Machine], Path]
) -> None:
    laptop.says("hello")
    laptop.does("push")
    changed = change(laptop)
    before = changed.read_bytes()
    laptop.says("more")
    assert len(laptop.run("push").err.splitlines()) <= 1
    said = laptop.run("doctor").out
    assert "newer" in said or "schema is not one that this version knows" in said
    if change is _in_preferences:
        assert "newer claude-sync" in laptop.fails("config", "set", "recent_limit", "3")
    assert changed.read_bytes() == before
