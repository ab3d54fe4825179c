"""Where the files of a bundle's sidecar lie, found by passing over them: nothing is unpacked.

For bundles in canonical form, and for looking only: nothing here proves that a file is what the
bundle says of it. The marks between parts hold a quote that no backslash escapes, followed by what
can't follow a string's end, so none of them can occur inside a string (`members`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from claude_sync.bundle.members import AFTER_TRANSCRIPT
from claude_sync.values import NamedTuple

BEFORE_FIRST = len(AFTER_TRANSCRIPT)
"""Bytes between the end of the encoded transcript and the first file."""

_BEFORE_PATH = b'{"path":"'
_AFTER_PATH = b'","data":"'
_AFTER_DATA = b'","size":'
_AFTER_SIZE = b',"sha256":"'
_AFTER_FILE = b'"}'
_SEPARATOR = b","
_LONGEST_NAME = 4_096
_LONGEST_NUMBER = 20


class SidecarPart(NamedTuple):
    """A file in a sidecar.

    Attributes:
        path: its path in the bundle.
        start: where its encoded bytes begin, counted from the first file's opening brace.
        encoded_size: how many they are.
        size: how many bytes they stand for, as the bundle says.
        beginning: the first of its encoded bytes, as many as were wanted.
    """

    path: str
    start: int
    encoded_size: int
    size: int
    beginning: bytes


def sidecar_parts(blocks: Iterator[bytes], most: int) -> Iterator[SidecarPart]:
    """The files of a sidecar, in their order, until it ends or makes no sense.

    Args:
        blocks: the bundle's bytes from its first sidecar file on.
        most: how many of the first encoded bytes of a file are kept.
    """
    passing = _Passing(blocks)
    try:
        while passing.begins_with(_BEFORE_PATH):
            path, _ = passing.take_to(_AFTER_PATH, _LONGEST_NAME)
            start = passing.at
            beginning, encoded_size = passing.take_to(_AFTER_DATA, most)
            size, _ = passing.take_to(_AFTER_SIZE, _LONGEST_NUMBER)
            passing.take_to(_AFTER_FILE, 0)
            yield SidecarPart(
                path=str(json.loads(b'"' + path + b'"')),
                start=start,
                encoded_size=encoded_size,
                size=int(size),
                beginning=beginning,
            )
            passing.begins_with(_SEPARATOR)
    except (EOFError, ValueError):
        return


class _Passing:
    """Bytes that pass, of which little is held.

    Attributes:
        at: how many have passed.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._buffer = b""
        self._next = self.at = 0

    def begins_with(self, mark: bytes) -> bool:
        """Whether a mark comes next, which has passed then."""
        while len(self._buffer) - self._next < len(mark):
            if not self._more():
                return False
        if not self._buffer.startswith(mark, self._next):
            return False
        self._pass(len(mark))
        return True

    def take_to(self, mark: bytes, most: int) -> tuple[bytes, int]:
        """The first bytes before a mark, which passes too, and how many they are in all.

        Raises:
            EOFError: there is no such mark.
        """
        kept, length = bytearray(), 0
        while True:
            found = self._buffer.find(mark, self._next)
            end = found if found >= 0 else max(self._next, len(self._buffer) - len(mark) + 1)
            kept += self._buffer[self._next : min(end, self._next + most - len(kept))]
            length += end - self._next
            self._pass(end - self._next)
            if found >= 0:
                self._pass(len(mark))
                return bytes(kept), length
            if not self._more():
                raise EOFError

    def _pass(self, number: int) -> None:
        self._next += number
        self.at += number

    def _more(self) -> bool:
        block = next(self._blocks, b"")
        self._buffer, self._next = self._buffer[self._next :] + block, 0
        return bool(block)
