"""A transport that tells how many bytes of bundles go through it, while they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from claude_sync.transports.base import Block, Get, Got, Put, Transport, Written
from claude_sync.transports.passing import PassingTransport


class MeteredTransport(PassingTransport):
    """Another transport, watched.

    Args:
        transport: the one that does the work.
        moved: called with the number of bytes of a file to write that were handed over, or of
            one to read that came; those that needn't travel, because they are there already, count.
    """

    def __init__(self, transport: Transport, moved: Callable[[int], None]) -> None:
        super().__init__(transport)
        self._moved = moved

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        for got in self.beneath.read(gets):
            yield got._replace(blocks=self._counted(got.blocks))

    def write(self, puts: Iterable[Put]) -> Iterator[Written]:
        return self.beneath.write(put._replace(blocks=self._counting(put.blocks)) for put in puts)

    def _counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._moved(len(block))
            yield block

    def _counting(self, blocks: Callable[[], Iterator[Block]]) -> Callable[[], Iterator[Block]]:
        def made() -> Iterator[Block]:
            for block in blocks():
                self._moved(len(block.data))
                yield block

        return made
