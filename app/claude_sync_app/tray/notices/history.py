"""What was notified before, and what was answered to it. Pure.

A `Subject` is something to notify of; it stands for as long as it is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from claude_sync.values import NamedTuple
from claude_sync_app.desktop.notifications.values import Answer, AnswerKind
from claude_sync_app.tray.notices.texts import LATER_BUTTON

AGAIN_SECONDS = 3_600.0
"""How long no subject is notified of twice."""

LATER_SECONDS = 4 * 3_600.0
"""How long "Later" lasts."""

START_SECONDS = 10.0
"""How long at most a start may take until what there is to say is said, in one."""


class Subject(NamedTuple):
    """Something to notify of.

    Attributes:
        kind: "arrival", "close", "replacing", "pulled", "conflict", "doctor", "failing",
            "offline", "error" or "welcome".
        what: a session's id, a finding's code, what failed.
        machine: whose, "" if no other machine is involved.
    """

    kind: str
    what: str
    machine: str = ""


@dataclass(frozen=True, slots=True)
class NoticeHistory:
    """What was notified before.

    Attributes:
        awake_since: when this program started, or the machine woke; seconds since the epoch.
        welcomes: whether it is still to be said where sessions are, for it is the first start.
        settled: whether the start is over, and what there was to say has been said.
        standing: what was notified of, or skipped, and still stands.
        shown_at: when each subject was last notified of, within the last hour.
        later: until when each waits after "Later".
        failing: why each session fails: the same message isn't shown again as a lasting error.
        failed_click: the message of the last click that failed, for the same reason.
        shown: the subjects of each notification that may still be seen, by its key.
    """

    awake_since: float
    welcomes: bool = False
    settled: bool = False
    standing: frozenset[Subject] = frozenset()
    shown_at: Mapping[Subject, float] = field(default_factory=dict)
    later: Mapping[Subject, float] = field(default_factory=dict)
    failing: Mapping[Subject, str] = field(default_factory=dict)
    failed_click: str = ""
    shown: Mapping[str, tuple[Subject, ...]] = field(default_factory=dict)


def new_history(now: float, *, welcomes: bool = False) -> NoticeHistory:
    """The history of a program that starts now (seconds since the epoch).

    Args:
        now: seconds since the epoch.
        welcomes: whether it starts for the first time.
    """
    return NoticeHistory(now, welcomes)


def after_sleep(history: NoticeHistory, now: float) -> NoticeHistory:
    """The history after a sleep that ended now."""
    return replace(history, awake_since=now)


def after_answer(history: NoticeHistory, answer: Answer, now: float) -> NoticeHistory:
    """The history after an answer; to be given every answer, of any kind."""
    if answer.kind is AnswerKind.SHOWN or answer.key not in history.shown:
        return history
    shown = {key: about for key, about in history.shown.items() if key != answer.key}
    later, standing = dict(history.later), history.standing
    if answer.kind is AnswerKind.BUTTON and answer.button == LATER_BUTTON:
        about = history.shown[answer.key]
        later.update(dict.fromkeys(about, now + LATER_SECONDS))
        standing -= frozenset(about)
    return replace(history, shown=shown, later=later, standing=standing)
