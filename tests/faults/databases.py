"""What disks, crashes and other versions do to the file of a database."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path], None]


def lose(file: Path) -> None:
    """Remove it, with all that lies beside it."""
    for path in file.parent.iterdir():
        path.unlink()


def fill_with_garbage(file: Path) -> None:
    """Write other bytes over all of it."""
    file.write_bytes(random.Random(1).randbytes(file.stat().st_size))


def cut(file: Path) -> None:
    """Cut it within its second page."""
    os.truncate(file, 5000)


def empty(file: Path) -> None:
    """Leave nothing in it."""
    os.truncate(file, 0)


def damage_pages(file: Path) -> None:
    """Write zeros over the beginning of each page but the first."""
    data = bytearray(file.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 200] = bytes(200)
    file.write_bytes(data)


def be_newer(file: Path) -> None:
    """Have it say that a newer version made it."""
    _set_layout(file, 99)


def be_of_no_version(file: Path) -> None:
    """Have it say that it was made by no version there is."""
    _set_layout(file, -1)


def _set_layout(file: Path, number: int) -> None:
    with sqlite3.connect(file) as database:
        database.execute(f"PRAGMA user_version={number}")
    database.close()


DAMAGES: dict[str, Damage] = {
    "lost": lose,
    "garbage": fill_with_garbage,
    "cut": cut,
    "empty": empty,
    "pages damaged": damage_pages,
}
"""What makes the file useless, or makes it go."""
