"""What was told before, and what people answered to it. Pure.

What can be told of is a `Subject`; it stands as long as it is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from claude_sync_app.desktop.notifications.values import Answer, AnswerKind
from claude_sync_app.tray.notices.texts import LATER_BUTTON

AGAIN_SECONDS = 3_600.0
"""How long the same is told of only once."""

LATER_SECONDS = 4 * 3_600.0
"""How long Later is."""


class Subject(NamedTuple):
    """Something that can be told of.

    Attributes:
        kind: "arrival", "close", "pulled", "conflict", "doctor", "failing", "offline" or "error".
        what: a session's id, a finding's code, what failed.
        machine: whose, "" where no other machine has to do with it.
    """

    kind: str
    what: str
    machine: str = ""


@dataclass(frozen=True, slots=True)
class NoticeHistory:
    """What was told before.

    Attributes:
        awake_since: when this program started, or the machine woke; seconds since the epoch.
        standing: what was told of, or passed over, and is still so.
        shown_at: when each was last told of; of the last hour.
        later: until when each is to wait, because a person said so.
        failing: sessions that fail, and why: it isn't told once more as what lasts.
        failed_click: the same of what a person asked for last that failed.
        shown: what each notification that may still be seen is about, by its key.
    """

    awake_since: float
    standing: frozenset[Subject] = frozenset()
    shown_at: Mapping[Subject, float] = field(default_factory=dict)
    later: Mapping[Subject, float] = field(default_factory=dict)
    failing: Mapping[Subject, str] = field(default_factory=dict)
    failed_click: str = ""
    shown: Mapping[str, tuple[Subject, ...]] = field(default_factory=dict)


def new_history(now: float) -> NoticeHistory:
    """The memory of a program that starts now (seconds since the epoch)."""
    return NoticeHistory(now)


def after_sleep(history: NoticeHistory, now: float) -> NoticeHistory:
    """The memory after a sleep that ended now."""
    return replace(history, awake_since=now)


def after_answer(history: NoticeHistory, answer: Answer, now: float) -> NoticeHistory:
    """The memory after an answer, of whatever kind; give it every one."""
    if answer.kind is AnswerKind.SHOWN or answer.key not in history.shown:
        return history
    shown = {key: about for key, about in history.shown.items() if key != answer.key}
    later, standing = dict(history.later), history.standing
    if answer.kind is AnswerKind.BUTTON and answer.button == LATER_BUTTON:
        about = history.shown[answer.key]
        later.update(dict.fromkeys(about, now + LATER_SECONDS))
        standing -= frozenset(about)
    return replace(history, shown=shown, later=later, standing=standing)
