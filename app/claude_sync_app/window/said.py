"""Messages of a transcript as a page shows them, and how a session is named there. Pure.

All text is other people's: templates escape it, and it comes here without control characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from claude_sync.claude.turns import PERSON, TextPart, ToolCall, Turn
from claude_sync.search.export import blocks, speaker_of
from claude_sync.service.status import Status
from claude_sync.sync.read_conflict import Excerpt
from claude_sync.wording import count
from claude_sync_app.shown_text import one_line, shortened, without_controls

_TITLE_LENGTH = 100
_SPEAKERS = {"user": "You", "assistant": "Claude"}
_EVENTS = {
    "tool-use": "tool call",
    "tool-result": "tool result",
    "thinking": "thought",
    "image": "image",
}

Said = dict[str, Any]
"""What `said.html` shows as one message."""


def messages(excerpts: Sequence[Excerpt]) -> list[Said]:
    """Messages, and the events between them."""
    return [_message(one) for one in excerpts]


def turns(shown: Sequence[Turn]) -> list[Said]:
    """Turns, with their tool calls on a line each."""
    return [_turn(one) for one in shown]


def _turn(turn: Turn) -> Said:
    parts: list[dict[str, str]] = []
    for part in turn.parts:
        if isinstance(part, TextPart):
            parts += _parts(part.text)
        elif isinstance(part, ToolCall):
            said = ": ".join(filter(None, [one_line(part.name), one_line(part.summary)]))
            parts.append({"kind": "call", "text": f"{said} (failed)" if part.failed else said})
        else:
            parts.append({"kind": "call", "text": f"[{one_line(part.kind)}]"})
    return {
        "speaker": speaker_of(turn),
        "kind": "user" if turn.speaker == PERSON else turn.speaker,
        "parts": parts,
        "at_ns": int(turn.time * 1e9) if turn.time is not None else 0,
        "events": "",
    }


def _parts(text: str) -> list[dict[str, str]]:
    """A text by what is code in it and what isn't."""
    found = []
    for code, lines in blocks("\n".join(map(without_controls, text.splitlines()))):
        inside = "\n".join(lines).strip("\n")
        if inside.strip():
            found.append({"kind": "text" if code is None else "code", "text": inside})
    return found


def _message(excerpt: Excerpt) -> Said:
    message = excerpt.message
    return {
        "speaker": _SPEAKERS.get(message.speaker, "") if message is not None else "",
        "kind": message.speaker if message is not None and message.speaker in _SPEAKERS else "",
        "parts": _parts(message.text) if message is not None else [],
        "at_ns": int(message.at * 1e9) if message is not None and message.at is not None else 0,
        "events": _events(excerpt.events),
    }


def _events(events: Sequence[tuple[str, int]]) -> str:
    """What happened between two messages: what a person knows by name, and how much else."""
    known: dict[str, int] = {}
    for word, number in events:
        noun = _EVENTS.get(word, "other entry")
        known[noun] = known.get(noun, 0) + number
    return ", ".join(
        count(number, noun, "other entries" if noun == "other entry" else "")
        for noun, number in sorted(known.items(), key=lambda item: item[0] == "other entry")
    )


def name_of(status: Status, session_id: str, title: str = "") -> str:
    """What a session is called: by the title that is known of it, else by its id's beginning."""
    known = (state.title for state in status.sessions if state.session_id == session_id)
    for text in (title, *known):
        if given := shortened(one_line(text), _TITLE_LENGTH):
            return given
    return f"Untitled {session_id[:8]}"
