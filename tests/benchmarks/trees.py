"""Machines for benchmarks: a home with projects and sessions, driven by the installed command."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.processes import PROGRAM, Run, run
from claude_sync.claude.home import encode_directory
from claude_sync.transports.base import MARKER_NAME
from repositories import bare_bones

_DAY_SECONDS = 86_400
_PLAIN = "the of def return import class self path error file session tool result content user data"
_WORDS = [
    *_PLAIN.split(),
    '"quoted"',
    "a\\b",
    "line\n",
    "\t",
    "中文",
    "é",
    "{}",
    "::",
    "/home/me/code",
]
_LINE_BYTES = 1500
_STOCK_LINES = 400


def session_ids(count: int) -> list[str]:
    """Ids such as the client makes, the same at each run."""
    chance = random.Random(1)
    return [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(count)]


class Lines:
    """What a client writes: lines of JSON with text in them, some of it not ASCII.

    Args:
        seed: other ones for another number.
    """

    def __init__(self, seed: int = 1) -> None:
        chance = random.Random(seed)
        self._chance = chance
        self._texts = [
            " ".join(chance.choices(_WORDS, k=_LINE_BYTES // 6)) for _ in range(_STOCK_LINES)
        ]

    def line(self, cwd: Path) -> bytes:
        """One line; no two are alike."""
        chance = self._chance
        event = {
            "type": chance.choice(("user", "assistant")),
            "uuid": f"{chance.getrandbits(128):032x}",
            "cwd": str(cwd),
            "message": {"content": chance.choice(self._texts)},
        }
        return json.dumps(event, ensure_ascii=False).encode() + b"\n"

    def blocks(self, cwd: Path, size: int) -> Iterator[bytes]:
        """About `size` bytes of whole lines."""
        while size > 0:
            block = b"".join(self.line(cwd) for _ in range(min(700, 1 + size // _LINE_BYTES)))
            size -= len(block)
            yield block


class BenchMachine:
    """One machine with its own home, below a folder; several share that folder's `store`.

    Args:
        folder: where it lives; other machines and the store live beside it.
        name: what it is called.
        projects: how many repositories it has.
        sources: the tree whose claude-sync it runs, None for the installed command.
        passphrase: of its store, which is encrypted; "" for a plain one.
        location: the store's; "" for the folder `store`.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        projects: int = 1,
        sources: Path | None = None,
        passphrase: str = "",
        location: str = "",
    ) -> None:
        self.passphrase = passphrase
        self.location = location or str(folder / "store")
        self.ssh_command: Sequence[str] = ()
        self.name = name
        self.program: list[str | Path] = [PROGRAM]
        self.store = folder / "store"
        self.home = folder / name
        self.tree = self.home / ".claude" / "projects"
        kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP")
        self.environment = {key: os.environ[key] for key in kept if key in os.environ}
        self.environment |= {"HOME": str(self.home), "USERPROFILE": str(self.home)}
        if sources is not None:
            self.program = [sys.executable, "-m", "claude_sync_app"]
            paths = [str(sources / "core"), str(sources / "app")]
            self.environment["PYTHONPATH"] = os.pathsep.join(paths)
        self.directories = [
            bare_bones(self.home / f"code-of-{name}" / f"app-{number}", _remote(number))
            for number in range(projects)
        ]
        (self.home / ".claude" / "sessions").mkdir(parents=True)
        self.tree.mkdir()

    def __call__(self, *arguments: str) -> Run:
        """Run claude-sync there, at home."""
        return run([*self.program, *arguments], self.environment)

    def transcript(self, session_id: str, number: int = 0) -> Path:
        """Where a session of the project of that number lies."""
        directory = self.directories[number % len(self.directories)]
        return self.tree / encode_directory(str(directory)) / f"{session_id}.jsonl"

    def write(self, session_id: str, blocks: Iterator[bytes], number: int = 0) -> Path:
        """Make a session, last written to a day ago."""
        path = self.transcript(session_id, number)
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            file.writelines(blocks)
        then = time.time() - _DAY_SECONDS
        os.utime(path, (then, then))
        return path

    def fill(self, ids: Sequence[str], size: int, lines: Lines) -> None:
        """Make sessions of one size, spread over the projects."""
        for number, session_id in enumerate(ids):
            cwd = self.directories[number % len(self.directories)]
            self.write(session_id, lines.blocks(cwd, size), number)

    def set_up(self) -> None:
        """Be new: no records, no registry, a place chosen. What it holds of sessions stays."""
        for folder in (".local", ".config", "Library", "AppData"):
            shutil.rmtree(self.home / folder, ignore_errors=True)
        if self.ssh_command:
            self("config", "set", "ssh_command", json.dumps(list(self.ssh_command)))
        self("init", self.location, "--name", self.name, *self._encrypted())
        roots = json.dumps([str(self.directories[0].parent)])
        self("config", "set", "projects_roots", roots)

    def _encrypted(self) -> list[str]:
        if not self.passphrase:
            return []
        file = self.home / "passphrase"
        file.write_text(self.passphrase, encoding="utf-8")
        there = self.store.joinpath(MARKER_NAME).exists()
        return [*([] if there else ["--new"]), "--encrypt", "--key-file", str(file)]

    def write_companion(self, name: str, data: bytes) -> Path:
        """Write a file that a client keeps beside the projects, by its path there."""
        path = self.tree.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def clear_tree(self) -> None:
        """Have no sessions."""
        for kind in (self.tree.name, "tasks", "plans", "file-history", "todos"):
            shutil.rmtree(self.tree.parent / kind, ignore_errors=True)
        self.tree.mkdir()


def _remote(number: int) -> str:
    return f"https://example.org/you/app-{number}"
