"""The .ccsync file: what both its ends tell (FORMAT.md, "Both ends").

A bundle is one JSON object in UTF-8::

    {"schema":1, … ,"machine_id":"…",      the front: at most HEAD_SIZE bytes
     "transcript":"…","sidecar":[…],       as long as they are
     "sidecar_sha256":"…", … ,"check":"…"}  the back: at most TAIL_SIZE bytes

In canonical form the members stand in the order of MEMBERS, no white space is between tokens, and
every value is spelled as `compact` and `codec.encode` spell it. Then both ends tell everything but
the bytes themselves, and `read_head` reads them. Any other JSON spelling of the same members is a
valid bundle too, but must be read in full (unpack.py).
"""

from __future__ import annotations

import hashlib
import json
import re

from claude_sync.bundle.codec import incomplete, reserved
from claude_sync.bundle.members import (
    AFTER_FRONT,
    AFTER_TRANSCRIPT,
    BEFORE_BACK,
    back_of,
    check_of,
    exact_time,
    front_of,
    head_of,
    too_new,
)
from claude_sync.model import BundleHead

HEAD_SIZE = 4 << 10
"""How many bytes from the beginning hold all members before the transcript."""
TAIL_SIZE = 16 << 10
"""How many bytes from the end hold all members after the sidecar."""

_NEWER = re.compile(rb'\{"schema":(?:[2-9]|[1-9][0-9]+),')
_SPACE = b" \t\r\n"
_NO_SIDECAR = hashlib.sha256().hexdigest()


# --- both ends ---------------------------------------------------------------------------------


def read_head(head: bytes, tail: bytes, size: int) -> BundleHead | None:
    """What a bundle says of itself, from both its ends alone.

    The bytes in between aren't looked at: `unpack.unpack` proves them.

    Args:
        head: the first HEAD_SIZE bytes.
        tail: the last TAIL_SIZE bytes; empty if `head` is the whole file.
        size: of the file, bytes.

    Returns:
        None where the file has to be read in full to know: it isn't in canonical form.

    Raises:
        BundleIncomplete: the file ends early, or its beginning hasn't come yet.
        BundleReserved: neither of its ends has come yet.
        BundleTooNew: a newer claude-sync made it.
        BundleCorrupt, BundleUnsafe: what it says of itself is wrong, or must not be used.
    """
    if _NEWER.match(head):
        raise too_new()
    if len(head) >= size:
        head = tail = head[:size]
    _check_arrived(head, tail, size)
    front_end = head.find(AFTER_FRONT)
    back_start = tail.rfind(BEFORE_BACK)
    if front_end < 0 or back_start < 0:
        return None
    start = front_end + len(AFTER_FRONT)
    front, back = head[:start], tail[back_start:]
    try:
        values = json.loads(front[:front_end] + b"}") | json.loads(b"{" + back[2:])
        if front != front_of(values) or back != back_of(values):
            return None
    except (ValueError, KeyError, RecursionError, TypeError):
        return None
    if values["check"] != check_of(values) and exact_time(values) is not None:
        return None
    found = head_of(values, start)
    end = start + found.encoded_size
    fits = _sidecar_fits(found, tail, end - (size - len(tail)), back_start)
    return found if fits else None


def _check_arrived(head: bytes, tail: bytes, size: int) -> None:
    """Whether these are the ends of a JSON object, as far as their first and last byte tell.

    No JSON text begins or ends with a NUL byte: such a file's place is kept by whoever brings it.
    What lies between isn't read to find that out: it may be a gigabyte of nothing.
    """
    first, last = head.lstrip(_SPACE)[:1], tail.rstrip(_SPACE)[-1:]
    if first == last == b"\0":
        raise reserved()
    if b"\0" in (first, last) or (not first and len(head) >= size):
        raise incomplete()
    if first == b"{" and last not in (b"", b"}"):
        raise incomplete()


def _sidecar_fits(head: BundleHead, tail: bytes, end: int, back_start: int) -> bool:
    """Whether the sidecar can lie between the transcript's end and the back; both in `tail`."""
    between = back_start - end - len(AFTER_TRANSCRIPT)
    if (between == 0) != (head.sidecar_sha256 == _NO_SIDECAR) or between < 0:
        return False
    visible = AFTER_TRANSCRIPT[max(0, -end) :]
    return end + len(AFTER_TRANSCRIPT) <= 0 or tail.startswith(visible, max(0, end))
