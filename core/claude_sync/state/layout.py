"""How a store's database is laid out, and how one of an older layout is brought up to date.

Invariants:

1. The number of the layout is SQLite's `user_version`, and stands in the file's own header as soon
   as a change of it is done: so it can be read without leaving a trace beside the file.
2. A newer layout than ours is refused, and nothing about it is touched.
3. A change is one transaction. Before it, a copy of the file lies beside it, durable; inside it,
   what goes elsewhere is durable there before the database no longer has it. Killed anywhere, the
   next one to open the file begins again from the older layout.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.snapshot import read_small
from claude_sync.errors import RecordsTooNew
from claude_sync.model import Version
from claude_sync.state.decisions import Decisions
from claude_sync.state.decisions_file import Decided

LAYOUT = 5
WAL_SUFFIX = "-wal"
BUSY_SECONDS = 10.0
COPY_MARK = ".layout-"
"""Stands in the name of the copy that lies beside a database since its layout was changed."""
_COPY_SECONDS = 30 * 86_400
"""How long that copy is kept: long enough to go back to an older version, and not for ever."""

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\0"
_USER_VERSION = slice(60, 64)
"""Where `user_version` stands: https://www.sqlite.org/fileformat.html#the_database_header"""

_MERGED = """
CREATE TABLE merged (session_id TEXT, sha256 TEXT, sidecar_sha256 TEXT,
    revision INTEGER NOT NULL, held TEXT NOT NULL,
    PRIMARY KEY (session_id, sha256, sidecar_sha256)) WITHOUT ROWID
"""
_TABLES = (
    """
CREATE TABLE session (
    session_id TEXT PRIMARY KEY, size INTEGER, sha256 TEXT, revision INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL DEFAULT '', layout TEXT NOT NULL DEFAULT '',
    seen INTEGER NOT NULL DEFAULT 0, directory TEXT NOT NULL DEFAULT '',
    installed_ns INTEGER NOT NULL DEFAULT 0, undo TEXT NOT NULL DEFAULT '',
    intact_size INTEGER, intact_sha256 TEXT, merging INTEGER NOT NULL DEFAULT 0,
    unplaced_plan TEXT NOT NULL DEFAULT '') WITHOUT ROWID
""",
    """
CREATE TABLE held (session_id TEXT, size INTEGER, sha256 TEXT,
    PRIMARY KEY (session_id, size, sha256)) WITHOUT ROWID
""",
    _MERGED,
    """
CREATE TABLE relation (x TEXT, y TEXT, extends INTEGER, value TEXT,
    PRIMARY KEY (x, y)) WITHOUT ROWID
""",
    """
CREATE TABLE local (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER,
    sidecar TEXT, whole_sha256 TEXT, cut_size INTEGER, cut_sha256 TEXT, sidecar_sha256 TEXT,
    cwds TEXT, title TEXT, slug TEXT) WITHOUT ROWID
""",
    """
CREATE TABLE bundle (name TEXT PRIMARY KEY, file_size INTEGER, file_mtime_ns INTEGER,
    inode INTEGER, session_id TEXT, project_key TEXT, subpath TEXT, machine TEXT,
    machine_id TEXT, sidecar_sha256 TEXT, size INTEGER, sha256 TEXT, mtime_ns INTEGER,
    revision INTEGER, pushed_at TEXT, title TEXT, open INTEGER, supersedes TEXT,
    decision INTEGER, encoded_size INTEGER, schema INTEGER, start INTEGER) WITHOUT ROWID
""",
    """
CREATE TABLE problem (name TEXT PRIMARY KEY, file_size INTEGER, file_mtime_ns INTEGER,
    inode INTEGER, kind TEXT, message TEXT, since REAL) WITHOUT ROWID
""",
    """
CREATE TABLE entry (name TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER)
    WITHOUT ROWID
""",
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
)


class NotOurs(sqlite3.DatabaseError):
    """A database that no version of claude-sync made."""


