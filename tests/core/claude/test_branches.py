"""Which session one is a branch of, and which of its files it names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claude_sync.claude import branches
from claude_sync.claude.branches import files_pointed_into, parent_of
from machines import OTHER, SESSION

THIRD = "2b3c4d5e-1111-4222-8333-444455556666"


def written(folder: Path, *lines: object) -> Path:
    path = folder / f"{SESSION}.jsonl"
    path.write_bytes(
        b"".join(
            (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n"
            for line in lines
        )
    )
    return path


FORKED = {"uuid": "1", "forkedFrom": {"sessionId": OTHER, "messageUuid": "1"}}


@pytest.mark.parametrize(
    ("lines", "parent"),
    [
        ([], ""),
        ([{"uuid": "1"}], ""),
        ([{"type": "mode"}, FORKED], OTHER),
        ([{"forkedFrom": {"sessionId": OTHER.upper()}}], OTHER),
        ([{"forkedFrom": {"sessionId": SESSION}}], ""),
        ([{"forkedFrom": {"sessionId": "../x"}}, FORKED], OTHER),
        ([{"forkedFrom": 1}, {"forkedFrom": {}}, {"forkedFrom": None}], ""),
        ([b'{"forkedFrom"', b"[" * 50_000 + b'"forkedFrom"', ["forkedFrom"]], ""),
        ([{"text": json.dumps(FORKED)}], ""),
    ],
)
def test_the_parent_is_whom_a_line_itself_names(
    tmp_path: Path, lines: list[object], parent: str
) -> None:
    assert parent_of(written(tmp_path, *lines)) == parent


@pytest.mark.parametrize("block", [1, 64, 1 << 18])
def test_the_files_that_it_names_are_found_wherever_blocks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(branches, "BLOCK_SIZE", block)
    folder = f"/home/me/.claude/projects/-p/{OTHER}"
    path = written(
        tmp_path,
        {"text": f"see {folder}/tool-results/a.txt."},
        {"text": "x" * 100 + f"{folder}/subagents/agent-1.jsonl, and so on"},
        {"text": f"C:\\Users\\me\\.claude\\projects\\-p\\{OTHER}\\tool-results\\b.txt"},
        {"text": f"/elsewhere/{SESSION}/tool-results/mine.txt"},
        {"text": f"{folder}/hooks/x.sh {folder}/tool-results/../../x {folder}/tool-results"},
        {"text": f"{folder.replace(OTHER, THIRD)}/tool-results/c.txt"},
        {"text": "x" * 200},
    )
    assert files_pointed_into(path) == {
        OTHER: {"tool-results/a.txt", "tool-results/b.txt", "subagents/agent-1.jsonl"},
        THIRD: {"tool-results/c.txt"},
    }
