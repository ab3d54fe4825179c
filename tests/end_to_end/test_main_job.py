"""Push on one machine, pull on another, resume: through the installed command."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

from capabilities import require_posix
from end_to_end.machine import OTHER, SESSION, Machine, called, outcomes
from programs import require
from repositories import git, program

NAME = called("Fix the login bug 😀")

KEY = "git:github.com/you/app"


def test_a_session_goes_from_one_machine_to_the_other_and_back(
    laptop: Machine, desktop: Machine, shared_folder: Path, tmp_path: Path
) -> None:
    first = laptop.says("Fix the login bug 😀")
    long_ago = (time.time_ns() - 3 * 86_400 * 10**9) // 1000 * 1000 + 100  # what NTFS keeps
    os.utime(laptop.path(), ns=(long_ago, long_ago))

    assert laptop.does("push") == f"Pushed {NAME} → {shared_folder}\n"
    said, resume = desktop.does("pull").splitlines()
    assert said == f"Imported {NAME} from laptop"
    assert desktop.read() == first
    assert desktop.path().stat().st_mtime_ns == long_ago
    if os.name == "posix":
        assert stat.S_IMODE(desktop.path().stat().st_mode) == 0o600
        assert resumed(desktop, resume, tmp_path) == [
            os.path.realpath(desktop.project),
            f"--resume {SESSION}",
        ]

    longer = desktop.says("and the logout too")
    assert desktop.does("push") == f"Pushed {NAME} → {shared_folder}\n"
    assert laptop.does("pull").splitlines()[0] == f"Updated {NAME} from desktop"
    assert laptop.read() == longer


def test_what_can_not_travel_is_said(laptop: Machine, shared_folder: Path) -> None:
    require_posix("names that Windows refuses")
    laptop.says("hello")
    sidecar = laptop.path().with_suffix("")
    sidecar.mkdir()
    (sidecar / "nul.txt").write_bytes(b"long output")
    done = laptop.run("push")
    assert (done.status, done.out) == (0, f"Pushed {called('hello')} → {shared_folder}\n")
    assert done.err.startswith(f"{called('hello')}: 1 of its files stay")


def resumed(machine: Machine, line: str, tmp_path: Path) -> list[str]:
    """Where a client is and what it is told if a line is typed into a shell."""
    program(tmp_path, "claude", 'pwd; echo "$@"')
    path = f"{tmp_path}:{os.environ['PATH']}"
    typed = ["sh", "-c", line.strip()]
    done = subprocess.run(
        typed, cwd="/", env=machine.environment({"PATH": path}), capture_output=True, check=True
    )
    return done.stdout.decode().splitlines()


def test_what_has_nothing_to_do_says_so(
    laptop: Machine, desktop: Machine, shared_folder: Path
) -> None:
    assert (
        laptop.does("push") == "No session of you/app is on this machine; "
        "`claude-sync push --all` pushes every project's.\n"
    )
    assert (
        laptop.does("pull") == f"No session of you/app is in {shared_folder}; "
        "`claude-sync pull --all` pulls every project's.\n"
    )
    assert laptop.does("pull", "--all") == "Nothing to pull.\n"
    laptop.says("hello")
    laptop.does("push")
    assert laptop.does("push") == "Nothing to push: 1 up to date.\n"
    desktop.does("pull")
    assert desktop.does("pull") == "Nothing to pull: 1 up to date.\n"
    assert desktop.does("push") == "Nothing to push: 1 up to date.\n"


def tracked_but_gone(file: Path, repository: Path) -> None:
    """Have git know a file whose folder was deleted since."""
    file.parent.mkdir(parents=True)
    file.touch()
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Add a page")
    shutil.rmtree(file.parent)


def test_sidecars_and_sub_directories_come_along(
    laptop: Machine, desktop: Machine, tmp_path: Path
) -> None:
    inside = laptop.project / "src" / "web"
    inside.mkdir(parents=True)
    text = laptop.says("deep inside", directory=inside)
    output = laptop.path(directory=inside).with_suffix("") / "tool-results" / "toolu_1.txt"
    output.parent.mkdir(parents=True)
    output.write_bytes(b"\xff a long output \x00")
    laptop.does("push", cwd=inside)
    there = desktop.project / "src" / "web"
    tracked_but_gone(there / "page.html", desktop.project)
    said, remark, resume = desktop.does("pull").splitlines()
    assert said == f"Imported {called('deep inside')} from laptop"
    assert "directory isn't here" in remark
    assert not there.exists()  # a working tree is its owner's
    if os.name == "posix":
        assert resumed(desktop, resume, tmp_path) == [
            os.path.realpath(there),
            f"--resume {SESSION}",
        ]
    assert desktop.read(directory=there) == text
    came = desktop.path(directory=there).with_suffix("") / "tool-results" / "toolu_1.txt"
    assert came.read_bytes() == output.read_bytes()
    assert "src/web" in resume.replace(os.sep, "/")


def test_a_directory_is_one_project_and_all_are_all(
    laptop: Machine, desktop: Machine, tmp_path: Path
) -> None:
    other = Machine(tmp_path / "elsewhere", None)  # only for its repository
    aside = laptop.home / "aside"
    other.project.rename(aside)
    laptop.says("of the project")
    laptop.says("of the other", OTHER, aside)
    assert outcomes(laptop.document("push")) == {SESSION: "pushed"}
    assert outcomes(laptop.document("push", "--project", aside)) == {OTHER: "pushed"}
    laptop.says("more", OTHER, aside)
    assert outcomes(laptop.document("push", "--all")) == {SESSION: "unchanged", OTHER: "pushed"}
    assert outcomes(desktop.document("pull")) == {SESSION: "imported"}
    assert outcomes(desktop.document("pull", "--all")) == {SESSION: "unchanged", OTHER: "unplaced"}


def test_ignored_projects_are_pushed_only_by_name_or_place(laptop: Machine) -> None:
    laptop.says("of my employer")
    laptop.does("config", "set", "ignore", '["git:github.com/you/*"]')
    assert outcomes(laptop.document("push", "--all")) == {}
    assert laptop.document("status")["push"] == []
    assert "changed, ignored" in laptop.does("sessions")
    assert outcomes(laptop.document("push")) == {SESSION: "pushed"}


def test_a_session_is_named_by_the_beginning_of_its_id(laptop: Machine) -> None:
    laptop.says("one")
    laptop.says("two", SESSION[:-1] + "9")
    laptop.says("three", OTHER)
    assert outcomes(laptop.document("push", "91")) == {OTHER: "pushed"}
    assert laptop.fails("push", "3f2a") == "2 sessions begin with that id (3f2a): type more of it"
    assert laptop.fails("push", "zz") == (
        "no session has that id (zz): see `claude-sync sessions --all`"
    )
    assert outcomes(laptop.document("push", SESSION)) == {SESSION: "pushed"}


def test_a_dry_run_changes_nothing(laptop: Machine, desktop: Machine) -> None:
    laptop.says("hello")
    laptop.does("push")
    assert desktop.does("pull", "--dry-run") == f"Would import {called('hello')} from laptop\n"
    assert desktop.sessions() == []
    desktop.does("pull")


def test_without_a_shared_folder_the_private_one_is_used_and_said(new_laptop: Machine) -> None:
    new_laptop.says("hello")
    done = new_laptop.run("push")
    folder = os.path.join("~", "claude-sync")
    assert done.status == 0
    assert done.out == f"Pushed {called('hello')} → {folder}\n"
    assert done.err == (
        f"Using {folder} as the shared folder, which only this machine sees; "
        "choose another with `claude-sync init LOCATION`.\n"
    )
    assert new_laptop.does("push") == "Nothing to push: 1 up to date.\n"
    if os.name == "posix":
        assert stat.S_IMODE((new_laptop.home / "claude-sync").stat().st_mode) == 0o700


def test_looking_chooses_no_shared_folder(new_laptop: Machine) -> None:
    new_laptop.says("hello")
    before = sorted(new_laptop.claude.rglob("*"))
    assert "changed" in new_laptop.run("sessions").out
    assert new_laptop.document("status")["location"] is None
    assert sorted(new_laptop.claude.rglob("*")) == before
    assert not (new_laptop.home / "claude-sync").exists()
    assert not Path(new_laptop.does("config", "path").rstrip()).exists()


def test_a_bundle_can_be_read_without_claude_sync(laptop: Machine, shared_folder: Path) -> None:
    text = laptop.says('quotes " and \\ and 😀\u0085\x7f')
    laptop.does("push")
    (bundle,) = shared_folder.glob("*/*.ccsync")
    assert re.fullmatch(rf"{SESSION}-laptop\.ccsync", bundle.name)
    require("jq")
    done = subprocess.run(["jq", "-j", ".transcript", bundle], capture_output=True, check=True)
    assert done.stdout == text


def test_a_session_that_is_open_waits(laptop: Machine, desktop: Machine) -> None:
    laptop.says("hello")
    laptop.does("push")
    desktop.does("pull")
    laptop.says("more")
    laptop.does("push")
    live = desktop.open()
    before = desktop.read()
    assert desktop.does("pull") == (
        f"{called('hello')}: open here: close it first\nNothing to pull: 1 open here.\n"
    )
    assert desktop.fails("pull", SESSION) == f"{called('hello')}: open here: close it first"
    assert desktop.read() == before
    live.unlink()
    assert outcomes(desktop.document("pull")) == {SESSION: "updated"}


def test_what_is_broken_is_named_and_the_others_go_on(
    laptop: Machine, desktop: Machine, shared_folder: Path
) -> None:
    laptop.says("whole")
    laptop.says("spoilt", OTHER)
    laptop.does("push")
    (bundle,) = shared_folder.glob(f"*/{OTHER}-*.ccsync")
    whole = bundle.read_bytes()
    bundle.write_bytes(whole.replace(b"spoilt", b"Spoilt", 1))
    done = desktop.run("pull")
    assert done.status == 1
    assert f"Imported {called('whole')} from laptop\n" in done.out
    assert len(done.err.splitlines()) == 1
    assert called("spoilt", OTHER) in done.err
    bundle.write_bytes(whole[:-40])
    again = desktop.run("pull", "--json")
    assert again.status == 0  # it may still be arriving
    assert outcomes(again.document) == {SESSION: "unchanged", OTHER: "incomplete"}
    assert desktop.run("pull", OTHER).status == 1
    assert desktop.document("status")["incomplete"][0]["session_id"] == OTHER
    bundle.write_bytes(whole)
    assert outcomes(desktop.document("pull")) == {SESSION: "unchanged", OTHER: "imported"}


def test_files_that_are_no_bundles_are_said_where_they_lie(
    laptop: Machine, shared_folder: Path, tmp_path: Path
) -> None:
    laptop.says("hello")
    laptop.does("push")
    (bundle,) = shared_folder.glob("*/*.ccsync")
    newer = bundle.with_name(f"{OTHER}-desktop.ccsync")
    newer.write_bytes(bundle.read_bytes().replace(b'"schema":1', b'"schema":2', 1))
    elsewhere = shared_folder / "name+other" / newer.name
    elsewhere.parent.mkdir()
    newer.rename(elsewhere)
    assert laptop.run("pull").status == 0  # of another project
    done = laptop.run("pull", "--all")
    assert done.status == 1
    assert "a newer claude-sync made the bundle" in done.err
    elsewhere.rename(newer)
    assert laptop.run("pull").status == 1
