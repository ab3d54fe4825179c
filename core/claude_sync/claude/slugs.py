"""The name of a session's plan: the last slug in its transcript.

It is looked for from the end, and in what was appended only where the rest is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from claude_sync.claude.session_files import is_slug
from claude_sync.disk.snapshot import BLOCK_SIZE, open_regular
from claude_sync.model import Stamp

_MEMBER = b'"slug"'
_LONGEST_LINE = 4 << 20
"""A longer line isn't looked into."""

_FEW_BYTES = 256

Known = tuple[Stamp, str]
"""A transcript's stamp, and the last slug in it, "" where there is none."""


def _nothing(_transcript: Path) -> Known | None:
    return None


class Slugs:
    """The slugs of transcripts, each looked for once as long as its file is the same.

    Attributes:
        remembered: tells what an earlier process found, None where it found nothing.
        learned: what was found here, by path.
    """

    def __init__(self) -> None:
        self.remembered: Callable[[Path], Known | None] = _nothing
        self.learned: dict[str, Known] = {}

    def of(self, transcript: Path, stamp: Stamp) -> str:
        """The last slug in a transcript; "" where it has none, or can't be read now."""
        known = self.learned.get(str(transcript)) or self.remembered(transcript)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            with open_regular(transcript) as file:
                slug = _after(known, stamp, file)
        except OSError:
            return ""
        self.learned[str(transcript)] = (stamp, slug)
        return slug


def _after(known: Known | None, stamp: Stamp, file: IO[bytes]) -> str:
    """The last slug in a file of which an earlier state may be known."""
    if known is not None and known[0].inode == stamp.inode and known[0].size <= stamp.size:
        # The client only ever appends. Where something else didn't, at most another plan is taken
        # along: whoever places it looks at the whole.
        appended = _last_slug(file, stamp.size, known[0].size)
        return known[1] if appended is None else appended
    return last_slug(file, stamp.size)


def last_slug(file: IO[bytes], size: int, start: int = 0) -> str:
    """The last slug in an open transcript, "" where there is none, or it can't name a file.

    Args:
        file: the transcript.
        size: how much of it counts, bytes.
        start: where the lines begin that are looked at; the line that this cuts is one of them.

    Raises:
        OSError: it can't be read.
    """
    return _last_slug(file, size, start) or ""


def _last_slug(file: IO[bytes], size: int, start: int) -> str | None:
    """The same; None where there is none, "" where the last one can't name a file."""
    for line in _lines_with_member(file, size, start):
        slug = _slug_in(line)
        if slug:
            return slug if is_slug(slug) else ""
    return None


def _slug_in(line: bytes) -> str:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    slug = event.get("slug") if isinstance(event, Mapping) else None
    return slug if isinstance(slug, str) else ""


def _lines_with_member(file: IO[bytes], size: int, start: int) -> Iterator[bytes]:
    """The lines that hold a member of that name, the last first."""
    end, tail = size, b""
    while end > start:
        begin = max(start, end - BLOCK_SIZE)
        file.seek(begin)
        block = _exactly(file, end - begin)
        # What follows the first line feed is whole; what precedes it goes with the block before.
        text = block + tail
        cut = text.find(b"\n") + 1 if begin > 0 else 0
        if begin > 0 and not cut:
            tail = text if len(text) <= _LONGEST_LINE else b""
            end = begin
            continue
        yield from _backwards(text, cut)
        tail, end = text[:cut], begin
    if start > 0 and tail:
        yield from _backwards(_before(file, start) + tail, 0)


def _before(file: IO[bytes], start: int) -> bytes:
    """The beginning of the line that a place in a file cuts."""
    found, begin = b"", start
    while begin > 0 and b"\n" not in found and len(found) <= _LONGEST_LINE:
        size = min(begin, max(_FEW_BYTES, len(found)))
        begin -= size
        file.seek(begin)
        found = _exactly(file, size) + found
    return found[found.rfind(b"\n") + 1 :]


def _exactly(file: IO[bytes], size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := file.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _backwards(text: bytes, start: int) -> Iterator[bytes]:
    found = len(text)
    while (found := text.rfind(_MEMBER, start, found)) >= 0:
        begin = max(start, text.rfind(b"\n", 0, found) + 1)
        end = text.find(b"\n", found)
        yield text[begin : end if end >= 0 else len(text)]
        found = begin
