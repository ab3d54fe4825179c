"""Subagents: which files of a session are theirs, and what the client notes of each.

As seen with Claude Code 2.1.332: a subagent's transcript is `subagents/agent-<id>.jsonl` in its
session's sidecar folder, and `agent-<id>.meta.json` beside it says what it was set to do and which
call of a tool that was. Its lines are those of a transcript, each with `isSidechain` true. Earlier
clients note less, or nothing; there the result of the call names the subagent.
"""

from __future__ import annotations

import json
import re

from claude_sync.values import NamedTuple

FOLDER = "subagents"
MAX_NOTE_BYTES = 64 << 10
"""Of what is noted of one: the client's own have some hundred bytes."""

_ID = r"[A-Za-z0-9_-]{1,120}"
_FILE = re.compile(rf"{FOLDER}/(?:[^/]+/)*agent-({_ID})\.(jsonl|meta\.json)")
_LONGEST = 200


class Note(NamedTuple):
    """What the client notes of a subagent. Texts are other people's.

    Attributes:
        description: what it was set to do, in a few words; "" where unknown.
        kind: what sort of subagent it is, "" where unknown.
        call_id: the tool call that set it to work, "" where unknown.
    """

    description: str = ""
    kind: str = ""
    call_id: str = ""


def is_subagent_id(text: str) -> bool:
    """Whether a text may be a subagent's id."""
    return re.fullmatch(_ID, text) is not None


def transcript_of_subagent(path: str) -> str:
    """Whose transcript a session's file is, by its path in a bundle; "" where it is none."""
    return _id_in(path, "jsonl")


def note_of_subagent(path: str) -> str:
    """Of whom a session's file is the note, by its path in a bundle; "" where it is none."""
    return _id_in(path, "meta.json")


def _id_in(path: str, kind: str) -> str:
    found = _FILE.fullmatch(path)
    return found[1] if found is not None and found[2] == kind else ""


def read_note(data: bytes) -> Note:
    """What a note says; whatever it holds, as far as that makes sense."""
    try:
        told = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return Note()
    return Note(*(_text(told.get(key)) for key in ("description", "agentType", "toolUseId")))


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    # JSON may hold halves of pairs of surrogates, which nothing can encode.
    text = value[: 4 * _LONGEST].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return " ".join(text.split())[:_LONGEST]
