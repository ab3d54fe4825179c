"""When to do what. PURE: times in, times out; no clock, no randomness inside.

Times are seconds of a clock that the caller chooses; it must not jump.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

LATEST_SECONDS = 30.0
"""A session that keeps changing is pushed at least so often, up to `FREE_BYTES`."""

FREE_BYTES = 20_000_000
SECONDS_PER_BYTE = 1.5 / 1_000_000
"""Beyond that a session is rewritten at most once in 1.5 seconds a megabyte: at 300 MB, 2.4 GB an
hour and not 36."""

RESCAN_SECONDS = 900.0
SILENT_RESCAN_SECONDS = 60.0
"""As long as no event has proved that events come at all."""

POLL_SECONDS = 10.0
"""Between two rescans where no events come."""

HEALTH_SECONDS = 10.0
"""A watch that died is found out within two of these."""

DOCTOR_SECONDS = 86_400.0
FOUND_DOCTOR_SECONDS = 900.0
"""Between two looks of the doctor while there is a warning: it may be fixed by now."""

FIXED_DOCTOR_SECONDS = 60.0
"""While there is one, so long after its last look a push or a pull has the doctor look again."""

TIDY_SECONDS = 86_400.0
RECENT_SECONDS = 7 * 86_400.0
"""What was used so lately is pushed at the first start; what is older, when it is asked for."""

FIRST_RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 300.0
GAP_SECONDS = 20.0
UNWATCHED_SECONDS = 3600.0
"""After which a store that can't tell of changes is asked again whether it can."""

MOST_HINTS = 10.0
_SECONDS_A_HINT = 5.0
_BETWEEN_HINTS_SECONDS = 0.2
_EVENT_SECONDS = 0.05
_BETWEEN_EVENT_LOOKS_SECONDS = 0.5
_SHARE_OF_LOOKING = 10


class Events(Enum):
    """Whether the system's events can be relied on."""

    UNPROVED = "none has come yet"
    COMING = "they come"
    MISSING = "a change was found that none told of"


@dataclass(frozen=True, slots=True)
class Change:
    """A session that changed since it was last pushed.

    Attributes:
        first: when the first change since then was seen.
        last: when the last one was.
        size: of all that its bundle holds, bytes.
        pushed: when it was last pushed, None if it wasn't yet.
        urgent: whether it is pushed as soon as possible: its client has closed it.
        rested: whether its client said after the last change that it waits for its person.
        failures: how often in a row pushing it failed.
        not_before: not to be tried before, because it failed.
    """

    first: float
    last: float
    size: int
    pushed: float | None = None
    urgent: bool = False
    rested: bool = False
    failures: int = 0
    not_before: float = 0.0


def after_change(
    known: Change | None, now: float, size: int, pushed: float | None, *, urgent: bool = False
) -> Change:
    """A session's change, after one more was seen."""
    if known is None:
        return Change(now, now, size, pushed, urgent)
    return replace(known, last=now, size=size, urgent=known.urgent or urgent, rested=False)


def after_failure(change: Change, now: float) -> Change:
    """A session's change, after it couldn't be pushed: it is tried again, but less and less."""
    wait = LATEST_SECONDS * 2.0 ** min(change.failures, 10)
    return replace(
        change,
        failures=change.failures + 1,
        not_before=now + min(wait, LONGEST_RETRY_SECONDS),
    )


def push_interval(size: int) -> float:
    """How long to wait between two pushes of a session that keeps changing."""
    return LATEST_SECONDS if size <= FREE_BYTES else size * SECONDS_PER_BYTE


def push_due(change: Change, quiet_seconds: float) -> float:
    """When to push a changed session: once it is quiet, or has been changing for too long.

    One that its client says is at rest is quiet.
    A big one is not pushed more often than `push_interval` allows, however often it falls quiet.
    """
    if change.urgent:
        return max(change.last, change.not_before)
    quiet = change.last + (0.0 if change.rested else quiet_seconds)
    since = change.first if change.pushed is None else max(change.first, change.pushed)
    due = min(quiet, since + push_interval(change.size))
    if change.size > FREE_BYTES and change.pushed is not None:
        due = max(due, change.pushed + push_interval(change.size))
    return max(due, change.not_before)


def rescan_after(events: Events, *, blind: bool) -> float:
    """How long to wait between two rescans.

    Args:
        events: what is known of them.
        blind: whether none can come, because nothing is watched.
    """
    if blind or events is Events.MISSING:
        return POLL_SECONDS
    return RESCAN_SECONDS if events is Events.COMING else SILENT_RESCAN_SECONDS


def retry_after(failures: int, jitter: float, *, by_hand_only: bool = False) -> float:
    """How long to wait before trying a store again that can't be used.

    Args:
        failures: how often in a row it couldn't, at least 1.
        jitter: a number from 0 to 1, different each time, so that machines don't get in step.
        by_hand_only: whether only a person can help (log in, mount the disk): then at the longest
            interval at once; a wake, an unlock or a click tries sooner.
    """
    if by_hand_only:
        wait = LONGEST_RETRY_SECONDS
    else:
        wait = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 10))
    return wait * (0.75 + 0.25 * jitter)


def look_after_event(now: float, ended: float, took: float, *, remote: bool = False) -> float:
    """When to look at the store after an event there.

    At once, so that an arrival is seen; but a big file that is being copied in brings events all
    the time, and looking must not become all that is done.

    Args:
        now: when the event came.
        ended: when the last look ended.
        took: how long it took.
        remote: whether the store is reached over a connection. A look is waiting there rather than
            work, and how often its host can have it looked at is bound by `rest_after_hint`.
    """
    rest = max(_BETWEEN_EVENT_LOOKS_SECONDS, took if remote else _SHARE_OF_LOOKING * took)
    return max(now + _EVENT_SECONDS, ended + rest)


def hints_left(before: float, passed: float) -> float:
    """How many hints are taken at once from a host that tells of changes, after one more came.

    A few are, for pushes come together. But a host that claims all the time that something has
    changed is believed once in some seconds only.

    Args:
        before: how many there were, `MOST_HINTS` to begin with.
        passed: how long ago that was.
    """
    return max(0.0, min(MOST_HINTS, before + passed / _SECONDS_A_HINT) - 1.0)


def rest_after_hint(left: float) -> float:
    """How long not to listen to a host after a hint; what changes meanwhile it tells of later.

    Args:
        left: `hints_left`.
    """
    return _BETWEEN_HINTS_SECONDS if left >= 1.0 else _SECONDS_A_HINT


def is_gap(waited: float, passed: float, wall: float) -> bool:
    """Whether the machine slept, or its clock was set, meanwhile.

    Some systems' steady clock stands still in a sleep, others' goes on; both are asked.

    Args:
        waited: how long nothing was to be done at most.
        passed: how long it was by the steady clock.
        wall: how long it was by the wall clock.
    """
    return passed > waited + GAP_SECONDS or abs(wall - passed) > GAP_SECONDS


def seconds_until_first(times: Iterable[float], now: float, longest: float) -> float:
    """How long to wait for the first of several times; not below zero, at most `longest`."""
    return max(0.0, min([longest, *(time - now for time in times)]))
