"""What was done on this machine, and what failed: kept a month, for a person to look back on.

Ids of sessions, keys of projects, names of machines, counts and the sentences of errors; never a
title, an address of a repository or a word of a transcript. Invariants:

1. Nothing depends on it: what can't be written down is left out, and the work goes on.
2. It is bounded: what is older than a month goes, and the oldest beyond so many entries.
3. A file that can't be read is set aside, and a new one begun; only the last one stays aside.
4. What stands as it did (a conflict, the same failure at every look) is written down once, and
   pushes of one session within an hour count as one entry.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from claude_sync.disk import files
from claude_sync.disk.refusals import refusal
from claude_sync.errors import RecordsError, RecordsTooNew
from claude_sync.values import NamedTuple

T = TypeVar("T")

KEEP_DAYS = 31
MOST_ENTRIES = 20_000
LAYOUT = 1
ASIDE_MARK = ".unreadable-"
"""Stands in the name of a file that was set aside."""

PUSHED, CONFLICT, SHORTENED, FAILED = "pushed", "conflict", "shortened", "failed"
_STANDING = (CONFLICT, SHORTENED)
_ONE_ENTRY_NS = 3_600 * 10**9
_DAY_NS = 86_400 * 10**9
_WAIT_SECONDS = 1.0
_TEXT_CHARACTERS = 400
_TABLE = """
CREATE TABLE activity (
    at_ns INTEGER NOT NULL, verb TEXT NOT NULL, outcome TEXT NOT NULL, session TEXT NOT NULL,
    project TEXT NOT NULL, machine TEXT NOT NULL, bytes INTEGER NOT NULL,
    by_itself INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
    since_ns INTEGER NOT NULL, times INTEGER NOT NULL, number INTEGER PRIMARY KEY AUTOINCREMENT
)
"""
_KINDS = (int, str, str, str, str, str, int, int, str, str, int, int, int)
_BY_SESSION = "CREATE INDEX activity_by_session ON activity (session, number)"


class Activity(NamedTuple):
    """One thing that was done, was seen, or failed.

    Attributes:
        at_ns: when, nanoseconds since the epoch; of several times the last.
        verb: "push", "pull", "resolve", "restore", "undo", "forget", "arrive", or "watch" for what
            a round was doing when it failed.
        outcome: a result's (`model.Outcome`); "mine", "theirs" or "both" for a resolve, "waiting"
            for an arrival, "removed" for a bundle that was forgotten, "reachable" for a store that
            could be used again.
        session_id: "" where all of a verb failed.
        project_key: "" where unknown.
        machine: the other machine where there is one, else this one's name.
        bytes: what went through the transport, all times together.
        by_itself: whether it was done without a person asking for it.
        code: the name of the error where it failed, else "".
        message: one sentence where there is something to say.
        since_ns: the first of several times; the same as `at_ns` for one.
        times: how often.
        number: greater than that of everything before; 0 for what isn't written down yet.
    """

    at_ns: int
    verb: str
    outcome: str
    session_id: str = ""
    project_key: str = ""
    machine: str = ""
    bytes: int = 0
    by_itself: bool = False
    code: str = ""
    message: str = ""
    since_ns: int = 0
    times: int = 1
    number: int = 0


class ActivityLog:
    """The activity of this machine. Several processes may write it at once.

    Args:
        path: its file; made with mode 0600 when there is something to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, entries: Iterable[Activity]) -> bool:
        """Write entries down, oldest first; whether they were written."""
        entries = list(entries)
        if not entries:
            return True
        try:
            files.make_private(self.path.parent)
            self._used(lambda db: _add(db, entries))
        except (OSError, sqlite3.Error, RecordsTooNew):
            return False
        return True

    def tidy(self) -> None:
        """Drop what is too old, where nothing was written for long. What can't be dropped stays."""
        if self.path.exists():
            with suppress(OSError, sqlite3.Error, RecordsTooNew):
                self._used(lambda db: _drop_old(db, time.time_ns()))

    def entries(
        self, limit: int = 200, *, before: int | None = None, session: str | None = None
    ) -> list[Activity]:
        """What was written down, newest first.

        Args:
            limit: at most so many.
            before: only what comes before the entry of this number.
            session: only what became of this session.

        Raises:
            RecordsTooNew: a newer version wrote it.
            RecordsError: it can't be read.
        """
        if not self.path.exists():
            return []
        try:
            return self._used(lambda db: _read(db, limit, before, session))
        except (OSError, sqlite3.Error) as error:
            why, todo = str(error), "check the permissions of that file and its folder"
            if isinstance(error, OSError):
                why, todo = refusal(error, todo)
            raise RecordsError(
                f"what was done here can't be read ({why})", where=str(self.path), todo=todo
            ) from error

    def _used(self, use: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the database; one that is damaged is set aside first."""
        inode = -1
        try:
            files.touch_private(self.path)
            inode = self.path.stat().st_ino
            with self._open() as db:
                return use(db)
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:
                raise  # it is locked, unreadable, or the disk full: another file wouldn't help
        if self.path.stat().st_ino == inode:  # else another process has begun a new one
            self._put_aside()
        files.touch_private(self.path)
        with self._open() as db:
            return use(db)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)) as db:
            layout = int(db.execute("PRAGMA user_version").fetchone()[0])
            if layout > LAYOUT:
                raise RecordsTooNew(
                    "a newer claude-sync wrote down what was done here",
                    where=str(self.path),
                    todo="update this one; nothing was changed",
                )
            if layout < LAYOUT and not _has_tables(db):
                db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            with _transaction(db):
                if int(db.execute("PRAGMA user_version").fetchone()[0]) < LAYOUT:
                    _begin(db)
            yield db

    def _put_aside(self) -> None:
        before = [
            name
            for name in files.names_in(self.path.parent)
            if name.startswith(f"{self.path.name}{ASIDE_MARK}")
        ]
        files.move_new(
            self.path, self.path.with_name(f"{self.path.name}{ASIDE_MARK}{time.time_ns()}")
        )
        for name in (f"{self.path.name}-wal", f"{self.path.name}-shm", *before):
            files.remove(self.path.with_name(name))


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _has_tables(db: sqlite3.Connection) -> bool:
    return bool(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _begin(db: sqlite3.Connection) -> None:
    if _has_tables(db):
        raise sqlite3.DatabaseError("it isn't ours")
    db.execute(_TABLE)
    db.execute(_BY_SESSION)
    db.execute(f"PRAGMA user_version = {LAYOUT}")


# --- writing -----------------------------------------------------------------------------------


def _add(db: sqlite3.Connection, entries: list[Activity]) -> None:
    with _transaction(db):
        for entry in entries:
            if not _stands_already(db, entry):
                _insert(db, _joined(db, entry))
        _drop_old(db, entries[-1].at_ns)


def _drop_old(db: sqlite3.Connection, now_ns: int) -> None:
    db.execute("DELETE FROM activity WHERE at_ns < ?", (now_ns - KEEP_DAYS * _DAY_NS,))
    db.execute(
        "DELETE FROM activity WHERE number <= (SELECT max(number) FROM activity) - ?",
        (MOST_ENTRIES,),
    )


def _stands_already(db: sqlite3.Connection, entry: Activity) -> bool:
    """Whether the same was said before, and nothing has come between."""
    session = entry.session_id
    if entry.outcome in _STANDING:
        row = db.execute(
            "SELECT outcome FROM activity WHERE session = ? AND outcome != ? "
            "ORDER BY number DESC LIMIT 1",
            (session, PUSHED),
        ).fetchone()
        return row is not None and row[0] in _STANDING
    if entry.outcome != FAILED:
        return False
    row = db.execute(
        "SELECT outcome, message FROM activity WHERE verb = ? AND session = ? "
        "ORDER BY number DESC LIMIT 1"
        if session
        else "SELECT outcome, message FROM activity WHERE verb = ? AND session >= ? "
        "ORDER BY number DESC LIMIT 1",
        (entry.verb, session),
    ).fetchone()
    return row is not None and tuple(row) == (FAILED, _short(entry.message))


def _joined(db: sqlite3.Connection, entry: Activity) -> Activity:
    """An entry, and what it goes on with: then that is no entry of its own any more."""
    if entry.outcome != PUSHED or not entry.session_id:
        return entry
    row = db.execute(
        "SELECT * FROM activity WHERE session = ? ORDER BY number DESC LIMIT 1",
        (entry.session_id,),
    ).fetchone()
    before = _activity(row) if row is not None else None
    if (
        before is None
        or (before.outcome, before.by_itself) != (PUSHED, entry.by_itself)
        or not 0 <= entry.at_ns - before.since_ns < _ONE_ENTRY_NS
    ):
        return entry
    db.execute("DELETE FROM activity WHERE number = ?", (before.number,))
    return entry._replace(
        since_ns=before.since_ns,
        times=before.times + entry.times,
        bytes=before.bytes + entry.bytes,
    )


def _insert(db: sqlite3.Connection, entry: Activity) -> None:
    bounded = entry._replace(
        project_key=_short(entry.project_key),
        machine=_short(entry.machine),
        code=_short(entry.code),
        message=_short(entry.message),
        since_ns=entry.since_ns or entry.at_ns,
    )
    marks = ", ".join("?" * (len(bounded) - 1))
    db.execute(f"INSERT INTO activity VALUES ({marks}, NULL)", bounded[:-1])  # noqa: S608


def _short(text: str) -> str:
    """At most so much of a text, in what a database can hold."""
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _TEXT_CHARACTERS else f"{text[: _TEXT_CHARACTERS - 1]}…"


# --- reading -----------------------------------------------------------------------------------


def _read(
    db: sqlite3.Connection, limit: int, before: int | None, session: str | None
) -> list[Activity]:
    rows = db.execute(
        "SELECT * FROM activity WHERE at_ns >= :oldest AND (:before IS NULL OR number < :before) "
        "AND (:session IS NULL OR session = :session) ORDER BY number DESC LIMIT :limit",
        {
            "oldest": time.time_ns() - KEEP_DAYS * _DAY_NS,
            "before": before,
            "session": session,
            "limit": limit,
        },
    )
    return [_activity(row) for row in rows]


def _activity(row: Sequence[object]) -> Activity:
    """An entry from its row."""
    if any(type(value) is not kind for value, kind in zip(row, _KINDS, strict=True)):
        raise sqlite3.DatabaseError("it is damaged")
    entry = Activity._make(row)
    return entry._replace(by_itself=bool(entry.by_itself))
