"""The index of what was said: a SQLite file with words, and the places where they stand.

It holds no text: that is read from the transcripts, at the places. But the words are there, as
plain as in the transcripts, and as private (0600). They are kept in several tables, each of the
sessions of some megabytes: what was said in a session that is gone is taken out by dropping the
table it stands in, and making the index of the others in it anew.

Losing the file costs nothing but making it anew. So one that is damaged, or of another version, is
removed: words of private conversations mustn't pile up beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from claude_sync.disk import files
from claude_sync.disk.refusals import refusal_of_database
from claude_sync.errors import SearchError
from claude_sync.model import Stamp
from claude_sync.search.passages import Passage
from claude_sync.state.paths import SEARCH_FILE, SQLITE_SUFFIX, Paths
from claude_sync.values import NamedTuple

LAYOUT = 2
_APPLICATION = 0x63637378
MOST_COPIES = 60
"""Of one session: each has a bit of a number."""
_SHARD_BYTES = 8 << 20
_BUSY_SECONDS = 1.0
_CACHE_KIB = 1024
_SUFFIXES = ("", "-wal", "-shm", "-journal")

_TABLES = """
CREATE TABLE shard (no INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);
CREATE TABLE session (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, shard INTEGER NOT NULL,
    title TEXT NOT NULL DEFAULT '', project_key TEXT NOT NULL DEFAULT '',
    directory TEXT, mtime_ns INTEGER NOT NULL DEFAULT 0, turns INTEGER NOT NULL DEFAULT 0);
