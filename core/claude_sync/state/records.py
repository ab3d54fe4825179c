"""What this machine remembers of the sessions of one store.

Losing all of it costs a question, never bytes: what was held and written decides only whether
something may be replaced without asking.

Order of steps everywhere: first the file (in Claude's tree, the vault or the store), durable;
then what is remembered of it here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from claude_sync.model import Version
from claude_sync.state.database import Database


class SessionRecord(NamedTuple):
    """What is remembered of one session.

    Attributes:
        written: the version this machine last wrote into its bundle (P), None where unknown.
        revision: of that bundle; the greatest this machine ever wrote.
        name: of that bundle's file.
        layout: where that bundle's sections stand, as `store` wrote it; "" where unknown.
        decision: number of the resolve that made the local version, 0 for none.
        seen: whether the session was ever held here.
        forgotten: whether it isn't pushed until it is named.
        directory: where it was placed, "" where it wasn't.
        placed_ns: the modification time we gave it when we last placed it, 0 for never.
        undo: what brings back the state before the last pull or resolve, "" for nothing.
    """

    written: Version | None = None
    revision: int = 0
    name: str = ""
    layout: str = ""
    decision: int = 0
    seen: bool = False
    forgotten: bool = False
    directory: str = ""
    placed_ns: int = 0
    undo: str = ""


NOTHING = SessionRecord()


class Records:
    """The records of one store.

    Every method raises RecordsError where its database can't be used.

    Args:
        database: the store's.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def sessions(self) -> dict[str, SessionRecord]:
        """Everything remembered of every session."""
        return {row[0]: _session(row) for row in self._db.run("SELECT * FROM session")}

    def session(self, session_id: str) -> SessionRecord:
        """What is remembered of one session; nothing is a record too."""
        row = next(self._db.run("SELECT * FROM session WHERE session_id = ?", (session_id,)), None)
        return _session(row) if row else NOTHING

    def remember(self, session_id: str, **changes: Any) -> None:
        """Change fields of a session's record; `written` is a Version or None."""
        if "written" in changes:
            written: Version | None = changes.pop("written")
            changes["size"], changes["sha256"] = written or (None, None)
        columns = ", ".join(f"{name} = :{name}" for name in changes)
        self._db.run("INSERT OR IGNORE INTO session(session_id) VALUES (?)", (session_id,))
        self._db.run(
            f"UPDATE session SET {columns} WHERE session_id = :session_id",  # noqa: S608
            {**changes, "session_id": session_id},
        )

    def hold(self, session_id: str, version: Version) -> None:
        """Remember that the local transcript was this version."""
        self._db.run("INSERT OR IGNORE INTO held VALUES (?, ?, ?)", (session_id, *version))
        self._db.run(
            "INSERT INTO session(session_id, seen) VALUES (?, 1)"
            " ON CONFLICT(session_id) DO UPDATE SET seen = 1",
            (session_id,),
        )

    def held(self, session_id: str) -> frozenset[Version]:
        """Every version the local transcript was seen to be."""
        return self._versions("held", session_id)

    def decline(self, session_id: str, version: Version) -> None:
        """Remember that a version was undone here."""
        self._db.run("INSERT OR IGNORE INTO declined VALUES (?, ?, ?)", (session_id, *version))

    def declined(self, session_id: str) -> frozenset[Version]:
        """Versions that were undone here and not asked for since."""
        return self._versions("declined", session_id)

    def declined_ids(self) -> frozenset[str]:
        """Sessions with a declined version."""
        rows = self._db.run("SELECT DISTINCT session_id FROM declined")
        return frozenset(row[0] for row in rows)

    def accept(self, session_id: str) -> None:
        """Forget what was declined of a session, because somebody asked for it by name.

        It isn't held any more either: a person who wants it back must not be told that the version
        here replaces it, as one does that was rewound.
        """
        self._db.run(
            "DELETE FROM held WHERE session_id = ? AND (size, sha256) IN"
            " (SELECT size, sha256 FROM declined WHERE declined.session_id = held.session_id)",
            (session_id,),
        )
        self._db.run("DELETE FROM declined WHERE session_id = ?", (session_id,))

    def _versions(self, table: str, session_id: str) -> frozenset[Version]:
        rows = self._db.run(
            f"SELECT size, sha256 FROM {table} WHERE session_id = ?",  # noqa: S608
            (session_id,),
        )
        return frozenset(Version(*row) for row in rows)

    def supersede(self, session_id: str, hashes: Iterable[str]) -> None:
        """Remember versions, by SHA-256, that the local one knowingly replaces."""
        self._db.run_many(
            "INSERT OR IGNORE INTO supersedes(session_id, sha256) VALUES (?, ?)",
            [(session_id, sha256) for sha256 in hashes],
        )

    def stop_superseding(self, session_id: str, sha256: str) -> None:
        """A version that is the local one again isn't replaced by itself."""
        self._db.run(
            "DELETE FROM supersedes WHERE session_id = ? AND sha256 = ?", (session_id, sha256)
        )

    def replace_supersedes(self, session_id: str, hashes: Sequence[str]) -> None:
        """Put back an earlier state of what is superseded, oldest first."""
        self._db.run("DELETE FROM supersedes WHERE session_id = ?", (session_id,))
        self.supersede(session_id, hashes)

    def supersedes(self, session_id: str) -> tuple[str, ...]:
        """SHA-256 of the versions that the local one knowingly replaces, oldest first."""
        rows = self._db.run(
            "SELECT sha256 FROM supersedes WHERE session_id = ? ORDER BY number", (session_id,)
        )
        return tuple(row[0] for row in rows)

    def superseding_ids(self) -> frozenset[str]:
        """Sessions whose local version knowingly replaces another."""
        rows = self._db.run("SELECT DISTINCT session_id FROM supersedes")
        return frozenset(row[0] for row in rows)

    def merge(self, session_id: str, sidecar_sha256: str) -> None:
        """Remember that a bundle's sidecars, known by their digest, were merged in."""
        self._db.run("INSERT OR IGNORE INTO merged VALUES (?, ?)", (session_id, sidecar_sha256))

    def is_merged(self, session_id: str, sidecar_sha256: str) -> bool:
        """Whether sidecars of that digest were merged in already."""
        row = next(
            self._db.run(
                "SELECT 1 FROM merged WHERE session_id = ? AND sidecar_sha256 = ?",
                (session_id, sidecar_sha256),
            ),
            None,
        )
        return row is not None

    def relation(self, x: Version, y: Version) -> Mapping[str, Any] | None:
        """How two versions relate, as `put_relation` was told; it never changes."""
        row = next(
            self._db.run("SELECT value FROM relation WHERE x = ? AND y = ?", (x.sha256, y.sha256)),
            None,
        )
        return json.loads(row[0]) if row else None

    def extensions(self) -> frozenset[tuple[str, str]]:
        """SHA-256 of all pairs of versions of which the first is known to extend the second."""
        rows = self._db.run("SELECT x, y FROM relation WHERE extends")
        return frozenset((x, y) for x, y in rows)

    def put_relation(self, x: Version, y: Version, value: Mapping[str, Any]) -> None:
        """Remember how two versions relate."""
        self._db.run(
            "INSERT OR REPLACE INTO relation VALUES (?, ?, ?, ?)",
            (x.sha256, y.sha256, bool(value["extends"]), json.dumps(value)),
        )


def _session(row: Sequence[Any]) -> SessionRecord:
    size, sha256 = row[1], row[2]
    written = Version(size, sha256) if sha256 is not None else None
    return SessionRecord(
        written,
        row[3],
        row[4],
        row[5],
        row[6],
        bool(row[7]),
        bool(row[8]),
        row[9],
        row[10],
        row[11],
    )
