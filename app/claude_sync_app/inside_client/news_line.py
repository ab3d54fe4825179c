"""What a session's start says of news elsewhere, in one line. Pure but for the clock."""

from __future__ import annotations

import time

from claude_sync.service.messages import Answer, News
from claude_sync.wording import ago
from claude_sync_app.shown_text import one_line, shortened

_TITLE_LENGTH = 60
_MACHINE_LENGTH = 64
_ID_SHOWN = 8


def news_line(answer: Answer, now_ns: int | None = None) -> str:
    """The line; titles and machines in it are made safe to show.

    Args:
        answer: with one piece of news at least.
        now_ns: nanoseconds since the epoch, None for now.
    """
    first = answer.news[0]
    title = shortened(one_line(first.title), _TITLE_LENGTH) or first.session_id[:_ID_SHOWN]
    machine = shortened(one_line(first.machine), _MACHINE_LENGTH) or "another machine"
    others = answer.total - 1
    more = f", and {others:,} more" if others > 0 else ""
    if first.diverged:
        return f"“{title}” has diverged, here and on {machine}{more}: {_todo(first)}"
    when = ago(first.moment_ns, time.time_ns() if now_ns is None else now_ns)
    return f"{machine} went on with “{title}”, {when}{more}: {_todo(first)}"


def _todo(first: News) -> str:
    return f"`claude-sync resume {first.session_id[:_ID_SHOWN]}`"
