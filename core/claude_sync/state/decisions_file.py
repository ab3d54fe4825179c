"""decisions.json: what a person decided about sessions, store by store.

Invariants:

1. Written only if something changed, whole (files.replace) and under a lock between processes,
   over what others wrote meanwhile: nobody's decisions are lost.
2. Members that this version doesn't know are kept as they are.
3. One that a newer version wrote, or that can't be read or looked at, is refused and left as it
   is: with what was decided unknown, nothing may be done. Only one that isn't there is as if
   nothing was decided.
4. One that is damaged is kept under another name, and the new one in its place says so, in one
   step: each store's decisions count as lost until they are settled.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claude_sync.disk import files
from claude_sync.disk.locks import Lock
from claude_sync.disk.refusals import refusal
from claude_sync.disk.snapshot import read_small, stamp_of
from claude_sync.errors import RecordsError, RecordsTooNew
from claude_sync.model import Stamp, Version
from claude_sync.state.paths import Paths
from claude_sync.values import NamedTuple

SCHEMA = 1
_MAX_BYTES = 64 << 20
_SHA256 = "[0-9a-f]{64}"
_WHAT = "what was decided about sessions here"


class Decided(NamedTuple):
    """What was decided about one session.

    Attributes:
        forgotten: whether it isn't pushed until it is named.
        declined: versions that were undone here and not asked for since.
        supersedes: SHA-256 of versions that the one here knowingly replaces, oldest first.
        decision: number of the resolve that made the version here, 0 for none.
    """

    forgotten: bool = False
    declined: frozenset[Version] = frozenset()
    supersedes: tuple[str, ...] = ()
    decision: int = 0


UNDECIDED = Decided()


class DamagedDecisions(ValueError):
    """The file is no JSON object, or its sections aren't."""


class DecisionsFile:
    """The file's content in memory, as far as one store goes.

    Args:
        paths: where claude-sync keeps its things.
        store_id: the store's.
        writable: whether it may be written; else a file that can't be used is as if it weren't
            there, and a damaged one stays where it is.

    Attributes:
        path: the file; what was a link (to a folder of dotfiles) stays one.
        sessions: what was decided, by session id.
        known: whether it holds anything of the store.
        lost: whether there were decisions that nobody knows any more.

    Raises:
        RecordsError: it can't be read, or a newer version wrote it.
    """

    def __init__(self, paths: Paths, store_id: str, *, writable: bool) -> None:
        self.path = Path(os.path.realpath(paths.decisions_file))
        self.sessions: dict[str, Decided] = {}
        self.known = False
        self.lost = False
        self._store_id = store_id
        self._writable = writable
        self._lock = Lock(paths.state / "decisions.lock", "remembering a decision")
        self._document: dict[str, Any] = {}
        self._stamp: Stamp | None = None
        self.reload()

    def reload(self) -> bool:
        """Read the file if it has changed; whether it has.

        Raises:
            RecordsError: it can't be read, or a newer version wrote it.
        """
        stamp: Stamp | None = None
        try:
            stamp = _stamp(self.path)
            if stamp == self._stamp:
                return False
            self._take_over(read_document(self.path), stamp)
        except DamagedDecisions:
            if self._writable:
                self._set_aside()
            else:
                self._take_over(_begun_anew(), stamp)
        except RecordsError:
            if self._writable:
                raise
            self._take_over({}, stamp)
        return True

    def save(self, changed: Mapping[str, Decided], *, lost: bool | None = None) -> None:
        """Write what was decided, over what the file says of those sessions.

        Args:
            changed: by session id.
            lost: whether decisions are lost from now on; None to leave that as it is.

        Raises:
            RecordsError: it can't be written; or it can't be read any more.
            LockBusy: another claude-sync keeps writing it.
        """
        if not self._writable:
            self.sessions.update(changed)
            self.lost = self.lost if lost is None else lost
            return
        with self._lock:
            self.reload()
            section = _member(_member(self._document, "stores"), self._store_id)
            sessions = _member(section, "sessions")
            for session_id, decided in changed.items():
                unknown = _unknown(sessions.pop(session_id, {}))
                if members := unknown | _members(decided):
                    sessions[session_id] = members
            if lost is not None:
                section["lost"] = lost
            self._write(self._document)

    def _set_aside(self) -> None:
        with self._lock:
            try:
                document = read_document(self.path)
            except DamagedDecisions:
                free = files.damaged_name(self.path)
                try:
                    files.link_or_copy(self.path, free)
                    files.sync_directory(free.parent)
                except OSError as error:
                    raise _unusable(self.path, error, "kept under another name") from error
                self._write(_begun_anew())
            else:
                # Another process was faster.
                self._take_over(document, _stamp(self.path))

    def _write(self, document: dict[str, Any]) -> None:
        document.setdefault("schema", SCHEMA)
        text = json.dumps(document, indent=1, sort_keys=True)
        try:
            files.make_private(self.path.parent)
            stamp = files.replace(self.path, text.encode("ascii") + b"\n")
        except OSError as error:
            self._stamp = None
            raise _unusable(self.path, error, "written") from error
        self._take_over(document, stamp)

    def _take_over(self, document: dict[str, Any], stamp: Stamp | None) -> None:
        section = document.get("stores", {}).get(self._store_id, {})
        self.known = bool(section)
        sessions = section.get("sessions", {})
        self.sessions = {session_id: _decided(one) for session_id, one in sessions.items()}
        self.lost = bool(section.get("lost", document.get("lost")))
        self._document, self._stamp = document, stamp


