"""Where a bundle is cut into the pieces that are sealed one by one.

Invariant: the cuts of what was fed, one after the other, are what was fed, whatever it was and in
whatever blocks it came. Of two bundles whose transcripts begin alike, all cuts of the common part
but its last are the same bytes at the same places.

What stands before the transcript is a cut; then the encoded transcript, cut every `CUT_BYTES` from
its beginning; then the sidecar's files, each with at least `LEAST_SIDECAR_BYTES` of their own or
gathered until they are as many; then what stands after. The four marks between them can't stand
inside a string, where their quotes would be escaped. Bytes that are no bundle are cut every
`CUT_BYTES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

CUT_BYTES = 1 << 20
"""A cut has at most so many bytes."""

LEAST_SIDECAR_BYTES = 64 << 10
_LEAST_BEFORE_BACK = 4 << 10
_LONGEST_FRONT = 64 << 10

AFTER_FRONT = b',"transcript":"'
AFTER_TRANSCRIPT = b'","sidecar":['
BEFORE_FILE = b'{"path":'
BEFORE_BACK = b'],"sidecar_sha256":'


class _Part(Enum):
    FRONT = "front"
    TRANSCRIPT = "transcript"
    SIDECAR = "sidecar"
    REST = "rest"


class Cutter:
    """Cuts one file's bytes as they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._part = _Part.FRONT
        self._looked = 0  # how far the buffer has no mark

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The cuts that are complete once these bytes have come."""
        self._buffer += data
        yield from self._complete()

    def pass_over(self, size: int) -> bool:
        """Go on after bytes of the transcript that aren't fed.

        Args:
            size: how many.

        Returns:
            False where they are no whole cuts; nothing is passed over then.
        """
        return self._part is _Part.TRANSCRIPT and not self._buffer and size % CUT_BYTES == 0

    def end(self) -> Iterator[bytes]:
        """What is left."""
        while len(self._buffer) > CUT_BYTES:
            yield self._take(CUT_BYTES)
        if self._buffer:
            yield self._take(len(self._buffer))

    def _complete(self) -> Iterator[bytes]:
        if self._part is _Part.FRONT:
            at = self._find(AFTER_FRONT)
            if 0 <= at < _LONGEST_FRONT:
                yield self._take(at + len(AFTER_FRONT))
                self._part = _Part.TRANSCRIPT
            elif len(self._buffer) > _LONGEST_FRONT + len(AFTER_FRONT):
                self._part = _Part.REST
        if self._part is _Part.TRANSCRIPT:
            yield from self._transcript()
        if self._part is _Part.SIDECAR:
            yield from self._sidecar()
        if self._part is _Part.REST:
            while len(self._buffer) > CUT_BYTES:
                yield self._take(CUT_BYTES)

    def _transcript(self) -> Iterator[bytes]:
        at = self._find(AFTER_TRANSCRIPT)
        # A mark of which only the beginning has come may stand at the very end.
        end = at if at >= 0 else len(self._buffer) - len(AFTER_TRANSCRIPT)
        while end >= CUT_BYTES:
            yield self._take(CUT_BYTES)
            end -= CUT_BYTES
        if at >= 0:
            if end:
                yield self._take(end)
            self._part = _Part.SIDECAR

    def _sidecar(self) -> Iterator[bytes]:
        at = self._find(BEFORE_BACK)
        end = at if at >= 0 else len(self._buffer) - len(BEFORE_BACK)
        while end > 0:
            file = self._buffer.find(BEFORE_FILE, LEAST_SIDECAR_BYTES, end + len(BEFORE_FILE) - 1)
            size = min(file if file >= 0 else end, CUT_BYTES)
            if file < 0 and size < CUT_BYTES:
                break
            yield self._take(size)
            end -= size
        if at >= 0:
            if end >= _LEAST_BEFORE_BACK:
                yield self._take(end)
            self._part = _Part.REST

    def _find(self, mark: bytes) -> int:
        """Where a mark stands in the buffer, -1 where it hasn't come."""
        at = self._buffer.find(mark, max(0, self._looked - len(mark)))
        self._looked = len(self._buffer) if at < 0 else at
        return at

    def _take(self, size: int) -> bytes:
        cut = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        self._looked = max(0, self._looked - size)
        return cut
