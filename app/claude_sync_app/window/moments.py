"""Moments in this machine's own time zone, as a page shows them. Pure, save for the zone."""

from __future__ import annotations

from datetime import datetime

_NO_MOMENT = "at an unknown time"


def clock_of(moment_ns: float) -> str:
    """Hours and minutes: "18:04"."""
    moment = _local(moment_ns)
    return moment.strftime("%H:%M") if moment is not None else ""


def day_of(moment_ns: float, now_ns: float) -> str:
    """The day, as somebody would say it now: "Today", "Yesterday", "Monday, 31 January"."""
    moment, now = _local(moment_ns), _local(now_ns)
    if moment is None or now is None:
        return "Some day"
    days = (now.date() - moment.date()).days
    if days in (0, 1):
        return ("Today", "Yesterday")[days]
    year = f" {moment.year}" if moment.year != now.year else ""
    return f"{moment:%A}, {moment.day} {moment:%B}{year}"


def date_of(moment_ns: float) -> str:
    """Day and time: "31 January 2026, 18:04"."""
    moment = _local(moment_ns)
    if moment is None or moment_ns <= 0:
        return _NO_MOMENT
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def _local(moment_ns: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(moment_ns / 1e9)
    except (ValueError, OverflowError, OSError):
        return None