CREATE TABLE copy (place TEXT PRIMARY KEY, session INTEGER NOT NULL, bit INTEGER NOT NULL,
    machine TEXT NOT NULL, size INTEGER, mtime_ns INTEGER, inode INTEGER,
    sha256 TEXT NOT NULL, read_to INTEGER NOT NULL, encoded_to INTEGER NOT NULL,
    tail BLOB NOT NULL, covered INTEGER NOT NULL, turns INTEGER NOT NULL,
    answering INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX copy_session ON copy (session);
CREATE TABLE passage (no INTEGER PRIMARY KEY, session INTEGER NOT NULL, copies INTEGER NOT NULL,
    start INTEGER NOT NULL, length INTEGER NOT NULL, encoded INTEGER, time INTEGER NOT NULL,
    sum INTEGER NOT NULL);
CREATE INDEX passage_session ON passage (session);
"""
_TOKENS = "tokenize='unicode61 remove_diacritics 2'"
# Where a word stands in its passage isn't kept: it would double the size. What a phrase is, the
# transcript tells.
_WORDS = (
    "CREATE VIRTUAL TABLE words_{} USING fts5(said, content='', detail=none, columnsize=0, "
    f"{_TOKENS})"
)
_ADD_WORDS = "INSERT INTO words_{} (rowid, said) VALUES (?, ?)"
_DROP_OF_SHARD = (
    "DELETE FROM passage WHERE session IN (SELECT no FROM session WHERE shard = ?)",
    "DELETE FROM copy WHERE session IN (SELECT no FROM session WHERE shard = ?)",
    "DELETE FROM session WHERE shard = ?",
    "DELETE FROM shard WHERE no = ?",
)
_FIND = (
    "SELECT p.no, p.session, copies, start, length, encoded, {newest} AS newest, sum, {count}"
    " FROM words_{shard} w JOIN passage p ON p.no = w.rowid"
    " JOIN session ON session.no = p.session"
    " WHERE words_{shard} MATCH ? AND {condition} {group} ORDER BY newest DESC LIMIT ?"
)
_ONE_A_SESSION = {"newest": "max(p.time)", "count": "count(*)", "group": "GROUP BY p.session"}
_EACH = {"newest": "p.time", "count": "1", "group": ""}
_ASKED = f"CREATE VIRTUAL TABLE temp.asked USING fts5(said, content='', {_TOKENS})"


class Copy(NamedTuple):
    """A copy of a session, as far as it was read.

    Attributes:
        session: the number of its session.
        place: where it lies: a path here, or a file in a store.
        bit: stands for it in `Place.copies`.
        machine: whose it is.
        stamp: of the file when it was read to its end, None where it wasn't yet.
        sha256: of the transcript where it was known, else "".
        read_to: how far it was read, bytes of the transcript; encoded_to: of a bundle, encoded.
        tail: the last bytes before that, to tell whether what comes now goes on from there.
        covered: whether it wasn't read, because another copy begins with it.
        turns: how many turns it has up to there; answering: whether the last is the assistant's.
    """

    session: int
    place: str
    bit: int
    machine: str
    stamp: Stamp | None
    sha256: str = ""
    read_to: int = 0
    encoded_to: int = 0
    tail: bytes = b""
    covered: bool = False
    turns: int = 0
    answering: bool = False


class Place(NamedTuple):
    """A passage in the index.

    Attributes:
        no: its number.
        session: the number of its session.
        copies: the bits of the copies that hold it.
        start, length: where it stands in the transcript.
        encoded: where it begins in an encoded transcript, None where that isn't known.
        time: when it was said, seconds since the epoch.
        sum: `Passage.check`.
    """

    no: int
    session: int
    copies: int
    start: int
    length: int
    encoded: int | None
    time: int
    sum: int


class KnownSession(NamedTuple):
    """A session in the index; the fields are the table's.

    `turns` is of the copy that has most of them, 0 where none was read to its end.
    """

    no: int
    id: str
    shard: int
    title: str
    project_key: str
    directory: str | None
    mtime_ns: int
    turns: int


Known = tuple[str, str, "int | None", "int | None", "int | None", int]
"""A copy's place and session id, the three parts of its stamp, and whether it is covered."""

_COPY = (
    "SELECT session, place, bit, machine, size, mtime_ns, inode, sha256, read_to, encoded_to, "
    "tail, covered, turns, answering FROM copy"
)
_PLACE = "SELECT no, session, copies, start, length, encoded, time, sum FROM passage"


class Index:
    """One index. Used by one thread.

    Args:
        path: its file; it is made if it is missing, and made anew if it can't be used.

    Raises:
        SearchError: it can't be opened now.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        with translating_errors(self._path):
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
            remove_index(self._path)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        files.make_private(self._path.parent)
        files.touch_private(self._path)
        db = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            db.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            db.execute("PRAGMA secure_delete=ON")
            if not _is_laid_out(db):
                _lay_out(db)
            with suppress(sqlite3.OperationalError):
                # Another process may have it open in this moment; then it is so next time.
                db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("SELECT no FROM shard").fetchall()
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All that is written inside is written together, or not at all.

        Raises:
            SearchError: it can't be written now; a damaged file is removed.
        """
        with self._guarded():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        with translating_errors(self._path):
            try:
                yield
            except sqlite3.DatabaseError as error:
                if _is_damage(error):
                    self._db.close()
                    remove_index(self._path)
                raise

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._guarded():
            return self._db.execute(sql, values).fetchall()

    # -- what is known ------------------------------------------------------------------------

    def sessions(self) -> dict[str, KnownSession]:
        """Every session, by its id."""
        return {row[1]: KnownSession(*row) for row in self._rows("SELECT * FROM session")}

    def session(self, no: int) -> KnownSession:
        """One session."""
        (row,) = self._rows("SELECT * FROM session WHERE no = ?", (no,))
        return KnownSession(*row)

    def stamps(self) -> dict[str, Known]:
        """What every copy was when it was read last, by its place."""
        # Asked for after every turn of a session: so these are plain tuples.
        rows = self._rows(
            "SELECT place, id, size, copy.mtime_ns, inode, covered FROM copy"
            " JOIN session ON session.no = copy.session"
        )
        return {row[0]: row for row in rows}

    def copies(self, session: int) -> list[Copy]:
        """The copies of a session."""
        return [
            Copy(
                *(no, place, bit, machine, _stamp(*stamp), *read),
                covered=bool(covered),
                turns=turns,
                answering=bool(answering),
            )
            for no, place, bit, machine, *stamp, a, b, c, d, covered, turns, answering in (
                self._rows(f"{_COPY} WHERE session = ?", (session,))
            )
            for read in [(a, b, c, d)]
        ]

    def places(self, session: int, start: int = 0) -> list[Place]:
        """The passages of a session from a position on, in order."""
        rows = self._rows(
            f"{_PLACE} WHERE session = ? AND start >= ? ORDER BY start", (session, start)
        )
        return [Place(*row) for row in rows]

    def turns(self) -> dict[str, int]:
        """How many turns each session has, by its id; none of which that isn't known yet."""
        return dict(self._rows("SELECT id, turns FROM session WHERE turns > 0"))

    def count(self) -> int:
        """How many sessions are in the index."""
        return int(self._rows("SELECT count(*) FROM session")[0][0])

    def read_to_their_end(self) -> int:
        """How many sessions were read to their end, in each of their copies."""
        return len(
            self._rows("SELECT session FROM copy GROUP BY session HAVING count(*) = count(size)")
        )

    # -- writing; inside `writing` ------------------------------------------------------------

    def add_session(self, session_id: str) -> int:
        """Its number, whether it was known or not."""
        known = self._rows("SELECT no FROM session WHERE id = ?", (session_id,))
        if known:
            return int(known[0][0])
        shards = self._rows("SELECT no, bytes FROM shard ORDER BY no DESC LIMIT 1")
        shard, size = shards[0] if shards else (0, _SHARD_BYTES)
        if size >= _SHARD_BYTES:
            shard += 1
            self._db.execute("INSERT INTO shard VALUES (?, 0)", (shard,))
            self._db.execute(_WORDS.format(shard))
        added = self._db.execute(
            "INSERT INTO session (id, shard) VALUES (?, ?)", (session_id, shard)
        )
        return int(added.lastrowid or 0)

    def describe(
        self, session: int, title: str, project_key: str, directory: str | None, mtime_ns: int
    ) -> None:
        """Keep what is shown of a session."""
        self._db.execute(
            "UPDATE session SET title = ?, project_key = ?, directory = ?, mtime_ns = ?"
            " WHERE no = ?",
            (title, project_key, directory, mtime_ns, session),
        )

    def put_copy(self, copy: Copy) -> None:
        """Keep how far a copy was read."""
        stamp: Sequence[int | None] = copy.stamp or (None, None, None)
        self._db.execute(
            "INSERT OR REPLACE INTO copy VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                copy.place,
                copy.session,
                copy.bit,
                copy.machine,
                *stamp,
                copy.sha256,
                copy.read_to,
                copy.encoded_to,
                copy.tail,
                copy.covered,
                copy.turns,
                copy.answering,
            ),
        )

    def count_turns(self, session: int) -> None:
        """Keep how many turns a session has: as many as the copy has that went on farthest."""
        self._db.execute(
            "UPDATE session SET turns = coalesce((SELECT max(turns) FROM copy"
            " WHERE session = ? AND size IS NOT NULL), 0) WHERE no = ?",
            (session, session),
        )

    def add_passage(self, copy: Copy, passage: Passage, shard: int) -> None:
        """Keep a passage of a copy, and its words."""
        added = self._db.execute(
            "INSERT INTO passage (session, copies, start, length, encoded, time, sum)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                copy.session,
                copy.bit,
                passage.offset,
                passage.end - passage.offset,
                passage.encoded,
                passage.time,
                passage.check,
            ),
        )
        self._db.execute(_ADD_WORDS.format(shard), (added.lastrowid, passage.text))
        self._db.execute(
            "UPDATE shard SET bytes = bytes + ? WHERE no = ?", (len(passage.text), shard)
        )

    def share_passage(self, place: Place, bit: int, encoded: int | None) -> None:
        """Note that another copy holds a passage as well."""
        self._db.execute(
            "UPDATE passage SET copies = copies | ?, encoded = coalesce(encoded, ?) WHERE no = ?",
            (bit, encoded, place.no),
        )

    def share_all(self, copy: Copy, bit: int) -> None:
        """Note that another copy holds all passages that one does."""
        self._db.execute(
            "UPDATE passage SET copies = copies | ? WHERE session = ? AND copies & ?",
            (bit, copy.session, copy.bit),
        )

    def drop_copies(self, session: int, gone: Sequence[Copy]) -> bool:
        """Take out copies of a session that are gone.

        Returns:
            whether what was said in them, and nowhere else, had to be taken out as well: then that
            and other sessions are no longer in the index, and have to be read again.
        """
        bits = sum(copy.bit for copy in gone)
        for copy in gone:
            self._db.execute("DELETE FROM copy WHERE place = ?", (copy.place,))
        self._db.execute(
            "UPDATE passage SET copies = copies & ~? WHERE session = ?", (bits, session)
        )
        lost = self._rows(
            "SELECT 1 FROM passage WHERE session = ? AND copies = 0 LIMIT 1", (session,)
        )
        left = self._rows("SELECT 1 FROM copy WHERE session = ? LIMIT 1", (session,))
        if lost:
            self.drop_shard(session)
        elif not left:
            self._db.execute("DELETE FROM session WHERE no = ?", (session,))
        return bool(lost)

    def drop_shard(self, session: int) -> None:
        """Take out a session, and those whose words stand in the same table."""
        (row,) = self._rows("SELECT shard FROM session WHERE no = ?", (session,))
        shard = int(row[0])
        self._db.execute(f"DROP TABLE words_{shard}")
        for statement in _DROP_OF_SHARD:
            self._db.execute(statement, (shard,))

    def tidy(self) -> None:
        """Give back what dropped tables took, and leave nothing of them in the log beside."""
        with self._guarded(), suppress(sqlite3.OperationalError):  # somebody else is at it
            self._db.execute("PRAGMA incremental_vacuum").fetchall()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # -- looking for words --------------------------------------------------------------------

    def terms(self, text: str) -> list[str]:
        """The words of a text in their order, as the index has them."""
        with self._guarded():
            self._db.execute(_ASKED)
            try:
                self._db.execute(
                    "CREATE VIRTUAL TABLE temp.terms USING fts5vocab(temp, asked, instance)"
                )
                self._db.execute("INSERT INTO temp.asked (rowid, said) VALUES (1, ?)", (text,))
                rows = self._db.execute("SELECT term FROM temp.terms ORDER BY offset").fetchall()
            finally:
                self._db.execute("DROP TABLE IF EXISTS temp.terms")
                self._db.execute("DROP TABLE temp.asked")
        return [row[0] for row in rows]

    def shards(self) -> list[int]:
        """The numbers of the tables of words, the newest first."""
        return [row[0] for row in self._rows("SELECT no FROM shard ORDER BY no DESC")]

    def find(
        self, query: str, condition: str, values: Sequence[Any], *, each: bool, limit: int
    ) -> list[tuple[Place, int]]:
        """Passages that hold words, the newest first.

        Args:
            query: in the language of SQLite's FTS5.
            condition: a further one on `session`, in SQL; "1" for none.
            values: for it.
            each: whether every passage counts, rather than the newest of each session.
            limit: how many at most.

        Returns:
            each with how many there are of its session.
        """
        found: list[Any] = []
        for shard in self.shards():
            sql = _FIND.format(
                shard=shard, condition=condition, **(_EACH if each else _ONE_A_SESSION)
            )
            found += self._rows(sql, (query, *values, limit))
        found.sort(key=lambda row: -row[6])
        return [(Place(*row[:8]), row[8]) for row in found[:limit]]


