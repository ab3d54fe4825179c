"""Messages of a transcript as a page shows them, and how a session is named there.

All text is other people's: what was said becomes Markdown that holds nothing but text, the rest is
escaped where it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from claude_sync.service.status import Status
from claude_sync.sync.read_conflict import Excerpt
from claude_sync.wording import count
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.window.markdown import as_html

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


def _message(excerpt: Excerpt) -> Said:
    message = excerpt.message
    return {
        "speaker": _SPEAKERS.get(message.speaker, "") if message is not None else "",
        "kind": message.speaker if message is not None and message.speaker in _SPEAKERS else "",
        "parts": _parts(message.text) if message is not None else [],
        "at_ns": int(message.at * 1e9) if message is not None and message.at is not None else 0,
        "events": _events(excerpt.events),
    }


def _parts(text: str) -> list[Said]:
    return [{"kind": "markdown", "html": as_html(text), "more": ""}]


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
