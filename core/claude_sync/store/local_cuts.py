"""Which cuts of a sealed bundle's sidecar the files that lie here make, too.

A host can't hash what it can't read. But a sealed file's index tells what each cut holds; so the
files here are cut as a bundle's are, and what is the same isn't asked for.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from claude_sync.sealed.cuts import AFTER_FRONT, AFTER_TRANSCRIPT, BEFORE_BACK, Cutter
from claude_sync.transports.base import Cut
from claude_sync.values import NamedTuple

Entry = Callable[[], Iterator[bytes]]
"""Makes a sidecar file's element of a bundle."""


class Same(NamedTuple):
    """Bytes of a bundle that can be made here.

    Attributes:
        start, length: where they stand in it.
        here: where they stand in what the files here make.
    """

    start: int
    length: int
    here: int


class LocalCuts:
    """The sidecar that files here make, as it stands in a bundle.

    Args:
        entries: the files' elements, in their order.
        check: called for each file; raises to stop.

    Raises: what `check`, and making an element, do.
    """

    def __init__(self, entries: Sequence[Entry], check: Callable[[], None]) -> None:
        self._entries = entries
        self._starts: list[int] = []
        self._cuts: dict[bytes, int] = {}
        cutter, offset = Cutter(), 0
        for _ in cutter.feed(b"{" + AFTER_FRONT):
            pass  # a cut of its own
        for data in chain(self._fed(check), [BEFORE_BACK]):
            for cut in cutter.feed(data):
                self._cuts[hashlib.sha256(cut).digest()] = offset
                offset += len(cut)

    def _fed(self, check: Callable[[], None]) -> Iterator[bytes]:
        position = 0
        for number in range(len(self._entries)):
            check()
            self._starts.append(position)
            for data in self._element(number):
                position += len(data)
                yield data

    def _element(self, number: int) -> Iterator[bytes]:
        """An element, and what stands before it."""
        yield b"," if number else AFTER_TRANSCRIPT
        yield from self._entries[number]()

    def among(self, cuts: Iterable[Cut]) -> list[Same]:
        """What of a bundle's cuts can be made here; neighbours are one."""
        found: list[Same] = []
        for cut in cuts:
            here = self._cuts.get(cut.sha256)
            if here is None:
                continue
            last = found[-1] if found else None
            if last is not None and (last.start + last.length, last.here + last.length) == (
                cut.start,
                here,
            ):
                found[-1] = last._replace(length=last.length + cut.size)
            else:
                found.append(Same(cut.start, cut.size, here))
        return found

    def make(self, same: Same) -> Iterator[bytes]:
        """Those bytes."""
        number = bisect_right(self._starts, same.here) - 1
        left_out, left = same.here - self._starts[number], same.length
        for data in chain.from_iterable(map(self._element, range(number, len(self._entries)))):
            part = data[left_out:][:left]
            left_out = max(0, left_out - len(data))
            left -= len(part)
            if part:
                yield part
            if not left:
                return