def remove_index(path: Path) -> None:
    """Remove an index, with all that SQLite keeps beside it.

    Raises:
        OSError: it can't be removed.
    """
    for suffix in _SUFFIXES:
        files.remove(path.with_name(path.name + suffix))


def remove_indexes(paths: Paths) -> None:
    """Remove every index of this user's, as whoever wants none wishes.

    Raises:
        SearchError: one can't be removed.
    """
    with translating_errors(paths.state):
        for name in files.names_in(paths.state):
            if name.startswith(SEARCH_FILE) and SQLITE_SUFFIX in name:
                files.remove(paths.state / name)


def _is_laid_out(db: sqlite3.Connection) -> bool:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    kind = db.execute("PRAGMA application_id").fetchone()[0]
    return (kind, version) == (_APPLICATION, LAYOUT)


def _lay_out(db: sqlite3.Connection) -> None:
    """Make the tables, unless another process made them since it was looked.

    Raises:
        sqlite3.DatabaseError: they are another version's.
    """
    db.execute("PRAGMA auto_vacuum=INCREMENTAL")
    db.execute("BEGIN IMMEDIATE")
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in _TABLES.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id={_APPLICATION}")
        db.execute(f"PRAGMA user_version={LAYOUT}")
    elif not _is_laid_out(db):
        raise sqlite3.DatabaseError("it is of another version")
    db.execute("COMMIT")


@contextmanager
def translating_errors(path: Path) -> Iterator[None]:
    """What SQLite and the disk say, as one error.

    Args:
        path: the index's file, or the folder that it lies in.

    Raises:
        SearchError
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        why, todo = refusal_of_database(error, path, "try again in a moment")
        raise SearchError(
            f"the index of what was said can't be used now ({why})",
            todo=todo,
            passing=True,
        ) from error


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is at fault, and not a moment: another process, a full disk."""
    if isinstance(error, sqlite3.OperationalError):
        return any(word in str(error) for word in ("no such table", "no such column", "malformed"))
    return not isinstance(error, sqlite3.ProgrammingError)


def _stamp(size: int | None, mtime_ns: int | None, inode: int | None) -> Stamp | None:
    if size is None or mtime_ns is None or inode is None:
        return None
    return Stamp(size, mtime_ns, inode)
