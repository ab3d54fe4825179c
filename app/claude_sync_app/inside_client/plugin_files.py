"""The copy of the plugin that the client reads, in a place that an upgrade of ours leaves alone.

Beside what is packaged, the copy holds the one thing that differs by machine: where Python and our
program are (`PROGRAM`). Windows has no ``sh`` to look whether they still are; there the hooks name
them themselves, in words that its shells read alike.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from claude_sync.disk.files import make_private, replace
from claude_sync.disk.snapshot import read_small
from claude_sync.errors import ClaudeSyncError
from claude_sync.values import NamedTuple

MARKETPLACE = "claude-sync"
PLUGIN = "session-sync"
"""Not ours: the client refuses names that begin as its maker's do."""
PLUGIN_ID = f"{PLUGIN}@{MARKETPLACE}"

_PROGRAM_FILE = f"{PLUGIN}/hooks/program"
_HOOKS_FILE = f"{PLUGIN}/hooks/hooks.json"
_LIMIT = 1 << 20
_FOR_SH = re.compile(r'sh "\$\{CLAUDE_PLUGIN_ROOT\}/hooks/run" ([a-z]+)')
_PLAIN = re.compile(r"[A-Za-z0-9_.:/~+-]+")


class Program(NamedTuple):
    """What the hooks start.

    Attributes:
        python: an interpreter.
        script: the program that it runs.
        packages: directories that it imports us from, with the system's separator between two.
    """

    python: str
    script: str
    packages: str

    @property
    def is_there(self) -> bool:
        """Whether it can be started."""
        return os.access(self.python, os.X_OK) and os.path.isfile(self.script)


def plugin_folder() -> Path:
    """Where the copy is, whether or not there is one: with the user's data."""
    from platformdirs import PlatformDirs

    return PlatformDirs("claude-sync", appauthor=False).user_data_path / "plugin"


def packaged_folder() -> Path:
    """What the copy is made from: packaged with this program, or in the source tree."""
    import claude_sync_app

    package = Path(claude_sync_app.__file__).parent
    packaged = package / "assets"
    return (packaged if packaged.is_dir() else package.parents[1] / "assets") / "plugin"


def this_program() -> Program:
    """The program as it is installed here."""
    import claude_sync
    import claude_sync_app
    from claude_sync_app.inside_client import hook

    files = (str(claude_sync.__file__), str(claude_sync_app.__file__))
    roots = dict.fromkeys(os.path.dirname(os.path.dirname(os.path.abspath(f))) for f in files)
    return Program(sys.executable, os.path.abspath(hook.__file__), os.pathsep.join(roots))


def write_copy(folder: Path, program: Program, system: str = sys.platform) -> None:
    """Make the copy, or bring it up to date.

    Args:
        folder: `plugin_folder`'s.
        program: what its hooks are to start.
        system: whose shells run them, as `sys.platform` has it.

    Raises:
        ClaudeSyncError: Windows' shells can't be told where the program is.
        OSError: it can't be written.
    """
    for name, data in _contents(program, system).items():
        path = folder / name
        if _read(path) != data:
            make_private(path.parent)
            replace(path, data)


def is_up_to_date(
    folder: Path, program: Program, part: str = "", system: str = sys.platform
) -> bool:
    """Whether a copy is what `write_copy` would make of it.

    Args:
        folder: the copy.
        program: what its hooks are to start.
        part: the folder in ours that this is a copy of; "" for all of it.
        system: whose shells run them.

    Raises:
        ClaudeSyncError: there can be none here.
    """
    before = f"{part}/" if part else ""
    return all(
        _read(folder / name.removeprefix(before)) == data
        for name, data in _contents(program, system).items()
        if name.startswith(before)
    )


def program_of(folder: Path) -> Program | None:
    """What the hooks of a copy start, None where that can't be read.

    Args:
        folder: the marketplace's.
    """
    data = _read(folder / _PROGRAM_FILE)
    lines = data.decode("utf-8", "surrogateescape").splitlines() if data is not None else []
    return Program(*lines) if len(lines) == len(Program._fields) else None


def _contents(program: Program, system: str) -> Mapping[str, bytes]:
    contents = dict(_packaged())
    if system == "win32":
        contents[_HOOKS_FILE] = _for_windows(contents[_HOOKS_FILE], program)
    lines = "".join(f"{line}\n" for line in program)
    return {**contents, _PROGRAM_FILE: os.fsencode(lines)}


def _packaged() -> Iterator[tuple[str, bytes]]:
    folder = packaged_folder()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _for_windows(hooks: bytes, program: Program) -> bytes:
    """The hooks as Git's bash and PowerShell both read them: plain words, and an end with 0.

    A program that isn't there makes neither of them stop before that end.
    """
    words = [program.python, "-X", "utf8", "-I", "-S", program.script]
    words = [word.replace("\\", "/") for word in words]
    packages = program.packages.replace("\\", "/")
    if not all(_PLAIN.fullmatch(word) for word in (*words, *packages.split(";"))):
        raise ClaudeSyncError(
            "Claude Code can't be told where claude-sync is, for there are blanks or signs in its "
            "path",
            where=program.python,
            todo="install it in a folder whose path is of plain letters and digits",
        )
    document = json.loads(hooks)
    for groups in document["hooks"].values():
        for entry in (entry for group in groups for entry in group["hooks"]):
            event = _FOR_SH.fullmatch(entry["command"])
            assert event is not None
            entry["command"] = " ".join([*words, event[1], f"'{packages}'"]) + "; exit 0"
    return json.dumps(document, indent=2).encode() + b"\n"


def _read(path: Path) -> bytes | None:
    try:
        return read_small(path, _LIMIT)
    except OSError:
        return None
