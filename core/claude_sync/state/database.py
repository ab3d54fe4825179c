"""The SQLite file that a store's records and caches share.

A database that can't be read is set aside under another name and a new one begun: losing it
costs a question, never bytes. What mustn't be lost with it lies elsewhere (`decisions`). One that a
newer version made is refused; what becomes of one that an older version made, see `layout`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from claude_sync.disk import files
from claude_sync.disk.locks import Lock
from claude_sync.disk.refusals import refusal_of_database
from claude_sync.errors import RecordsError
from claude_sync.state.decisions import Decisions
from claude_sync.state.layout import (
    BUSY_SECONDS,
    LAYOUT,
    WAL_SUFFIX,
    NotOurs,
    bring_up_to_date,
    check_not_newer,
    drop_old_copies,
    layout_of,
)

ASIDE_MARK = ".unreadable-"
"""Stands in the name of a database that was set aside."""

_IN_MEMORY = ":memory:"
_PREPARING_SECONDS = 60.0
_LOOKS = 3

Values = Sequence[Any] | Mapping[str, Any]


class Database:
    """One store's database. Used by one thread.

    Args:
        path: the database file; it is made if it is missing. None for one that is forgotten at
            the end, for whoever must change nothing.
        decisions: takes over what databases of older layouts held of them; None where they aren't
            wanted.

    Attributes:
        set_aside: where an unreadable database was put, None where there was none.

    Raises:
        RecordsTooNew: a newer version made it.
        RecordsError: it can't be used.
        LockBusy: another claude-sync keeps preparing it.
    """

    def __init__(self, path: Path | None, decisions: Decisions | None = None) -> None:
        self.path = path or Path(_IN_MEMORY)
        self.set_aside: Path | None = None
        self._decisions = decisions
        self._preparing = Lock(
            self.path.with_name(f"{self.path.name}.lock"),
            "preparing its records",
            patience_seconds=_PREPARING_SECONDS,
        )
        try:
            if path is None:
                self._db = _connect(_IN_MEMORY)
                bring_up_to_date(self._db, self.path, None, copy=False)
                return
            files.make_private(path.parent)
            self._db = self._open_or_begin()
            self._inode = path.stat().st_ino
            if decisions is not None:
                # Another process may have brought it up to date since they were read.
                decisions.refresh()
        except (OSError, sqlite3.Error) as error:
            raise _unusable(error, self.path) from error

    def _open_or_begin(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
        with self._preparing:
            try:
                # Another process may have been faster.
                return self._open()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._put_aside()
                return self._open()

    def _open(self) -> sqlite3.Connection:
        files.touch_private(self.path)
        check_not_newer(self.path)
        db = _connect(self.path)
        try:
            if layout_of(db) != LAYOUT:
                with self._preparing:
                    if _is_empty(db):
                        db.execute("PRAGMA journal_mode=WAL")
                    bring_up_to_date(db, self.path, self._decisions, copy=True)
            db.execute("PRAGMA synchronous=NORMAL")
            drop_old_copies(self.path)
        except BaseException:
            db.close()
            raise
        return db

    def _put_aside(self) -> None:
        self.set_aside = self.path.with_name(f"{self.path.name}{ASIDE_MARK}{time.time_ns()}")
        files.move_new(self.path, self.set_aside)
        for suffix in (WAL_SUFFIX, "-shm", "-journal"):
            files.remove(self.path.with_name(self.path.name + suffix))

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

    def rows(self, sql: str) -> Iterator[Any]:
        """The rows of a whole table, one at a time: thousands of them needn't be held at once.

        Nothing may be written before the last.

        Raises:
            RecordsError: they can't be read. A damaged database is set aside first.
        """
        try:
            yield from self._db.execute(sql)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values.

        Raises:
            RecordsError: it can't be run. A damaged database is set aside first.
        """
        try:
            self._db.executemany(sql, rows)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> RecordsError:
        if not _is_damage(error):
            return _unusable(error, self.path)
        self._db.close()
        with self._preparing:
            if self._is_still_there():
                self._put_aside()
        return RecordsError(
            "this machine's records were damaged and have been moved away",
            where=str(self.path.parent),
            todo="run the command again; no session is lost",
            passing=True,
        )

    def _is_still_there(self) -> bool:
        """Whether the file is the one that was opened: another process may have begun a new one."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False


def _connect(path: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _is_empty(db: sqlite3.Connection) -> bool:
    return not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether another file would help: not where it is locked or unreadable, or the disk full."""
    return type(error) in (sqlite3.DatabaseError, NotOurs)


def _unusable(error: OSError | sqlite3.Error, path: Path) -> RecordsError:
    otherwise = "check the disk's free space and the folder's permissions, or move the file away"
    why, todo = refusal_of_database(error, path, otherwise)
    return RecordsError(f"this machine's records can't be used ({why})", where=str(path), todo=todo)


# --- copies ------------------------------------------------------------------------------------


def copy_of(source: Database | Path, decisions: Decisions | None = None) -> Database:
    """A copy in memory, for whoever must change nothing, not even the files that SQLite makes.

    Args:
        source: a database that is open here, or the file of one that others may have open.
        decisions: takes over what a file of an older layout held of them.

    Raises:
        FileNotFoundError: there is no such file, or nothing in it yet.
        RecordsTooNew: a newer version made it.
        RecordsError: it can't be read, or is damaged.
    """
    copy = Database(None)
    path = source if isinstance(source, Path) else source.path
    try:
        if isinstance(source, Database):
            source._db.backup(copy._db)
        else:
            _copy_file(source, copy._db)
            bring_up_to_date(copy._db, path, decisions, copy=False)
    except (FileNotFoundError, RecordsError):
        copy.close()
        raise
    except (OSError, sqlite3.Error) as error:
        copy.close()
        raise _unusable(error, path) from error
    return copy


def _copy_file(path: Path, copy: sqlite3.Connection) -> None:
    for left in reversed(range(_LOOKS)):
        if path.stat().st_size == 0:
            raise FileNotFoundError(path)
        try:
            if _copied_undisturbed(path, copy):
                break
        except sqlite3.DatabaseError:
            # So it also looks while another process is writing.
            if not left:
                raise
    if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("it is damaged")


def _copied_undisturbed(path: Path, copy: sqlite3.Connection) -> bool:
    """Copy a file without leaving anything behind; whether nobody wrote meanwhile.

    While nobody has it open there is no -wal, and SQLite would make one that stays, unless it is
    told that nobody writes: https://www.sqlite.org/wal.html#read_only_databases
    """
    alone = not path.with_name(path.name + WAL_SUFFIX).exists()
    before = path.stat()
    immutable = "&immutable=1" if alone else ""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True, timeout=BUSY_SECONDS
    )
    try:
        db.backup(copy)
    finally:
        db.close()
    return not alone or path.stat().st_mtime_ns == before.st_mtime_ns
