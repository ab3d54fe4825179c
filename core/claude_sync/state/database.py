"""The SQLite file that a store's records and caches share.

A database that can't be read is set aside under another name and a new one begun: losing it
costs a question, never bytes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from claude_sync.disk import files
from claude_sync.errors import RecordsError

_LAYOUT = 1
_BUSY_SECONDS = 10.0
_SCHEMA = """
CREATE TABLE session (
    session_id TEXT PRIMARY KEY, size INTEGER, sha256 TEXT, revision INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL DEFAULT '', layout TEXT NOT NULL DEFAULT '',
    decision INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0,
    forgotten INTEGER NOT NULL DEFAULT 0, directory TEXT NOT NULL DEFAULT '',
    placed_ns INTEGER NOT NULL DEFAULT 0, undo TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE TABLE held (session_id TEXT, size INTEGER, sha256 TEXT,
    PRIMARY KEY (session_id, size, sha256)) WITHOUT ROWID;
CREATE TABLE declined (session_id TEXT, size INTEGER, sha256 TEXT,
    PRIMARY KEY (session_id, size, sha256)) WITHOUT ROWID;
CREATE TABLE supersedes (number INTEGER PRIMARY KEY, session_id TEXT, sha256 TEXT,
    UNIQUE (session_id, sha256));
CREATE TABLE merged (session_id TEXT, sidecar_sha256 TEXT,
    PRIMARY KEY (session_id, sidecar_sha256)) WITHOUT ROWID;
CREATE TABLE relation (x TEXT, y TEXT, extends INTEGER, value TEXT,
    PRIMARY KEY (x, y)) WITHOUT ROWID;
CREATE TABLE local (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER,
    sidecar TEXT, whole_sha256 TEXT, cut_size INTEGER, cut_sha256 TEXT, sidecar_sha256 TEXT,
    cwds TEXT, title TEXT) WITHOUT ROWID;
CREATE TABLE bundle (name TEXT PRIMARY KEY, file_size INTEGER, file_mtime_ns INTEGER,
    inode INTEGER, session_id TEXT, project_key TEXT, subpath TEXT, machine TEXT,
    machine_id TEXT, sidecar_sha256 TEXT, size INTEGER, sha256 TEXT, mtime_ns INTEGER,
    revision INTEGER, pushed_at TEXT, title TEXT, open INTEGER, supersedes TEXT,
    decision INTEGER, encoded_size INTEGER, schema INTEGER, start INTEGER) WITHOUT ROWID;
CREATE TABLE problem (name TEXT PRIMARY KEY, file_size INTEGER, file_mtime_ns INTEGER,
    inode INTEGER, kind TEXT, message TEXT, since REAL) WITHOUT ROWID;
CREATE TABLE entry (name TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER)
    WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""
_IN_MEMORY = ":memory:"
_LOOKS = 3

Values = Sequence[Any] | Mapping[str, Any]


class Database:
    """One store's database. Used by one thread.

    Args:
        path: the database file; it is made if it is missing. None for one that is forgotten at
            the end, for whoever must change nothing.

    Attributes:
        set_aside: where an unreadable database was put, None where there was none.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path or Path(_IN_MEMORY)
        self.set_aside: Path | None = None
        try:
            if path is not None:
                files.make_private(path.parent)
            self._db = self._open_or_begin()
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def _open_or_begin(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.DatabaseError as error:
            # Locked, unreadable, a full disk: nothing that another file would mend.
            if isinstance(error, sqlite3.OperationalError):
                raise
            self._put_aside()
            return self._open()

    def _open(self) -> sqlite3.Connection:
        if str(self.path) != _IN_MEMORY:
            files.touch_private(self.path)
        db = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            layout = db.execute("PRAGMA user_version").fetchone()[0]
            if layout != _LAYOUT:
                if layout != 0 or db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise sqlite3.DatabaseError("another layout")
                db.execute("PRAGMA journal_mode=WAL")
                db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={_LAYOUT};COMMIT;")
            db.execute("PRAGMA synchronous=NORMAL")
        except BaseException:
            db.close()
            raise
        return db

    def _put_aside(self) -> None:
        self.set_aside = self.path.with_name(f"{self.path.name}.unreadable-{time.time_ns()}")
        files.move_new(self.path, self.set_aside)
        for suffix in ("-wal", "-shm", "-journal"):
            files.remove(self.path.with_name(self.path.name + suffix))

    def _unusable(self, error: OSError | sqlite3.Error) -> RecordsError:
        return _unusable(error, self.path)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is remembered inside is remembered together, or not at all.

        Raises:
            RecordsError: it can't be. And what is raised inside.
        """
        if self._db.in_transaction:
            yield
            return
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            # Where the database itself failed, it has been closed or rolled back already.
            try:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            except sqlite3.Error:
                pass
            raise
        self.run("COMMIT")

    def run(self, sql: str, values: Values = ()) -> Iterator[Any]:
        """Run one statement; its rows.

        Raises:
            RecordsError: it can't be run. A damaged database is set aside first.
        """
        try:
            return iter(self._db.execute(sql, values).fetchall())
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values.

        Raises:
            RecordsError: as `run` does.
        """
        try:
            self._db.executemany(sql, rows)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> RecordsError:
        if isinstance(error, sqlite3.OperationalError):
            return self._unusable(error)
        self._db.close()
        self._put_aside()
        return RecordsError(
            "this machine's records were damaged and have been moved away",
            where=str(self.path.parent),
            todo="run the command again; no session is lost",
            passing=True,
        )


def _unusable(error: OSError | sqlite3.Error, path: Path) -> RecordsError:
    why = error.strerror if isinstance(error, OSError) else error
    return RecordsError(
        f"this machine's records can't be used ({why})",
        where=str(path),
        todo="check the disk's free space and the folder's permissions, or move the file away",
    )


# --- copies ------------------------------------------------------------------------------------


def copy_of(source: Database | Path) -> Database:
    """A copy in memory, for whoever must change nothing, not even the files that SQLite makes.

    Args:
        source: a database that is open here, or the file of one that others may have open.

    Raises:
        FileNotFoundError: there is no such file, or nothing in it yet.
        RecordsError: it can't be read, is damaged, or has another layout.
    """
    copy = Database(None)
    try:
        if isinstance(source, Database):
            source._db.backup(copy._db)
        else:
            _copy_file(source, copy._db)
    except FileNotFoundError:
        copy.close()
        raise
    except (OSError, sqlite3.Error) as error:
        copy.close()
        raise _unusable(error, source if isinstance(source, Path) else source.path) from error
    return copy


def _copy_file(path: Path, copy: sqlite3.Connection) -> None:
    for left in reversed(range(_LOOKS)):
        if path.stat().st_size == 0:
            raise FileNotFoundError(path)
        try:
            if _copied_undisturbed(path, copy):
                break
        except sqlite3.DatabaseError:
            # So it also looks where somebody wrote just now.
            if not left:
                raise
    layout = copy.execute("PRAGMA user_version").fetchone()[0]
    if layout != _LAYOUT or copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("it is damaged, or another version made it")


def _copied_undisturbed(path: Path, copy: sqlite3.Connection) -> bool:
    """Copy a file without leaving anything behind; whether nobody wrote meanwhile.

    While nobody has it open there is no -wal, and SQLite would make one that stays, unless it is
    told that nobody writes: https://www.sqlite.org/wal.html#read_only_databases
    """
    alone = not path.with_name(f"{path.name}-wal").exists()
    before = path.stat()
    immutable = "&immutable=1" if alone else ""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True, timeout=_BUSY_SECONDS
    )
    try:
        db.backup(copy)
    finally:
        db.close()
    return not alone or path.stat().st_mtime_ns == before.st_mtime_ns
