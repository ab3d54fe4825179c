"""What people do now and then: files by hand, directories, names, preferences."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from end_to_end.machine import SESSION, Machine, called, outcomes
from repositories import repository

KEY = "git:github.com/you/app"


# --- one portable file -------------------------------------------------------------------------


def test_a_session_travels_in_a_file_without_any_set_up(
    new_laptop: Machine, new_desktop: Machine, tmp_path: Path
) -> None:
    text = new_laptop.says("hello")
    stick = tmp_path / "stick"
    stick.mkdir()
    said = new_laptop.does("pack", "3f2a", "-o", stick)
    (file,) = stick.iterdir()
    assert said.startswith(f"Packed into {file} (")
    assert file.name.startswith(SESSION)
    assert file.suffix == ".ccsync"
    taken = new_desktop.does("unpack", file)
    assert taken.startswith(f"Imported {called('hello')} from ")
    assert f"claude --resume {SESSION}" in taken
    assert new_desktop.read() == text
    assert not (new_desktop.home / "claude-sync").exists()
    assert not (new_laptop.home / "claude-sync").exists()


def test_unpacking_goes_by_the_rules_of_a_pull(
    new_laptop: Machine, new_desktop: Machine, tmp_path: Path
) -> None:
    shared = new_laptop.says("hello")
    old, new = tmp_path / "old.ccsync", tmp_path / "new.ccsync"
    new_laptop.does("pack", SESSION, "-o", old)
    longer = new_laptop.says("more")
    assert new_laptop.document("pack", SESSION, "-o", new)["file"] == str(new)
    assert outcomes(new_desktop.document("unpack", old)) == {SESSION: "imported"}
    assert new_desktop.read() == shared
    assert outcomes(new_desktop.document("unpack", new)) == {SESSION: "updated"}
    assert new_desktop.read() == longer
    assert outcomes(new_desktop.document("unpack", old)) == {SESSION: "ahead"}
    mine = new_desktop.says("of this machine")
    new_laptop.says("of that machine")
    new_laptop.does("pack", SESSION, "-o", new)
    assert new_desktop.run("unpack", new).status == 1
    assert new_desktop.read() == mine


def test_a_session_without_a_directory_goes_where_it_is_told(
    new_laptop: Machine, new_desktop: Machine, tmp_path: Path
) -> None:
    text = new_laptop.says("hello")
    file = tmp_path / "it.ccsync"
    new_laptop.does("pack", SESSION, "-o", file)
    shutil.rmtree(new_desktop.project)
    elsewhere = new_desktop.home / "somewhere else"
    elsewhere.mkdir()
    home = new_desktop.home
    assert "no directory of git:github.com/you/app is known" in new_desktop.fails(
        "unpack", file, cwd=home
    )
    new_desktop.does("unpack", file, "--into", elsewhere, cwd=home)
    assert new_desktop.read(directory=elsewhere) == text
    assert new_desktop.misuses("unpack", file, "--into", "nowhere", cwd=home).startswith(
        "there is no such directory (nowhere)"
    )


def test_files_that_cannot_be_unpacked_are_said(laptop: Machine, tmp_path: Path) -> None:
    assert laptop.fails("unpack", tmp_path / "no.ccsync").startswith("the file can't be read (")
    (tmp_path / "notes.txt").write_text("x")
    assert "isn't named like a bundle" in laptop.fails("unpack", tmp_path / "notes.txt")
    laptop.says("hello")
    whole = tmp_path / "whole.ccsync"
    laptop.does("pack", SESSION, "-o", whole)
    data = whole.read_bytes()
    for name, spoilt in {"cut": data[:-20], "empty": b"", "text": b"no bundle at all"}.items():
        file = tmp_path / f"{name}.ccsync"
        file.write_bytes(spoilt)
        assert laptop.fails("unpack", file)
    (tmp_path / "newer.ccsync").write_bytes(data.replace(b'"schema":1', b'"schema":2', 1))
    assert "newer claude-sync" in laptop.fails("unpack", tmp_path / "newer.ccsync")
    assert laptop.sessions() == [SESSION]
    missing = tmp_path / "missing" / "it.ccsync"
    assert laptop.fails("pack", SESSION, "-o", missing).endswith("choose another with -o")


# --- directories -------------------------------------------------------------------------------


def test_what_has_no_directory_waits_for_one(laptop: Machine, desktop: Machine) -> None:
    text = laptop.says("hello")
    laptop.does("push")
    clone = desktop.home / "clone"
    desktop.project.rename(clone)
    home = desktop.home
    said = desktop.does("pull", "--all", cwd=home)
    assert "Skipped 1 session: no directory of git:github.com/you/app is known" in said
    assert desktop.sessions() == []
    assert desktop.run("pull", SESSION, cwd=home).status == 1
    assert desktop.does("projects", "add", clone, cwd=home) == (
        f"{os.path.join('~', 'clone')} is {KEY}.\n"
    )
    assert outcomes(json.loads(desktop.does("pull", "--all", "--json", cwd=home))) == {
        SESSION: "imported"
    }
    assert desktop.read(directory=clone) == text


def test_a_directory_can_be_given_a_key(laptop: Machine, desktop: Machine, tmp_path: Path) -> None:
    plain = desktop.home / "plain"
    plain.mkdir()
    desktop.does("projects", "add", plain, "--key", "ssh://git@github.com/you/app.git")
    (one,) = [
        project
        for project in desktop.document("projects")["projects"]
        if project["directory"] == os.path.realpath(plain)
    ]
    assert (one["project_key"], one["added"], one["pinned"]) == (KEY, True, True)
    assert desktop.does("projects", "remove", plain).startswith("Sessions no longer go there")
    again = desktop.run("projects", "remove", plain)
    assert (again.status, again.out) == (1, "")
    assert "isn't known" in again.err
    assert (
        desktop.misuses("projects", "add")
        == "no directory was given: type `claude-sync projects add DIR`"
    )
    assert desktop.misuses("projects", "add", tmp_path / "nowhere").startswith(
        "there is no such directory"
    )


def test_secrets_of_a_remote_are_nowhere(desktop: Machine, shared_folder: Path) -> None:
    desktop.says("hello")
    said = desktop.does("push") + desktop.does("projects") + desktop.does("status", "--json")
    kept = [path for path in desktop.home.rglob("*") if path.is_file() and ".git" not in path.parts]
    kept += [path for path in shared_folder.rglob("*") if path.is_file()]
    assert len(kept) > 5
    assert "hunter2" not in said
    assert [path for path in kept if b"hunter2" in path.read_bytes()] == []


# --- setting up --------------------------------------------------------------------------------


def test_a_name_is_one_machines_unless_it_is_taken_over(
    laptop: Machine, new_desktop: Machine, shared_folder: Path
) -> None:
    text = laptop.says("hello")
    laptop.does("push")
    assert new_desktop.misuses("init", shared_folder, "--name", "Laptop") == (
        "another machine has that name (Laptop): choose another with --name, "
        "or use --take-over if this is that machine reinstalled"
    )
    done = new_desktop.document("init", shared_folder, "--name", "laptop", "--take-over")
    assert (done["machine"], done["machines"], done["location"]) == (
        "laptop",
        ["laptop"],
        str(shared_folder),
    )
    assert outcomes(new_desktop.document("pull")) == {SESSION: "imported"}
    longer = new_desktop.says("on the new one")
    new_desktop.does("push")
    assert len(list(shared_folder.glob("*/*.ccsync"))) == 2
    assert text != longer
    assert outcomes(laptop.document("pull")) == {SESSION: "updated"}
    assert laptop.read() == longer


def test_init_says_what_is_wrong_with_a_location(new_laptop: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert new_laptop.fails("init", tmp_path / "file") == (
        f"a file is where the shared folder should be ({tmp_path / 'file'}): choose another folder"
    )
    for wrong in ("ssh://", "-x:folder", ""):
        assert new_laptop.misuses("init", "--", wrong)
    for name in ("two words", "nul", "mine", "../up", "a" * 65):
        assert "name" in new_laptop.misuses("init", tmp_path / "shared_folder", "--name", name)
    assert not (tmp_path / "shared_folder").exists()


def test_init_says_who_can_write_there_and_what_that_means(
    new_laptop: Machine, tmp_path: Path
) -> None:
    words = "put words into a session that you resume"
    said = new_laptop.does("init", tmp_path / "own")
    assert "Of this machine's users only you can write there." in said
    assert words in said
    # Nobody was there to be asked.
    [line] = [line for line in said.splitlines() if "NOT ENCRYPTED" in line]
    assert "--encrypt" in line
    assert "NOT ENCRYPTED" not in new_laptop.does("init", tmp_path / "own")
    if os.name == "posix":
        (tmp_path / "all").mkdir()
        (tmp_path / "all").chmod(0o777)
        for parent in (tmp_path, *tmp_path.parents):
            if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 1:
                parent.chmod(parent.stat().st_mode | 0o011)
        said = new_laptop.does("init", tmp_path / "all")
        assert "Other users of this machine can write there" in said
        assert words in said


def test_a_synced_folder_that_is_typed_means_where_a_click_would_have_led(
    new_laptop: Machine, new_desktop: Machine, tmp_path: Path
) -> None:
    synced = tmp_path / "synced"
    (synced / "Photos").mkdir(parents=True)
    for machine in (new_laptop, new_desktop):
        told = machine.home / ("AppData/Local/Dropbox" if os.name == "nt" else ".dropbox")
        told.mkdir(parents=True)
        (told / "info.json").write_text(json.dumps({"personal": {"path": str(synced)}}))
    said = new_laptop.does("init", synced)
    assert said.startswith(f"Sessions are shared through {synced / 'claude-sync'}.")
    assert "sessions are in a subfolder, claude-sync, the same from every machine." in said
    (synced / "claude-sync").rename(synced / "Photos" / "sessions")
    done = new_desktop.document("init", synced)
    assert done["location"] == str(synced / "Photos" / "sessions"), "it is found, wherever it is"


def test_init_again_says_what_is_there(laptop: Machine, shared_folder: Path) -> None:
    assert laptop.does("init", shared_folder).startswith(
        f"Sessions are shared through {shared_folder}. This machine is called laptop there.\n"
    )


def test_a_shared_folder_that_is_left_keeps_what_is_there(
    laptop: Machine, shared_folder: Path
) -> None:
    laptop.says("hello")
    laptop.does("push")
    said = laptop.does("init", laptop.home / "another")
    assert said.splitlines()[1] == f"What this machine pushed to {shared_folder} stays there."
    assert outcomes(laptop.document("push")) == {SESSION: "pushed"}
    assert len(list(shared_folder.glob("*/*.ccsync"))) == 1


def test_a_folder_of_that_name_which_is_something_else_is_not_used(new_laptop: Machine) -> None:
    new_laptop.says("hello")
    clone = repository(new_laptop.home / "claude-sync")
    for command in ("push", "pull"):
        assert new_laptop.misuses(command) == (
            "no shared folder is chosen yet, and the default folder is something else "
            f"({clone}): choose one with `claude-sync init LOCATION`"
        )
    assert [path.name for path in clone.iterdir()] == [".git"]


def test_a_location_that_was_only_written_down_is_to_be_set_up(
    new_laptop: Machine, tmp_path: Path
) -> None:
    file = Path(new_laptop.document("config", "path")["path"])
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"schema": 1, "location": str(tmp_path / "shared_folder")}))
    assert new_laptop.misuses("push") == (
        "the shared folder in preferences.json was never set up "
        f"({file}): run `claude-sync init` with it"
    )
    assert not (tmp_path / "shared_folder").exists()


def test_a_relative_location_is_the_same_from_anywhere(new_laptop: Machine) -> None:
    new_laptop.does("init", "below", cwd=new_laptop.home)
    new_laptop.says("hello")
    new_laptop.does("push")
    assert len(list((new_laptop.home / "below").glob("*/*.ccsync"))) == 1


def test_claudes_folder_is_remembered_where_the_shell_names_it(
    new_laptop: Machine, shared_folder: Path
) -> None:
    other = new_laptop.home / "other claude"
    new_laptop.claude.rename(other)
    new_laptop.does("init", shared_folder, environment={"CLAUDE_CONFIG_DIR": str(other)})
    new_laptop.claude = other
    new_laptop.says("hello")
    assert outcomes(new_laptop.document("push")) == {SESSION: "pushed"}


def test_where_the_shell_names_it_relative_it_is_the_same_from_anywhere(
    new_laptop: Machine, shared_folder: Path
) -> None:
    other = new_laptop.home / "other claude"
    new_laptop.claude.rename(other)
    relative = {"CLAUDE_CONFIG_DIR": other.name}
    new_laptop.does("init", shared_folder, environment=relative, cwd=new_laptop.home)
    assert new_laptop.does("config", "get", "claude_config_dir") == f"{other}\n"
    new_laptop.claude = other
    new_laptop.says("hello")
    assert outcomes(new_laptop.document("push")) == {SESSION: "pushed"}


# --- preferences -------------------------------------------------------------------------------


def test_preferences_are_read_and_set(laptop: Machine) -> None:
    assert laptop.does("config", "get", "on_arrival") == "ask\n"
    assert laptop.does("config", "set", "on_arrival", "pull") == "on_arrival is pull.\n"
    assert laptop.document("config", "get", "on_arrival") == {"on_arrival": "pull"}
    assert laptop.does("config", "set", "on_arrival", "null") == "on_arrival is ask.\n"
    assert laptop.does("config", "set", "notifications.pushed", "off") == (
        "notifications.pushed is false.\n"
    )
    assert laptop.document("config")["notifications"]["pushed"] is False
    assert laptop.does("config", "set", "notifications.pushed", "null").endswith("is true.\n")
    file = Path(laptop.does("config", "path").rstrip("\n"))
    assert json.loads(file.read_text())["schema"] == 1
    assert "on_arrival " in laptop.does("config")


def test_wrong_preferences_are_refused_and_left_out(laptop: Machine) -> None:
    file = Path(laptop.document("config", "path")["path"])
    before = file.read_bytes()
    wrong = {
        "on_arrival": "perhaps",
        "pull_interval_seconds": "-5",
        "notifications.pushed": "perhaps",
        "notifications.nothing": "on",
        "nothing": "1",
        "location": "/somewhere",
        "ignore": "[1]",
    }
    for key, value in wrong.items():
        assert laptop.misuses("config", "set", key, value), key
    assert laptop.misuses("config", "get", "nothing").startswith("there is no preference 'nothing'")
    assert laptop.misuses("config", "set", "on_arrival") == "config set takes a key and a value"
    assert file.read_bytes() == before
    file.write_bytes(before.replace(b'"schema"', b'"on_arrival": 7, "schema"'))
    done = laptop.run("config", "get", "on_arrival")
    assert (done.status, done.out) == (0, "ask\n")
    assert "on_arrival must be" in done.err
    file.write_text("{")
    assert laptop.fails("config", "set", "on_arrival", "pull").endswith("correct or remove it")


def test_a_shared_folder_that_went_away_is_offline_and_nothing_is_made_there(
    laptop: Machine, shared_folder: Path
) -> None:
    laptop.says("hello")
    away = shared_folder.with_name("away")
    shared_folder.rename(away)
    for command in ("push", "pull", "sessions", "status"):
        assert laptop.fails(command).startswith("the shared folder isn't there"), command
    shared_folder.mkdir()  # a mount point with nothing mounted
    assert "without its marker" in laptop.fails("push")
    assert list(shared_folder.iterdir()) == []
    repository(shared_folder / "x")
    shared_folder.rename(shared_folder.with_name("empty"))
    away.rename(shared_folder)
    assert outcomes(laptop.document("push")) == {SESSION: "pushed"}
