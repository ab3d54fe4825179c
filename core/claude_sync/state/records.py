"""What this machine remembers of the sessions of one store.

Losing all of it costs a question, never bytes: what was held and written decides only whether
something may be replaced without asking. What a person decided isn't among it: see `decisions`.

Order of steps everywhere: first the file (in Claude's tree, the vault or the store), durable;
then what was decided, durable too; then what is remembered of it here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from claude_sync.model import Version
from claude_sync.state.database import Database
from claude_sync.values import NamedTuple


class Merged(NamedTuple):
    """How a set of sidecars was merged in, or written.

    Attributes:
        revision: the greatest in which it was; -1 for never.
        held: the path of a plan that stayed out, since another session had it open; "" for none.
    """

    revision: int = -1
    held: str = ""


class SessionRecord(NamedTuple):
    """What is remembered of one session.

    Attributes:
        written: the version this machine last wrote into its bundle (P), None where unknown.
        revision: of that bundle; the greatest this machine ever wrote.
        name: of that bundle's file.
        layout: where that bundle's sections stand, as `store` wrote it; "" where unknown.
        seen: whether the session was ever held here.
        directory: where it was installed, "" where it wasn't.
        installed_ns: the modification time we gave it when we last installed it, 0 for never.
        undo: what brings back the state before the last pull, resolve or restore, "" for nothing.
        intact: the version that lay here when a push or a pull looked last and nothing was
            missing of what had been said before, None where unknown.
        merging: whether a merge of its sidecars began and was never done.
        unplaced_plan: the path of the plan that came with it and never lay here, since other
            sessions had another one of that name; "" for none.
    """

    written: Version | None = None
    revision: int = 0
    name: str = ""
    layout: str = ""
    seen: bool = False
    directory: str = ""
    installed_ns: int = 0
    undo: str = ""
    intact: Version | None = None
    merging: bool = False
    unplaced_plan: str = ""


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
        return {row[0]: _session(row) for row in self._db.rows("SELECT * FROM session")}

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

    def hold(self, session_id: str, version: Version, *, intact: bool = True) -> None:
        """Remember that the local transcript was this version.

        Args:
            session_id: its session.
            version: what it was.
            intact: whether nothing was missing of what had been said in it before, or a person
                said that it is to be missing.
        """
        self._db.run("INSERT OR IGNORE INTO held VALUES (?, ?, ?)", (session_id, *version))
        self._db.run(
            "INSERT INTO session(session_id, seen) VALUES (?, 1)"
            " ON CONFLICT(session_id) DO UPDATE SET seen = 1",
            (session_id,),
        )
        if intact:
            self._db.run(
                "UPDATE session SET intact_size = ?, intact_sha256 = ? WHERE session_id = ?",
                (*version, session_id),
            )

    def held(self, session_id: str) -> frozenset[Version]:
        """Every version the local transcript was seen to be."""
        rows = self._db.run("SELECT size, sha256 FROM held WHERE session_id = ?", (session_id,))
        return frozenset(Version(*row) for row in rows)

    def merge(
        self,
        session_id: str,
        version: Version,
        sidecar_sha256: str,
        revision: int,
        *,
        held: str = "",
    ) -> None:
        """Remember that a bundle's sidecars, known by their digest, lay here, or were merged in.

        Args:
            session_id: its session.
            version: the transcript that they lay beside: with another one they are another's.
            sidecar_sha256: the bundle's.
            revision: the bundle's.
            held: the path of a plan of theirs that waits until another session is closed.
        """
        self._db.run(
            "INSERT INTO merged VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT(session_id, sha256, sidecar_sha256) DO UPDATE"
            " SET revision = max(revision, excluded.revision), held = excluded.held",
            (session_id, version.sha256, sidecar_sha256, revision, held),
        )
        self._db.run("UPDATE session SET merging = 0 WHERE session_id = ?", (session_id,))

    def begin_merge(self, session_id: str) -> None:
        """Remember that a session's sidecars are about to be merged; what is here may be a mixture
        until `merge` says that it was done."""
        self.remember(session_id, merging=True)

    def merged(self, session_id: str, version: Version, sidecar_sha256: str) -> Merged:
        """How sidecars of that digest were merged in, beside that transcript."""
        rows = self._db.run(
            "SELECT revision, held FROM merged"
            " WHERE session_id = ? AND sha256 = ? AND sidecar_sha256 = ?",
            (session_id, version.sha256, sidecar_sha256),
        )
        return next((Merged(*row) for row in rows), Merged())

    def relation(self, x: Version, y: Version) -> Mapping[str, Any] | None:
        """How two versions relate, as `put_relation` was told; it never changes."""
        row = next(
            self._db.run("SELECT value FROM relation WHERE x = ? AND y = ?", (x.sha256, y.sha256)),
            None,
        )
        return json.loads(row[0]) if row else None

    def extended_by(self, x: Version) -> frozenset[str]:
        """SHA-256 of the versions that one is known to extend."""
        rows = self._db.run("SELECT y FROM relation WHERE x = ? AND extends", (x.sha256,))
        return frozenset(row[0] for row in rows)

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
    _, size, sha256, revision, name, layout, seen, directory, installed_ns, undo, *later = row
    intact_size, intact_sha256, merging, unplaced_plan = later
    return SessionRecord(
        written=Version(size, sha256) if sha256 is not None else None,
        revision=revision,
        name=name,
        layout=layout,
        seen=bool(seen),
        directory=directory,
        installed_ns=installed_ns,
        undo=undo,
        intact=Version(intact_size, intact_sha256) if intact_sha256 is not None else None,
        merging=bool(merging),
        unplaced_plan=unplaced_plan,
    )
