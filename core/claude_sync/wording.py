"""The one voice in which every front end speaks of ages, sizes, counts, lists and paths."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from claude_sync.errors import ClaudeSyncError
from claude_sync.spelling import plain

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_DAYS_SHOWN = 14
_ODD_ON_WINDOWS = " &()^;,'"


def ago(then_ns: int, now_ns: int) -> str:
    """How long ago a moment was; after two weeks its date; "just now" if it is still to come.

    Args:
        then_ns, now_ns: nanoseconds since the epoch.
    """
    seconds = (now_ns - then_ns) // 1_000_000_000
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{count(seconds // _MINUTE, 'minute')} ago"
    if seconds < _DAY:
        return f"{count(seconds // _HOUR, 'hour')} ago"
    if seconds < _DAYS_SHOWN * _DAY:
        return f"{count(seconds // _DAY, 'day')} ago"
    try:
        return time.strftime("%Y-%m-%d", time.localtime(then_ns // 1_000_000_000))
    except (OSError, OverflowError, ValueError):
        return "long ago"  # Windows knows no dates before 1970


def duration(seconds: float) -> str:
    """A length of time, rounded to minutes; from two hours on to hours, from two days on to days.

    Args:
        seconds: not negative.
    """
    if seconds < 2 * _HOUR:
        return count(round(seconds / _MINUTE), "minute")
    if seconds < 2 * _DAY:
        return count(round(seconds / _HOUR), "hour")
    return count(round(seconds / _DAY), "day")


def rfc3339(moment_ns: int) -> str:
    """A moment as programs read it, in UTC and whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment_ns // 1_000_000_000))


def held_back(checkpoints: int) -> str:
    """What is said of checkpoints that don't travel with their session, a clause.

    Args:
        checkpoints: how many they are, at least one.
    """
    which, stay = ("checkpoint", "stays") if checkpoints == 1 else ("checkpoints", "stay")
    return (
        f"{checkpoints:,} {which} {stay} on this machine only: a session takes along the newest, "
        "as many as fit into 50 MB and into 10,000 files"
    )


def size(number: int) -> str:
    """So many bytes, in at most three digits or with one decimal: 889 bytes, 140 KB, 3.1 MB."""
    if number < 1_000:
        return count(number, "byte")
    amount = float(number)
    for unit in ("KB", "MB", "GB"):
        amount /= 1_000
        if amount < 9.95:
            return f"{amount:.1f} {unit}"
        if amount < 999.5:
            return f"{amount:.0f} {unit}"
    return f"{amount / 1_000:.1f} TB"


def count(number: int, one: str, many: str = "") -> str:
    """A number and its noun: 1 session, 2 sessions, 1,234 sessions."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def read_so_far(read: int, total: int) -> str:
    """What is said of a search where the index of what was said is still being filled.

    Args:
        read: how many sessions were read, the newest ones.
        total: how many there are.
    """
    are = "is" if read == 1 else "are"
    return f"{read:,} of {count(total, 'session')} {are} read so far; older ones aren't found yet."


def replaces(lines: int) -> str:
    """What a version does that takes the place of one here with so many lines of its own."""
    return f"replaces {count(lines, 'line')} that {'is' if lines == 1 else 'are'} only here"


def shortened(turns: int | None) -> str:
    """What is wrong with a transcript that lacks something that was said in it before, a clause.

    Args:
        turns: how many turns it lacks, None where that isn't known.
    """
    if not turns:
        return "something that was said here is no longer in its file"
    if turns == 1:
        return "a turn that was here is no longer in its file"
    return f"{count(turns, 'turn')} that were here are no longer in its file"


def join(words: Sequence[str], most: int = 5) -> str:
    """Words in a sentence: "a", "a and b", "a, b and c"; of too many the first: "a, b and 7 more".

    Args:
        words: at least one.
        most: how many may be named.
    """
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1:,} more"]
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def short_path(path: str | os.PathLike[str]) -> str:
    """A path as a person would say it: the home directory is ``~``."""
    text, home = plain(os.fspath(path)), os.path.expanduser("~")
    if text == home:
        return "~"
    inside = os.path.normcase(text).startswith(os.path.normcase(home + os.sep))
    return f"~{text[len(home) :]}" if inside else text


def capitalized(clause: str) -> str:
    """A clause with a capital, and without a full stop."""
    return f"{clause[:1].upper()}{clause[1:].removesuffix('.')}"


def sentence(clause: str) -> str:
    """A clause with a capital and a full stop."""
    return f"{capitalized(clause)}."


def what_happened(error: ClaudeSyncError) -> str:
    """What an error says, without what to do about it, as a sentence."""
    where = f" ({short_path(error.where)})" if error.where else ""
    return sentence(f"{error.what}{where}")


def is_typable(text: str) -> bool:
    """Whether a name is safe in a command that people copy: all visible, nothing that ends it.

    Names of files in a store come from other machines.
    """
    return text.isprintable() and "`" not in text


def quoted(text: str | os.PathLike[str], system: str = os.name) -> str:
    """An argument as it is typed into this system's shell; what can't be typed is called PATH."""
    text = os.fspath(text)
    if not is_typable(text):
        return "PATH"
    if system == "nt":
        return f'"{text}"' if any(c in text for c in _ODD_ON_WINDOWS) else text
    from shlex import quote

    return quote(text)


def typed_elsewhere(location: str) -> str:
    """A store's location as it is typed on another machine, whose home may be called otherwise."""
    short = short_path(location)
    return f"~/{quoted(short[2:])}" if short.startswith("~/") else quoted(location)
