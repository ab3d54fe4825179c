"""This machine as a person has it, to be looked at by the doctor, who is then obeyed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from claude_sync.doctor import examine, open_read_only
from claude_sync.model import Finding, Level
from claude_sync.state.paths import paths
from claude_sync.wording import short_path
from claude_sync_app.cli import main
from machines import PlayedMachine, World


class Patient(PlayedMachine):
    """The machine whose home is the test's, its things where everybody's are.

    Args:
        world: where its sessions meet.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world, "laptop")
        self.home = Path(os.environ["HOME"])
        self.paths = paths()
        self.claude = self.home / ".claude"
        self.project = self.home / "code" / "app"

    def findings(self, *, deep: bool = False, now: float | None = None) -> list[Finding]:
        """What the doctor says, looking as the command does."""
        with open_read_only(self.paths) as context:
            return [_with_slashes(one) for one in examine(context, deep=deep, now=now)]

    def all(self, code: str, *, deep: bool = False, now: float | None = None) -> list[Finding]:
        """Every finding of a code."""
        return [one for one in self.findings(deep=deep, now=now) if one.code == code]

    def the(
        self, code: str, level: Level, *, deep: bool = False, now: float | None = None
    ) -> Finding:
        """The one finding of a code, which is of that level and says all that it has to."""
        (found,) = self.all(code, deep=deep, now=now)
        assert found.level is level
        assert found.title
        assert not found.title.endswith(".")
        assert level is Level.OK or re.fullmatch(r"[^\n]+[.!?]", found.detail), found.detail
        assert level is Level.OK or found.fix
        assert not found.fix.endswith("."), found.fix
        return found

    def is_well(self, code: str, *, deep: bool = False, now: float | None = None) -> bool:
        """Whether the doctor no longer says this."""
        return not self.all(code, deep=deep, now=now)

    def codes(self, *levels: Level) -> set[str]:
        """The codes of all findings of some levels."""
        return {one.code for one in self.findings() if one.level in levels}


def shown(path: Path) -> str:
    """A path as a finding has it here."""
    return short_path(path).replace(os.sep, "/")


def _with_slashes(finding: Finding) -> Finding:
    """With the paths of Windows as other systems have them, but in what is to be typed."""
    title, detail = (text.replace(os.sep, "/") for text in (finding.title, finding.detail))
    parts = finding.fix.split("`")
    parts[::2] = [part.replace(os.sep, "/") for part in parts[::2]]
    return finding._replace(title=title, detail=detail, fix="`".join(parts))


def commands_of(finding: Finding) -> list[str]:
    """What a finding's fix tells a person to type."""
    return re.findall(r"`([^`]+)`", finding.fix)


def follow(
    finding: Finding,
    which: int = 0,
    *,
    fill: Sequence[tuple[str, object]] = (),
    more: str = "",
) -> None:
    """Type what a finding's fix says.

    Args:
        finding: what was found.
        which: the number of the command in its fix.
        fill: what a person puts in the place of words in capitals.
        more: what a person who can't be asked adds.
    """
    command = commands_of(finding)[which]
    for word, meant in fill:
        assert word in command, command
        command = command.replace(word, shlex.quote(str(meant)))
    if command.startswith("claude-sync "):
        # A shell of Windows leaves a backslash as it is.
        words = shlex.split(f"{command} {more}".replace(os.sep, "/"))
        assert main(words[1:]) == 0, command
    else:
        subprocess.run(command, shell=True, check=True, timeout=60)


def snapshot(*folders: Path) -> dict[str, tuple[object, ...]]:
    """Everything below folders: names, kinds, sizes, times, modes and bytes."""
    found: dict[str, tuple[object, ...]] = {}
    for folder in folders:
        for path in [folder, *folder.rglob("*")]:
            status = path.lstat()
            data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path)] = (
                status.st_mode,
                status.st_ino,
                status.st_size if data else 0,
                status.st_mtime_ns,
                status.st_ctime_ns,
                data,
            )
    return found
