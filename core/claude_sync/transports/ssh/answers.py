"""Reading the answers of the script on the host. Pure; all of it is hostile until checked."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from claude_sync.model import Stamp
from claude_sync.transports.base import (
    MARKER_BYTES,
    Entry,
    Listing,
    is_usable_part,
    placeholder_for,
)

_DIGEST = re.compile(r"[0-9a-f]+-[0-9]*-?")
# Python reads no number of thousands of digits; no system has one of 40.
_NUMBER = re.compile(rb"[0-9]{1,40}")
_TIME = re.compile(rb"([0-9]{1,12})(?:\.([0-9]{1,9}))?")
# As large as SQLite's integers, in which callers keep stamps.
_LARGEST = (1 << 63) - 1


def usable_digest(text: str) -> str:
    """The digest of a listing if it is one, else ""; no listing has that."""
    return text if len(text) <= 160 and _DIGEST.fullmatch(text) else ""


def stamp_from(line: bytes) -> Stamp | None:
    """The stamp in ``size time inode``, None where there is none."""
    words = line.split()
    if len(words) != 3 or not _NUMBER.fullmatch(words[0]) or not _NUMBER.fullmatch(words[2]):
        return None
    size, inode = int(words[0]), int(words[2])
    return Stamp(min(size, _LARGEST), _nanoseconds(words[1]), inode & _LARGEST)


def _nanoseconds(text: bytes) -> int:
    """A time as `stat` gives it; where only `ls` does, a number that differs when the text does."""
    plain = _TIME.fullmatch(text)
    if plain is not None:
        return int(plain[1]) * 10**9 + int((plain[2] or b"").ljust(9, b"0"))
    return zlib.crc32(text)


def listing_from(digest: str, lines: Iterable[bytes]) -> Listing | None:
    """The listing that the script gave; None where that makes no sense.

    Args:
        digest: of the listing, as the script gave it.
        lines: ``m`` with the marker in hex (``m-`` for none), then ``size time inode ./name``, and
            ``u ./folder`` for one that couldn't be listed (``u`` alone for nobody knows which).
    """
    marker: bytes | None = None
    entries: list[Entry] = []
    elsewhere: list[Entry] = []
    unseen: set[str] = set()
    first = True
    for line in lines:
        if first:
            first = False
            marker = _marker_from(line)
            continue
        if line == b"u" or line.startswith(b"u ./"):
            unseen.add(line[4:].decode("utf-8", "surrogateescape"))
            continue
        entry = _entry_from(line)
        if entry is not None:
            (elsewhere if entry.placeholder else entries).append(entry)
    if first:
        return None
    here = {entry.name for entry in entries} if elsewhere else set()
    entries += [entry for entry in elsewhere if entry.name not in here]
    entries.sort(key=lambda entry: entry.name)
    folders = tuple(sorted(one for one in unseen if not one or is_usable_part(one)))
    return Listing(marker, tuple(entries), usable_digest(digest), folders)


def _marker_from(line: bytes) -> bytes | None:
    text = line[1:].decode("ascii", "replace")
    if not line.startswith(b"m") or not re.fullmatch("(?:[0-9a-f]{2})*", text):
        return None
    return bytes.fromhex(text)[:MARKER_BYTES]


def _entry_from(line: bytes) -> Entry | None:
    words = line.split(b" ", 3)
    stamp = stamp_from(b" ".join(words[:3]))
    if stamp is None or len(words) != 4 or not words[3].startswith(b"./"):
        return None
    directory, slash, file = words[3][2:].decode("utf-8", "surrogateescape").partition("/")
    if not slash or not is_usable_part(directory):
        return None
    if is_usable_part(file):
        return Entry(f"{directory}/{file}", stamp)
    kept_elsewhere = placeholder_for(file)
    return Entry(f"{directory}/{kept_elsewhere}", stamp, True) if kept_elsewhere else None