def layout_of(db: sqlite3.Connection) -> int:
    """The number of a database's layout, 0 for one that nothing is in yet."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check_not_newer(path: Path) -> None:
    """Look whether a file is one that this version may open, without leaving a trace.

    Raises:
        RecordsTooNew: it isn't.
        OSError: it can't be read.
        sqlite3.Error: what a process that died left beside it can't be read.
    """
    header = read_small(Path(os.path.realpath(path)), _HEADER_BYTES)
    if header.startswith(_MAGIC):
        check_layout(int.from_bytes(header[_USER_VERSION], "big", signed=True), path)
        if path.with_name(path.name + WAL_SUFFIX).exists():
            # The header may be behind that. Who may only read doesn't write it back at the end.
            with closing(_connect_to_read(path)) as db:
                check_layout(layout_of(db), path)


def check_layout(layout: int, path: Path) -> None:
    """See that a layout isn't newer than ours.

    Raises:
        RecordsTooNew: it is.
    """
    if layout > LAYOUT:
        raise RecordsTooNew(
            "a newer claude-sync made this machine's records",
            where=str(path),
            todo="update this one; nothing was changed",
        )


def bring_up_to_date(
    db: sqlite3.Connection, path: Path, decisions: Decisions | None, *, copy: bool
) -> None:
    """Give a database the layout that this version works with, unless it has it.

    Args:
        db: the database, outside a transaction.
        path: its file; of a copy in memory, the one it was made from.
        decisions: takes over what older layouts held of them; None where they aren't wanted.
        copy: whether an older one is kept beside the file first.

    Raises:
        RecordsTooNew: it has a newer one.
        RecordsError: what was decided can't be written down.
        NotOurs: no version of ours made it.
        sqlite3.Error, OSError: it can't be done; all is as it was.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        layout = layout_of(db)
        check_layout(layout, path)
        if layout == 0 and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            for table in _TABLES:
                db.execute(table)
        elif layout != LAYOUT:
            if layout not in _CHANGES:
                raise NotOurs("no version of claude-sync made it")
            if copy:
                _copy_beside(path, layout)
            for older in range(layout, LAYOUT):
                _CHANGES[older](db, decisions)
        db.execute(f"PRAGMA user_version={LAYOUT}")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def drop_old_copies(path: Path) -> None:
    """Remove the copies beside a database that were made more than a month ago."""
    for layout in range(1, LAYOUT):
        copy = _copy_of(path, layout)
        try:
            if time.time() - os.lstat(copy).st_mtime > _COPY_SECONDS:
                files.remove(copy)
        except OSError:
            continue  # none is there, or it can't be removed now


def _copy_of(path: Path, layout: int) -> Path:
    return path.with_name(f"{path.name}{COPY_MARK}{layout}")


def _copy_beside(path: Path, layout: int) -> None:
    """Copy a database, while a transaction of ours keeps others from writing it."""
    staged = Staged(files.temporary_path(path.parent), path.stat().st_size)
    try:
        files.touch_private(staged.path)
        # Not by the connection of that transaction: SQLite refuses to read through that here.
        with closing(_connect_to_read(path)) as source, closing(sqlite3.connect(staged.path)) as to:
            source.backup(to)
        files.sync([staged])
        files.commit(staged, _copy_of(path, layout))
    except BaseException:
        files.discard(staged)
        raise
    files.sync_directory(path.parent)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)


# --- changes -----------------------------------------------------------------------------------

_SESSION_2 = """
CREATE TABLE session (
    session_id TEXT PRIMARY KEY, size INTEGER, sha256 TEXT, revision INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL DEFAULT '', layout TEXT NOT NULL DEFAULT '',
    seen INTEGER NOT NULL DEFAULT 0, directory TEXT NOT NULL DEFAULT '',
    installed_ns INTEGER NOT NULL DEFAULT 0, undo TEXT NOT NULL DEFAULT '') WITHOUT ROWID
"""


