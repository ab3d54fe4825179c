"""Whether a newer version was published. Asked once a day at most, and only who switched it on.

Nothing is sent but the question. What comes back is a stranger's: a number is read out of it, and
nothing else of it is shown.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from claude_sync import __version__
from claude_sync.disk.json_object import NoObject, read_object, write_object

NEWS = "https://github.com/claude-sync/claude-sync/releases"
_ADDRESS = "https://api.github.com/repos/claude-sync/claude-sync/releases/latest"
_DAY_SECONDS = 86_400
_PATIENCE_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_NUMBER = re.compile(r"v?(\d{1,4}(?:\.\d{1,4}){1,3})", re.ASCII)


def newer_version(
    memory: Path, now: float, address: str = _ADDRESS, running: str = __version__
) -> str:
    """The newest version, if it is newer than this one and wasn't told of before; else "".

    Args:
        memory: a file that says when was asked last, and what was told.
        now: seconds since the epoch.
        address: who is asked.
        running: this version.

    Raises:
        OSError: there was no answer, or the file can't be written.
    """
    told, is_new = "", False
    try:
        document = read_object(memory)
        last, told = document.get("asked_at"), document.get("told", "")
        if isinstance(last, (int, float)) and 0 <= now - last < _DAY_SECONDS:
            return ""
    except FileNotFoundError:
        is_new = True
    except NoObject:
        pass
    # Before it asks: a day without an answer is a day, too. And who can't note it doesn't ask.
    write_object(memory, {"asked_at": int(now), "told": told}, new=is_new)
    newest = _number_in(_answer_of(address))
    if not newest or newest == told or _parts(newest) <= _parts(running):
        return ""
    write_object(memory, {"asked_at": int(now), "told": newest})
    return newest


def _number_in(answer: bytes) -> str:
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError):
        return ""
    tag = document.get("tag_name") if isinstance(document, dict) else None
    found = _NUMBER.fullmatch(tag) if isinstance(tag, str) else None
    return found[1] if found else ""


def _parts(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    parts = [int(part) for part in found[0].split(".")] if found else []
    return tuple([*parts, 0, 0, 0, 0][:4])


def _answer_of(address: str) -> bytes:
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    # Python's own way, which goes by the system's proxies.
    headers = {"Accept": "application/vnd.github+json", "User-Agent": "claude-sync"}
    try:
        with urlopen(Request(address, headers=headers), timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
            data: bytes = answer.read(_MOST_BYTES)
            return data
    except (HTTPException, ValueError) as error:
        raise OSError("no answer") from error
