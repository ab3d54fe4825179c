"""The only reader of what transcripts say: a working directory, a title, whether anything was said.

Nothing that moves a session depends on any of this but `is_said`: event types come and go with
the client's releases, and what can't be understood is skipped.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claude_sync.snapshot import open_regular

EDGE_BYTES = 64 << 10
"""How much of each end is looked at: what the client itself reads to list its sessions."""

TITLE_CHARACTERS = 300

_CWD = re.compile(rb'"(cwd|relocatedCwd)"\s*:\s*("(?:[^"\\]|\\.)*")')
_TITLES = (
    ("custom-title", "customTitle"),
    ("ai-title", "aiTitle"),
    ("summary", "summary"),
    ("last-prompt", "lastPrompt"),
)


@dataclass(frozen=True, slots=True)
class Glance:
    """What both ends of a transcript say.

    Attributes:
        cwds: working directories named there, the likeliest first; not one of them is checked.
        title: one line, at most 300 characters, "" where there is none. Other people's text.
    """

    cwds: tuple[str, ...]
    title: str


def glance(path: Path) -> Glance:
    """Read both ends of a transcript.

    Raises:
        OSError: it can't be read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(EDGE_BYTES)
        tail = b""
        if size > len(head):
            start = max(len(head), size - EDGE_BYTES)
            file.seek(start)
            tail = file.read(EDGE_BYTES)
            if start > len(head):
                # The first line of the tail is cut, unless the tail begins with a line.
                tail = tail[tail.find(b"\n") + 1 :]
    return glance_at(head, tail)


def glance_at(head: bytes, tail: bytes) -> Glance:
    """The same, from the bytes of both ends; a short transcript is all head."""
    return Glance(cwds=_cwds(head, tail), title=_title(head, tail))


def _cwds(head: bytes, tail: bytes) -> tuple[str, ...]:
    moved: list[str] = []
    plain: list[str] = []
    for part in (head, tail):
        for name, quoted in _CWD.findall(part):
            try:
                cwd = json.loads(quoted)
            except ValueError:
                continue
            (moved if name == b"relocatedCwd" else plain).append(cwd)
    return tuple(dict.fromkeys([*reversed(moved), *plain]))


def _title(head: bytes, tail: bytes) -> str:
    lines = (tail or head).split(b"\n")
    found: dict[str, str] = {}
    for line in reversed(lines):
        for kind, member in _TITLES:
            if kind in found or b'"%s"' % kind.encode() not in line:
                continue
            event = _event(line)
            if event.get("type") == kind and isinstance(event.get(member), str):
                found[kind] = event[member]
    for kind, _ in _TITLES:
        if title := one_line(found.get(kind, "")):
            return title
    for line in head.split(b"\n"):
        if b'"user"' in line and (text := one_line(_user_text(_event(line)))):
            return text
    return ""


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _user_text(event: dict[str, Any]) -> str:
    message = event.get("message")
    if event.get("type") != "user" or not isinstance(message, dict):
        return ""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        for item in content:
            if isinstance(item, dict) and isinstance(item.get("text"), str):
                return str(item["text"])
    return ""


def one_line(text: str) -> str:
    """A title on one line: white space folded, what can't be shown dropped, cut to 300."""
    words = " ".join(text[: 4 * TITLE_CHARACTERS].split())
    shown = "".join(c for c in words if c.isprintable() and not "\ud800" <= c <= "\udfff")
    if len(shown) > TITLE_CHARACTERS:
        shown = shown[: TITLE_CHARACTERS - 1] + "…"
    return shown


def is_said(line: bytes) -> bool:
    """Whether a line holds something that was said or done, rather than bookkeeping.

    What was said or done always bears a ``uuid``; a line that can't be read counts as said. A
    blank line says nothing.
    """
    if not line.strip():
        return False
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return True
    return not isinstance(event, dict) or "uuid" in event


def anything_said(lines: Iterable[bytes]) -> bool:
    """Whether any of these lines holds something that was said or done."""
    return any(is_said(line) for line in lines)
