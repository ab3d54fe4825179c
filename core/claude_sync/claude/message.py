"""One line of a transcript as a person reads it: what was said, or one word for what it is.

For showing only; nothing that moves a session depends on it. Whatever is in a line, there is an
answer. Texts are other people's.
"""

from __future__ import annotations

import json
from typing import Any

from claude_sync.values import NamedTuple

TEXT_CHARACTERS = 2_000
"""How much of a text is kept."""

_WORD_CHARACTERS = 40
PERSON = "user"
_SPEAKERS = frozenset({PERSON, "assistant"})
_UNREADABLE = "unreadable"


class Message(NamedTuple):
    """What one line holds.

    Attributes:
        speaker: "user" or "assistant" where something was said, else "".
        text: what was said, at most 2,000 characters; else one word for the event.
        at: seconds since the epoch as the line says, None where it doesn't.
    """

    speaker: str
    text: str
    at: float | None = None


def read_message(line: bytes) -> Message | None:
    """What a line holds, None for a blank one."""
    if not line.strip():
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return Message("", _UNREADABLE)
    if not isinstance(event, dict):
        return Message("", _UNREADABLE)
    kind = event.get("type")
    kind = kind if isinstance(kind, str) else ""
    at = moment_of(event.get("timestamp"))
    message = event.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if kind in _SPEAKERS and not event.get("isMeta") and (text := _text(content)):
        return Message(kind, text, at)
    return Message("", _word(kind, content), at)


def _text(content: object) -> str:
    """All that a message says in words."""
    parts = [content] if isinstance(content, str) else []
    if isinstance(content, list):
        parts = [
            item["text"]
            for item in content
            if isinstance(item, dict)
            and item.get("type", "text") == "text"
            and isinstance(item.get("text"), str)
        ]
    text = "\n".join(part[: TEXT_CHARACTERS + 1] for part in parts).strip()
    return text if len(text) <= TEXT_CHARACTERS else text[: TEXT_CHARACTERS - 1] + "…"


def _word(kind: str, content: object) -> str:
    """What an event is called: the kind of a message's first part tells more than its own."""
    first: Any = content[0] if isinstance(content, list) and content else None
    if kind in _SPEAKERS and isinstance(first, dict) and isinstance(first.get("type"), str):
        kind = first["type"]
    word = "-".join(kind[:_WORD_CHARACTERS].replace("_", "-").split())
    return word or "event"


def moment_of(value: object) -> float | None:
    """Seconds since the epoch of an event's ``timestamp``, None where that tells no moment."""
    if not isinstance(value, str) or len(value) > _WORD_CHARACTERS:
        return None
    from datetime import datetime

    try:
        # Before Python 3.11 fromisoformat doesn't know Z.
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        seconds = moment.timestamp() if moment.tzinfo is not None else -1.0
    except (ValueError, OverflowError, OSError):
        return None
    return seconds if seconds >= 0 else None
