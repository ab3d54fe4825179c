"""The only reader of a transcript's lines: a working directory, a title, whether one says anything.

Nothing that moves a session depends on any of this but `is_said`: event types come and go with
the client's releases, and what can't be understood is skipped.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import IO, Any

from claude_sync.model import MAX_TITLE_CHARACTERS
from claude_sync.values import NamedTuple

EDGE_BYTES = 64 << 10
"""How much of each end is looked at: what the client itself reads to list its sessions."""

_CWD = rb'"(cwd|relocatedCwd)"\s*:\s*("(?:[^"\\]|\\.)*")'
_COMMAND = r"<command-name>([^<]+)</command-name>"
_TITLES = (
    ("custom-title", "customTitle"),
    ("ai-title", "aiTitle"),
    ("summary", "summary"),
    ("last-prompt", "lastPrompt"),
)
_TITLED = rb'"(%s)"' % b"|".join(kind.encode() for kind, _ in _TITLES)


class Summary(NamedTuple):
    """What both ends of a transcript say.

    Attributes:
        cwds: working directories named there, the likeliest first; not one of them is checked.
        title: one line, at most 300 characters, "" where there is none. Other people's text.
        begun: whether a line of the transcript is whole.
    """

    cwds: tuple[str, ...]
    title: str
    begun: bool = True


def summarize(file: IO[bytes]) -> Summary:
    """Read both ends of an open transcript.

    Raises:
        OSError: it can't be read.
    """
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    head = file.read(EDGE_BYTES)
    begun = b"\n" in head
    tail = b""
    if size > len(head):
        start = max(len(head), size - EDGE_BYTES)
        file.seek(start)
        tail = file.read(EDGE_BYTES)
        if start > len(head):
            # The first line of the tail is cut, unless the tail begins with a line.
            tail = tail[tail.find(b"\n") + 1 :]
    begun = begun or (size > len(head) and _has_line_end(file))
    return Summary(cwds=_cwds(head, tail), title=_title(head, tail), begun=begun)


def _has_line_end(file: IO[bytes]) -> bool:
    file.seek(0)
    return any(b"\n" in block for block in iter(lambda: file.read(1 << 20), b""))


def _cwds(head: bytes, tail: bytes) -> tuple[str, ...]:
    moved: list[str] = []
    plain: list[str] = []
    for part in (head, tail):
        for name, quoted in dict.fromkeys(re.findall(_CWD, part)):
            try:
                cwd = json.loads(quoted)
            except ValueError:
                continue
            (moved if name == b"relocatedCwd" else plain).append(cwd)
    return tuple(dict.fromkeys([*reversed(moved), *plain]))


def _title(head: bytes, tail: bytes) -> str:
    end = tail or head
    named = {kind.decode() for kind in re.findall(_TITLED, end)}
    for kind, member in _TITLES:
        if kind not in named:
            continue  # one search says so of all four
        for line in _lines_with(b'"%s"' % kind.encode(), end):
            event = _event(line)
            given = event.get(member) if event.get("type") == kind else None
            if isinstance(given, str) and (title := as_title(given)):
                return title
    for line in head.split(b"\n"):
        if b'"user"' in line and (text := as_title(_user_text(_event(line)))):
            return text
    return ""


def _lines_with(text: bytes, lines: bytes) -> Iterator[bytes]:
    """The lines that hold a text, the last first."""
    end = len(lines)
    while (found := lines.rfind(text, 0, end)) >= 0:
        start = lines.rfind(b"\n", 0, found) + 1
        stop = lines.find(b"\n", found)
        yield lines[start : stop if stop >= 0 else len(lines)]
        end = start


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _user_text(event: dict[str, Any]) -> str:
    message = event.get("message")
    if event.get("type") != "user" or event.get("isMeta") or not isinstance(message, dict):
        return ""  # isMeta: what the client wrote in the person's name, and never shows
    return _as_shown(_content_text(message.get("content")))


def _as_shown(text: str) -> str:
    """A command as it was typed (``/clear``), whose event holds it between tags."""
    found = re.search(_COMMAND, text[: 4 * MAX_TITLE_CHARACTERS])
    return found.group(1) if found else text


def _content_text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        for item in content:
            if isinstance(item, dict) and isinstance(item.get("text"), str):
                return str(item["text"])
    return ""


def as_title(text: str) -> str:
    """A text as a bundle's title: on one line, without what can't be shown, cut to 300."""
    words = " ".join(text[: 4 * MAX_TITLE_CHARACTERS].split())
    # Surrogates aren't printable either.
    shown = words if words.isprintable() else "".join(filter(str.isprintable, words))
    if len(shown) > MAX_TITLE_CHARACTERS:
        shown = shown[: MAX_TITLE_CHARACTERS - 1] + "…"
    return shown


def title_of(session_id: str, title: str) -> str:
    """A session's title, so that it differs from that of the session it was copied from.

    What *both* keeps of a conflict has the same bytes, and so the same title, as what it was taken
    from. Its id is a UUID of version 5 (FORMAT.md, "What a person decides"); the client makes none
    of those.
    """
    if session_id[14:15] != "5":
        return title
    word = f"(copy {session_id[:4]})"
    return f"{title[: MAX_TITLE_CHARACTERS - len(word) - 1]} {word}".strip()


LISTED_VERSION = (2, 1, 332)
"""The client's version whose types of lines are listed here."""

