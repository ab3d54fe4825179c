"""A transport that tells how many bytes of bundles go through it, while they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from claude_sync.transports.base import (
    Block,
    ChangeWatch,
    Ends,
    Get,
    Got,
    Listing,
    PendingListing,
    Put,
    Transport,
    Written,
    change_watch,
)


class MeteredTransport:
    """Another transport, watched.

    Args:
        transport: the one that does the work.
        moved: called with the number of bytes of a file to write that were handed over, or of
            one to read that came; those that needn't travel, because they are there already, count.
    """

    def __init__(self, transport: Transport, moved: Callable[[int], None]) -> None:
        self._transport = transport
        self._moved = moved

    @property
    def location(self) -> str:
        return self._transport.location

    @property
    def label(self) -> str:
        return self._transport.label

    @property
    def remote(self) -> bool:
        return self._transport.remote

    def list_files(self, known: Listing | None = None) -> Listing:
        return self._transport.list_files(known)

    def start_listing(self, known: Listing | None = None) -> AbstractContextManager[PendingListing]:
        return self._transport.start_listing(known)

    def ends(self, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
        return self._transport.ends(names, head, tail)

    def digests(self, gets: Sequence[Get]) -> list[str | None]:
        return self._transport.digests(gets)

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        for got in self._transport.read(gets):
            yield got._replace(blocks=self._counted(got.blocks))

    def write(self, puts: Iterable[Put]) -> Iterator[Written]:
        return self._transport.write(
            put._replace(blocks=self._counting(put.blocks)) for put in puts
        )

    def remove(self, names: Sequence[str]) -> None:
        self._transport.remove(names)

    def create(self) -> None:
        self._transport.create()

    def watch_changes(self) -> ChangeWatch | None:
        return change_watch(self._transport)

    def interrupt(self) -> None:
        self._transport.interrupt()

    def close(self) -> None:
        self._transport.close()

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
