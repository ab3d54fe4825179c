"""What files were found to be, good while their stamps are the same: read once, not at every look.

Losing all of it costs time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from claude_sync.model import Bundle, BundleHead, Stamp, Version
from claude_sync.state.database import Database
from claude_sync.values import NamedTuple


class LocalRow(NamedTuple):
    """What one transcript was found to be, when its stamps were these.

    `slug` is the last one in it, None where nobody has looked for it.
    """

    stamp: Stamp
    sidecar: str
    whole: Version
    cut: Version
    sidecar_sha256: str
    cwds: tuple[str, ...]
    title: str
    slug: str | None = None


class ProblemRow(NamedTuple):
    """A file of the store that couldn't be read, when its stamp was this."""

    stamp: Stamp
    kind: str
    message: str
    since: float


class Cache:
    """The caches of one store.

    Every method raises RecordsError where its database can't be used.

    Args:
        database: the store's.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def local_rows(self) -> dict[str, LocalRow]:
        """What is known of transcripts, by path."""
        return {row[0]: _local(row) for row in self._db.rows("SELECT * FROM local")}

    def put_local(self, rows: Mapping[str, LocalRow]) -> None:
        """Remember what transcripts were found to be."""
        self._db.run_many(
            "INSERT OR REPLACE INTO local VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    path,
                    *row.stamp,
                    row.sidecar,
                    row.whole.sha256,
                    *row.cut,
                    row.sidecar_sha256,
                    json.dumps(row.cwds) if row.cwds else "",
                    row.title,
                    row.slug,
                )
                for path, row in rows.items()
            ],
        )

    def drop_local(self, paths: Iterable[str]) -> None:
        """Forget transcripts that are no longer there."""
        self._db.run_many("DELETE FROM local WHERE path = ?", [(path,) for path in paths])

    def bundles(self) -> dict[str, Bundle]:
        """Heads of bundles, by file name; good while the stamp is the same."""
        return {row[0]: _bundle(row) for row in self._db.rows("SELECT * FROM bundle")}

    def bundle(self, name: str) -> Bundle | None:
        """The same of one file; None where it isn't known."""
        row = next(self._db.run("SELECT * FROM bundle WHERE name = ?", (name,)), None)
        return _bundle(row) if row is not None else None

    def put_bundles(self, bundles: Iterable[Bundle]) -> None:
        """Remember heads of bundles."""
        self._db.run_many(
            f"INSERT OR REPLACE INTO bundle VALUES ({', '.join('?' * 22)})",  # noqa: S608
            [
                (name, *stamp, *head[:12], int(head.open), " ".join(head.supersedes), *head[14:])
                for name, stamp, head in bundles
            ],
        )

    def problems(self) -> dict[str, ProblemRow]:
        """Files of the store that couldn't be read, by name; good while the stamp is the same."""
        rows = self._db.run("SELECT * FROM problem")
        return {row[0]: ProblemRow(Stamp(*row[1:4]), *row[4:]) for row in rows}

    def put_problems(self, problems: Iterable[tuple[str, Stamp, str, str]]) -> None:
        """Remember that files couldn't be read, and since when it has been so.

        Args:
            problems: of each its name and stamp, the error's name and what it says.
        """
        now = time.time()
        self._db.run_many(
            "INSERT INTO problem VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(name) DO UPDATE SET"
            " file_size = excluded.file_size, file_mtime_ns = excluded.file_mtime_ns,"
            " inode = excluded.inode, kind = excluded.kind, message = excluded.message",
            [(name, *stamp, kind, message, now) for name, stamp, kind, message in problems],
        )

    def drop_files(self, names: Iterable[str]) -> None:
        """Forget files that are no longer in the store, bundles and problems alike."""
        keys = [(name,) for name in names]
        self._db.run_many("DELETE FROM bundle WHERE name = ?", keys)
        self._db.run_many("DELETE FROM problem WHERE name = ?", keys)

    def drop_problems(self, names: Iterable[str]) -> None:
        """Forget problems that have passed."""
        self._db.run_many("DELETE FROM problem WHERE name = ?", [(name,) for name in names])

    def entries(self) -> list[tuple[str, Stamp]]:
        """The last listing of a remote store, sorted by name."""
        rows = self._db.run("SELECT * FROM entry ORDER BY name")
        return [(row[0], Stamp(*row[1:])) for row in rows]

    def put_entries(self, entries: Iterable[tuple[str, Stamp]]) -> None:
        """Remember a whole listing in the place of the last one."""
        self._db.run("DELETE FROM entry")
        self._db.run_many(
            "INSERT INTO entry VALUES (?, ?, ?, ?)", [(name, *stamp) for name, stamp in entries]
        )

    def setting(self, name: str) -> str:
        """A value kept under a name, "" where there is none."""
        row = next(self._db.run("SELECT value FROM setting WHERE name = ?", (name,)), None)
        return str(row[0]) if row else ""

    def put_setting(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        self._db.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))


def _local(row: Sequence[Any]) -> LocalRow:
    _, size, mtime_ns, inode, sidecar, sha256, cut_size, cut, *rest = row
    sidecar_sha256, cwds, title, slug = rest
    whole = Version(size, sha256)
    return LocalRow(
        stamp=Stamp(size, mtime_ns, inode),
        sidecar=sidecar,
        whole=whole,
        cut=whole if cut_size == size and cut == sha256 else Version(cut_size, cut),
        sidecar_sha256=sidecar_sha256,
        cwds=_directories(cwds) if cwds else (),
        title=title,
        slug=slug,
    )


def _bundle(row: Sequence[Any]) -> Bundle:
    supersedes = tuple(row[17].split()) if row[17] else ()
    head = BundleHead._make((*row[4:16], bool(row[16]), supersedes, *row[18:]))
    return Bundle(row[0], Stamp(row[1], row[2], row[3]), head)


@lru_cache(maxsize=1024)
def _directories(text: str) -> tuple[str, ...]:
    """As they stand in a row; most sessions share theirs with others."""
    return tuple(json.loads(text))
