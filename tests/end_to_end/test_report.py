"""The text for a bug report: what it says, and that nothing which somebody named is in it."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
from pathlib import Path

from claude_sync import __version__
from claude_sync.disk.log import Log
from end_to_end.machine import OTHER, SESSION, Machine

SECRET = "Xyzzy"
"""Part of everything that is named here."""
ENVIRONMENT = {
    "XDG_CURRENT_DESKTOP": f"XFCE:{SECRET}",
    "XDG_SESSION_TYPE": SECRET,
    "SSH_AUTH_SOCK": f"/tmp/{SECRET}",
    "HTTPS_PROXY": f"http://{SECRET}:{SECRET}@{SECRET}.example:8080",
    "LC_CTYPE": "C.UTF-8",
}


def secret_machine(folder: Path, project: str, name: str) -> Machine:
    remote = f"https://{SECRET}:{SECRET}@{SECRET}.example/{SECRET}/{project}"
    machine = Machine(folder / f"{SECRET}{name}", remote, f"{SECRET} code/{project}")
    machine.does("init", folder / f"{SECRET} shared", "--name", f"{SECRET}{name}")
    return machine


def test_nothing_that_somebody_named_is_in_a_report(tmp_path: Path) -> None:
    here, there = (secret_machine(tmp_path, f"{SECRET}app", name) for name in ("1", "2"))
    here.says(f"{SECRET} asks\x1b[31m")
    here.does("push")
    there.does("pull")
    for machine in (here, there):
        machine.says(f"{SECRET} {machine.name}")
    there.does("push")
    here.run("pull")
    unplaced = here.home / f"{SECRET} gone"
    here.says(SECRET, OTHER, unplaced)
    plan(here)
    bundle = next((tmp_path / f"{SECRET} shared").rglob("*.ccsync"))
    bundle.with_name(f"{SECRET}.ccsync").write_text(SECRET)
    here.does("config", "set", "ignore", json.dumps([f"git:{SECRET}/*"]))
    here.does("config", "set", "terminal", f'["{SECRET}"]')
    here.does("config", "set", "notifications.pushed", "off")
    here.does("config", "set", "quiet_seconds", "7")
    log_bugs(here)

    text = here.does("report", "-o", "-", environment=ENVIRONMENT)
    lines = [line.strip() for line in text.splitlines()]
    assert f"claude-sync {__version__}" in text
    assert "shared folder: a folder, not encrypted" in lines
    preferences = "quiet_seconds=7, notifications.pushed=off, terminal, ignore"
    assert f"changed preferences: {preferences}" in lines
    assert "sessions: 2 (1 changed, 1 conflict)" in lines
    assert "bundles: 2 of 2 machines, 1 skipped" in lines
    assert any(line.endswith(": conflict") for line in lines)
    assert "desktop: xfce, another" in lines
    assert "2026-01-02T03:04:05Z push stopped on TypeError at state.py:12 < cli.py:7" in lines
    check_secrets(text, here)

    shutil.rmtree(tmp_path / f"{SECRET} shared")
    assert here.run("push").status == 1
    text = here.does("report", "-o", "-", environment=ENVIRONMENT)
    assert "push: StoreAbsent" in text
    assert "error: store-missing" in text
    check_secrets(text, here)


def plan(machine: Machine) -> None:
    """What is named in other places of Claude's folder."""
    (machine.claude / "plans").mkdir()
    (machine.claude / "plans" / f"{SECRET}.md").write_text(SECRET)
    (machine.claude / "projects" / f"-{SECRET}").mkdir()
    (machine.claude / "settings.json").write_text(json.dumps({"env": {"KEY": SECRET}}))


def log_bugs(machine: Machine) -> None:
    """A bug as it is logged, and lines that only look like one."""
    log = machine.state / "claude-sync.log"
    assert Log(log).write([f"pull failed: {SECRET}"])
    with log.open("a") as file:
        for line in (
            "push stopped on TypeError at state.py:12 < cli.py:7",
            f"push stopped on {SECRET}Error at {SECRET}.py:12",
            f"push stopped on TypeError at {SECRET.lower()}/{SECRET}.py:12",
        ):
            file.write(f"2026-01-02T03:04:05Z {line}\n")


def check_secrets(text: str, machine: Machine) -> None:
    said = text.lower()
    assert SECRET.lower() not in said
    for name in (socket.gethostname(), SESSION, OTHER, SESSION[:8], str(machine.home), "/tmp"):
        assert name.lower() not in said.partition("\n")[2] or len(name) < 6, name
    assert getpass.getuser() == "root" or getpass.getuser() not in text
    assert all(character.isprintable() or character == "\n" for character in text)


def test_a_report_is_a_file_that_only_its_user_reads(new_laptop: Machine) -> None:
    before = set(new_laptop.home.rglob("*"))
    said = new_laptop.does("report").splitlines()[0]
    path = new_laptop.project / "claude-sync-report.txt"
    assert said == f"Written to ~/{path.relative_to(new_laptop.home)}."
    assert path.stat().st_mode & 0o077 == 0
    assert path.read_text().startswith("claude-sync report, ")
    assert "warning: not-set-up" in path.read_text()
    assert set(new_laptop.home.rglob("*")) - before == {path}
    new_laptop.does("report", "-o", new_laptop.home / "mine.txt")
    assert (new_laptop.home / "mine.txt").is_file()
    assert "name another file with -o" in new_laptop.fails("report", "-o", "/no/such/folder/x")
