"""What is remembered of a pull or a resolve, so that it can be undone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from claude_sync.model import SidecarFile, Version
from claude_sync.state.records import SessionRecord
from claude_sync.values import NamedTuple


class UndoRecord(NamedTuple):
    """What brings back the state before a version was installed.

    Attributes:
        before: the transcript that was there, None where there was none.
        after: the transcript that was installed.
        entry: folder of the vault's entry with what was replaced, "" where there is none.
        mtime_ns: of the transcript that was there.
        added: sidecar files that weren't there.
        kept: sidecar files that are in the vault's entry.
        grown: sidecar files that only grew, with what they were.
        decision: the number of the decision that had made what was there.
        supersedes: SHA-256 of the versions that what was there replaced.
        copies: ids of the sessions that "both" made of rivals.
        undone: the transcript that lay here when an undo of this began, None where none has. One
            that failed half way is done again, and what lies here then isn't what is undone.
        inherited: plans that lay here before another session came which has the same: a copy that
            "both" made, or one whose import was undone since. Each with the vault's entry that
            has it.
        from_elsewhere: so many bytes at the beginning of what was installed came from elsewhere,
            None for all of it.
    """

    before: Version | None
    after: Version
    entry: str = ""
    mtime_ns: int = 0
    added: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    grown: tuple[SidecarFile, ...] = ()
    decision: int = 0
    supersedes: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    undone: Version | None = None
    inherited: tuple[tuple[str, str], ...] = ()
    from_elsewhere: int | None = None

    def lay_here(self) -> Mapping[str, str]:
        """What lay here of a session that wasn't: the vault's entries, by path in a bundle."""
        if self.before is not None:
            return {}
        own = dict.fromkeys(self.kept, self.entry) if self.entry else {}
        return {**own, **dict(self.inherited)}

    def to_json(self) -> str:
        """The text that the records keep."""
        grown = [file._asdict() for file in self.grown]
        return json.dumps({**self._asdict(), "grown": grown})

    @classmethod
    def from_json(cls, text: str) -> UndoRecord:
        """The record that `to_json` made a text of."""
        document: dict[str, Any] = json.loads(text)
        return cls(
            before=Version(*document["before"]) if document["before"] is not None else None,
            after=Version(*document["after"]),
            entry=document["entry"],
            mtime_ns=int(document["mtime_ns"]),
            added=tuple(document["added"]),
            kept=tuple(document["kept"]),
            grown=tuple(SidecarFile(**file) for file in document["grown"]),
            decision=int(document["decision"]),
            supersedes=tuple(document["supersedes"]),
            copies=tuple(document.get("copies", ())),
            undone=Version(*document["undone"]) if document.get("undone") is not None else None,
            inherited=tuple((path, entry) for path, entry in document.get("inherited", ())),
            from_elsewhere=document.get("from_elsewhere"),
        )


def from_elsewhere(record: SessionRecord, size: int) -> int:
    """How many bytes at the beginning of a transcript came from elsewhere; in doubt all.

    Args:
        record: what is remembered of its session.
        size: of the transcript.
    """
    if record.installed_ns == 0:
        return 0
    try:
        undo = UndoRecord.from_json(record.undo)
    except (ValueError, KeyError, TypeError):
        return size
    known = undo.from_elsewhere
    return min(size, undo.after.size if known is None else known)
