"""The transport that core/TRANSPORTS.md shows, taken from the page and made a module."""

from __future__ import annotations

import re
import sqlite3
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from types import ModuleType

from claude_sync.transports.base import Transport

PAGE = Path(__file__).parents[2] / "core" / "TRANSPORTS.md"
NAME = "claude_sync_sqlite"


def blocks(language: str) -> list[str]:
    """The page's code in a language."""
    page = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@cache
def example() -> ModuleType:
    """The page's only Python code, as a module."""
    (source,) = blocks("python")
    module = ModuleType(NAME)
    sys.modules[NAME] = module
    exec(compile(source, f"{PAGE}: {NAME}", "exec"), module.__dict__)
    return module


class ExampleStorage:
    """One SQLite file, which another program reaches with SQL."""

    hashes = False
    longest = 255

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> Transport:
        transport: Transport = example().open_store(f"sqlite://{self.path}", ())
        return transport

    def plant(self, name: str, data: bytes) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("DELETE FROM file WHERE name = ?", (name,))
            insert = "INSERT INTO file (name, size, mtime_ns) VALUES (?, ?, 1)"
            file = database.execute(insert, (name, len(data))).lastrowid
            database.execute("INSERT INTO block VALUES (?, 0, ?)", (file, data))

    def bytes_of(self, name: str) -> bytes | None:
        with closing(sqlite3.connect(self.path)) as database:
            found = database.execute("SELECT id FROM file WHERE name = ?", (name,)).fetchone()
            if found is None:
                return None
            select = "SELECT data FROM block WHERE file = ? ORDER BY start"
            return b"".join(data for (data,) in database.execute(select, found))

    def size_of(self, name: str) -> int:
        return len(self.bytes_of(name) or b"")

    def vanish(self) -> None:
        self.path.rename(self.path.with_name(self.path.name + " elsewhere"))
