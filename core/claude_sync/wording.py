"""How long ago and how much, in few words. Pure."""

from __future__ import annotations

import time

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_DAYS_SHOWN = 14


def ago(then_ns: int, now_ns: int) -> str:
    """How long ago a moment was; after two weeks its date; "just now" if it is still to come.

    Args:
        then_ns, now_ns: nanoseconds since the epoch.
    """
    seconds = (now_ns - then_ns) // 1_000_000_000
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min ago"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h ago"
    if seconds < _DAYS_SHOWN * _DAY:
        return f"{seconds // _DAY} d ago"
    return time.strftime("%Y-%m-%d", time.localtime(then_ns // 1_000_000_000))


def rfc3339(moment_ns: int) -> str:
    """A moment as programs read it, in UTC and whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment_ns // 1_000_000_000))


def size(count: int) -> str:
    """So many bytes, in at most three digits or with one decimal: 889 B, 140 kB, 3.1 MB."""
    if count < 1_000:
        return f"{count} B"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1_000
        if amount < 9.95:
            return f"{amount:.1f} {unit}"
        if amount < 999.5:
            return f"{amount:.0f} {unit}"
    return f"{amount / 1_000:.1f} TB"


def count(number: int, one: str, many: str = "") -> str:
    """A number and its noun: 1 session, 2 sessions."""
    return f"{number} {one if number == 1 else many or one + 's'}"