_SAYING = frozenset({"assistant", "attachment", "system", "user"})
BOOKKEEPING = frozenset(
    {
        "ai-title",
        "attribution-snapshot",
        "cost-state",
        "custom-title",
        "file-history-delta",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "queue-operation",
        "relocated",
        "summary",
        "tools-used",
    }
)
"""Types of the lines that the client writes for itself.

A new one isn't among them, and so counts as said: that costs a question. To take something that was
said for bookkeeping could cost it.
"""

_BLANK = b"\0 \t\r\n"
"""What says nothing; NULs are what a power cut leaves of what was never written."""


def is_said(line: bytes) -> bool:
    """Whether a line holds something that was said or done, or may.

    Whatever isn't known to be bookkeeping does (FORMAT.md, "Who wins"): a line that can't be read,
    too.
    """
    if not line.strip(_BLANK):
        return False
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return True
    return not isinstance(event, dict) or not (_is_bookkeeping(event) or _was_only_queued(event))


def _is_bookkeeping(event: dict[str, Any]) -> bool:
    kind = event.get("type")
    known = isinstance(kind, str) and kind in BOOKKEEPING
    return known and "uuid" not in event and "message" not in event


def _was_only_queued(event: dict[str, Any]) -> bool:
    """Whether the client noted that a background command ended, as it does when it merely resumes.

    Whether anything came of it, the answer says: that is a line of its own, and is said.
    """
    return event.get("type") == "user" and event.get("queueTranscriptOnly") is True


# --- newer clients -----------------------------------------------------------------------------

_VERSION = r"\d{1,4}(\.\d{1,6}){1,3}"
_TYPE = r"[a-z][a-z-]{0,39}"


class Unlisted(NamedTuple):
    """What a client that is newer than the list of types wrote.

    Attributes:
        version: the client's, as it spells it.
        types: of its lines that aren't listed, those that can be named, sorted.
    """

    version: str
    types: tuple[str, ...]


def unlisted_types(file: IO[bytes]) -> Unlisted | None:
    """Whether a client newer than the list wrote lines of types that aren't on it.

    The end of an open transcript is looked at: what the client wrote last. Nothing of what was said
    comes of it.

    Returns:
        None where it isn't newer, or wrote none.

    Raises:
        OSError: it can't be read.
    """
    start = max(0, os.fstat(file.fileno()).st_size - EDGE_BYTES)
    file.seek(start)
    lines = file.read(EDGE_BYTES).split(b"\n")
    versions, types = {""}, set()
    for line in lines[1 if start else 0 :]:
        event = _event(line)
        kind, version = event.get("type"), event.get("version")
        if isinstance(version, str) and re.fullmatch(_VERSION, version):
            versions.add(version)
        if event and not (isinstance(kind, str) and kind in BOOKKEEPING | _SAYING):
            types.add(kind if isinstance(kind, str) and re.fullmatch(_TYPE, kind) else "")
    newest = max(versions, key=_as_numbers)
    if not types or _as_numbers(newest) <= LISTED_VERSION:
        return None
    return Unlisted(newest, tuple(sorted(types - {""})))


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)