def read_document(path: Path) -> dict[str, Any]:
    """What stands in the file; nothing where there is none.

    Raises:
        DamagedDecisions: it is no JSON object, or its sections aren't.
        RecordsTooNew: a newer version wrote it.
        RecordsError: it can't be read.
    """
    try:
        document = json.loads(read_small(path, _MAX_BYTES))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error, "read") from error
    except (ValueError, RecursionError):
        raise DamagedDecisions from None
    schema = document.get("schema", SCHEMA) if isinstance(document, dict) else None
    if type(schema) is not int:
        raise DamagedDecisions
    if schema > SCHEMA:
        raise RecordsTooNew(
            f"a newer claude-sync wrote down {_WHAT}",
            where=str(path),
            todo="update this one; nothing was changed",
        )
    stores = _checked(document.get("stores", {}))
    for section in stores.values():
        for session in _checked(_checked(section).get("sessions", {})).values():
            _checked(session)
    return dict(document)


def _checked(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DamagedDecisions
    return value


def _begun_anew() -> dict[str, Any]:
    return {"schema": SCHEMA, "lost": True}


def _member(document: dict[str, Any], name: str) -> dict[str, Any]:
    section: dict[str, Any] = document.setdefault(name, {})
    return section


def _stamp(path: Path) -> Stamp | None:
    """The file's stamp, None where there is none.

    Raises:
        RecordsError: it can't be looked at, so that it may be there.
    """
    try:
        return stamp_of(os.stat(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error, "read") from error


def _unusable(path: Path, error: OSError, what: str) -> RecordsError:
    otherwise = "check the disk's free space and the permissions of the file and its folder"
    why, todo = refusal(error, otherwise)
    return RecordsError(f"{_WHAT} can't be {what} ({why})", where=str(path), todo=todo)


# --- one session -------------------------------------------------------------------------------


def _decided(members: dict[str, Any]) -> Decided:
    """What stands there of a session; what can't be understood is as if it didn't."""
    declined, supersedes = members.get("declined"), members.get("supersedes")
    decision = members.get("decision")
    return Decided(
        bool(members.get("forgotten")),
        frozenset(
            Version(one["size"], one["sha256"])
            for one in (declined if isinstance(declined, list) else ())
            if isinstance(one, dict)
            and type(one.get("size")) is int
            and _is_sha256(one.get("sha256"))
        ),
        tuple(filter(_is_sha256, supersedes if isinstance(supersedes, list) else ())),
        decision if type(decision) is int and decision > 0 else 0,
    )


def _members(decided: Decided) -> dict[str, Any]:
    """The same as it is written: without what says nothing."""
    members = decided._asdict() | {"supersedes": list(decided.supersedes)}
    members["declined"] = [
        {"size": size, "sha256": sha256} for size, sha256 in sorted(decided.declined)
    ]
    return {name: value for name, value in members.items() if value}


def _unknown(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in Decided._fields}


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_SHA256, value) is not None
