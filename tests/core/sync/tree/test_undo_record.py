"""What is remembered for an undo comes back as it was."""

from __future__ import annotations

import json

import pytest

from claude_sync.model import SidecarFile, Version
from claude_sync.sync.tree.undo_record import UndoRecord

WHOLE = UndoRecord(
    before=Version(3, "aa"),
    after=Version(5, "bb"),
    entry="session/7",
    mtime_ns=1_234_567_890_123_456_789,
    added=("tool-results/new.txt",),
    kept=("tool-results/old.txt",),
    grown=(SidecarFile("subagents/a.jsonl", 9, "cc"),),
    decision=2,
    supersedes=("dd", "ee"),
    copies=("copy",),
)


@pytest.mark.parametrize("record", [WHOLE, UndoRecord(None, Version(5, "bb"))])
def test_a_record_survives_being_written_down(record: UndoRecord) -> None:
    assert UndoRecord.from_json(record.to_json()) == record


def test_one_written_before_copies_were_remembered_has_none() -> None:
    document = json.loads(WHOLE.to_json())
    del document["copies"]
    assert UndoRecord.from_json(json.dumps(document)).copies == ()