def _decisions_move_out(db: sqlite3.Connection, decisions: Decisions | None) -> None:
    """From 1 to 2: what a person decided gets a file of its own; what was placed is installed."""
    if decisions is not None:
        try:
            decided = _decided_in_layout_1(db)
        except sqlite3.DatabaseError:
            # The file is about to be set aside, and all that was decided with it.
            decisions.count_as_lost()
            raise
        decisions.adopt(decided)
    db.execute("ALTER TABLE session RENAME TO session_1")
    db.execute(_SESSION_2)
    db.execute(
        "INSERT INTO session SELECT session_id, size, sha256, revision, name, layout, seen,"
        " directory, placed_ns, undo FROM session_1"
    )
    for table in ("session_1", "declined", "supersedes"):
        db.execute(f"DROP TABLE {table}")


def _decided_in_layout_1(db: sqlite3.Connection) -> dict[str, Decided]:
    declined: dict[str, set[Version]] = {}
    for session_id, size, sha256 in db.execute("SELECT * FROM declined"):
        declined.setdefault(session_id, set()).add(Version(size, sha256))
    supersedes: dict[str, list[str]] = {}
    for session_id, sha256 in db.execute(
        "SELECT session_id, sha256 FROM supersedes ORDER BY number"
    ):
        supersedes.setdefault(session_id, []).append(sha256)
    flags = {
        session_id: (bool(forgotten), decision)
        for session_id, forgotten, decision in db.execute(
            "SELECT session_id, forgotten, decision FROM session WHERE forgotten OR decision"
        )
    }
    decided = {}
    for session_id in declined.keys() | supersedes.keys() | flags.keys():
        forgotten, decision = flags.get(session_id, (False, 0))
        decided[session_id] = Decided(
            forgotten,
            frozenset(declined.get(session_id, ())),
            tuple(supersedes.get(session_id, ())),
            decision,
        )
    return decided


def _damage_is_noticed(db: sqlite3.Connection, _decisions: Decisions | None) -> None:
    """From 2 to 3: what was here when nothing was missing; more counts as said than did.

    So what was found of two versions that diverged has to be found again.
    """
    db.execute("ALTER TABLE session ADD COLUMN intact_size INTEGER")
    db.execute("ALTER TABLE session ADD COLUMN intact_sha256 TEXT")
    db.execute("DELETE FROM relation WHERE NOT extends")


def _companions_come_along(db: sqlite3.Connection, _decisions: Decisions | None) -> None:
    """From 3 to 4: which plan a transcript names; up to which revision files were merged."""
    db.execute("ALTER TABLE local ADD COLUMN slug TEXT")
    db.execute("ALTER TABLE merged ADD COLUMN revision INTEGER NOT NULL DEFAULT 0")


def _merges_are_of_a_transcript(db: sqlite3.Connection, _decisions: Decisions | None) -> None:
    """From 4 to 5: with which transcript files were merged, and which plans weren't placed.

    What was merged before counts for the transcript that lay here last. The digest "" had stood for
    a merge that was never done.
    """
    db.execute("ALTER TABLE session ADD COLUMN merging INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE session ADD COLUMN unplaced_plan TEXT NOT NULL DEFAULT ''")
    db.execute(
        "UPDATE session SET merging = 1 WHERE session_id IN"
        " (SELECT session_id FROM merged WHERE sidecar_sha256 = '')"
    )
    db.execute("ALTER TABLE merged RENAME TO merged_4")
    db.execute(_MERGED)
    db.execute(
        "INSERT INTO merged SELECT session_id, intact_sha256, sidecar_sha256, merged_4.revision, ''"
        " FROM merged_4 JOIN session USING (session_id)"
        " WHERE sidecar_sha256 != '' AND intact_sha256 IS NOT NULL"
    )
    db.execute("DROP TABLE merged_4")


_CHANGES: dict[int, Callable[[sqlite3.Connection, Decisions | None], None]] = {
    1: _decisions_move_out,
    2: _damage_is_noticed,
    3: _companions_come_along,
    4: _merges_are_of_a_transcript,
}
"""How a layout becomes the next one, by the number of the older."""
