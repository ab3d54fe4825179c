"""What the page of one session shows: its facts, its turns, where something was found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from claude_sync.claude.turns import PERSON, TextPart, ToolCall, Turn
from claude_sync.search.export import facts_of_subagent, name_of_subagent, speaker_of
from claude_sync.search.reader import Found, MachineCopy, SessionHeader, Standing
from claude_sync.search.subagents import Subagent
from claude_sync.wording import size
from claude_sync_app.shown_text import one_line, without_controls
from claude_sync_app.window.markdown import as_html

_STANDINGS = {
    Standing.SAME: "the same",
    Standing.AHEAD: "further than this",
    Standing.BEHIND: "not as far as this",
    Standing.DIVERGED: "diverged from this",
    Standing.UNKNOWN: "",
}
_RENDERED_CHARACTERS = 200_000
"""Of one page; what comes after is shown as it is."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

Shown = dict[str, Any]


def copies(header: SessionHeader) -> list[Shown]:
    """The machines that have the session, each with how it stands to what is read."""
    return [_copy(one) for one in header.machines]


def _copy(copy: MachineCopy) -> Shown:
    return {
        "name": one_line(copy.machine),
        "where": "here" if copy.here else "in the shared folder",
        "size": size(copy.size),
        "mtime_ns": copy.mtime_ns,
        "standing": "this is what you read" if copy.is_read else _STANDINGS[copy.standing],
        "is_read": copy.is_read,
        "query": urlencode({"machine": copy.machine}),
    }


def agents(
    session: str, subagents: Iterable[Subagent], kept: Mapping[str, str] = _NOTHING
) -> dict[str, Shown]:
    """The subagents of a session, by their ids, each with where it is read.

    Args:
        session: the session's id.
        subagents: its subagents.
        kept: what the query of a link to one holds.
    """
    query = f"?{urlencode(kept)}" if kept else ""
    return {
        one.id: {
            "name": name_of_subagent(one),
            "facts": facts_of_subagent(one),
            "at_ns": int(one.began * 1e9) if one.began is not None else 0,
            "path": f"/session/{session}/agent/{one.id}{query}",
        }
        for one in subagents
    }


def turns(
    shown: Sequence[Turn], at: int | None = None, known: Mapping[str, Shown] = _NOTHING
) -> list[Shown]:
    """Turns as the page shows them.

    Args:
        shown: the turns.
        at: the place that is looked for, None for none.
        known: the subagents that calls of tools may have set to work, as `agents` has them.
    """
    left = _RENDERED_CHARACTERS
    found = []
    for turn in shown:
        parts: list[Shown] = []
        for part in turn.parts:
            if isinstance(part, TextPart):
                left -= len(part.text)
                parts.append(_text(part, plain=left < 0 or turn.unreadable))
            elif isinstance(part, ToolCall):
                said = ": ".join(filter(None, [one_line(part.name), one_line(part.summary)]))
                parts.append(_call(said, failed=part.failed, subagent=known.get(part.agent)))
            else:
                parts.append(_call(f"[{one_line(part.kind)}]"))
        found.append(
            {
                "speaker": speaker_of(turn),
                "kind": "user" if turn.speaker == PERSON else turn.speaker,
                "parts": parts,
                "at_ns": int(turn.time * 1e9) if turn.time is not None else 0,
                "compaction": turn.compaction,
                "is_hit": at is not None and turn.offset <= at < turn.end,
            }
        )
    return found


def _call(text: str, *, failed: bool = False, subagent: Shown | None = None) -> Shown:
    return {"kind": "call", "text": text, "failed": failed, "subagent": subagent, "more": ""}


def _text(part: TextPart, *, plain: bool) -> Shown:
    more = "More was said than is shown." if part.shortened else ""
    if plain:
        text = "\n".join(map(without_controls, part.text.splitlines()))
        return {"kind": "text", "text": text, "more": more}
    return {"kind": "markdown", "html": as_html(part.text), "more": more}


def finds(found: Sequence[Found]) -> list[Shown]:
    """Where something was found, each with its line in pieces."""
    return [
        {
            "offset": one.offset,
            "at_ns": int(one.time * 1e9) if one.time is not None else 0,
            "pieces": [(without_controls(text), marked) for text, marked in one.line.pieces()],
        }
        for one in found
    ]
