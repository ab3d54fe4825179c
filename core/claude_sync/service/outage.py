"""A store that can't be used: how often that was found out, and when it is tried again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from claude_sync.errors import ClaudeSyncError, StoreAbsent
from claude_sync.service import schedule


@dataclass(frozen=True, slots=True)
class Outage:
    """A store that couldn't be used when it was last tried.

    Attributes:
        failures: how often in a row it was tried in vain.
        message: why, as of the last time.
        retry_seconds: how long to leave it alone.
    """

    failures: int
    message: str
    retry_seconds: float


def after_failing(known: Outage | None, error: ClaudeSyncError, jitter: float) -> Outage:
    """The outage after the store was tried in vain once more.

    Args:
        known: the outage so far, None where the store could be used until now.
        error: why it couldn't be.
        jitter: see `schedule.retry_after`.
    """
    failures = known.failures + 1 if known is not None else 1
    by_hand_only = isinstance(error, StoreAbsent) or not error.passing
    wait = schedule.retry_after(failures, jitter, by_hand_only=by_hand_only)
    return Outage(failures, str(error), wait)
