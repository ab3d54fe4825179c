"""A transport that passes everything on to another one: what others are built on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from claude_sync.transports.base import (
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


class PassingTransport:
    """A `Transport` that leaves everything to another one. Whoever extends it changes some of it.

    Args:
        beneath: the one that does the work.

    Attributes:
        beneath: the same.
    """

    def __init__(self, beneath: Transport) -> None:
        self.beneath = beneath

    @property
    def location(self) -> str:
        return self.beneath.location

    @property
    def label(self) -> str:
        return self.beneath.label

    @property
    def remote(self) -> bool:
        return self.beneath.remote

    def list_files(self, known: Listing | None = None) -> Listing:
        return self.beneath.list_files(known)

    def start_listing(self, known: Listing | None = None) -> AbstractContextManager[PendingListing]:
        return self.beneath.start_listing(known)

    def ends(self, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
        return self.beneath.ends(names, head, tail)

    def digests(self, gets: Sequence[Get]) -> list[str | None]:
        return self.beneath.digests(gets)

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        return self.beneath.read(gets)

    def write(self, puts: Iterable[Put]) -> Iterator[Written]:
        return self.beneath.write(puts)

    def remove(self, names: Sequence[str]) -> None:
        self.beneath.remove(names)

    def create(self) -> None:
        self.beneath.create()

    def watch_changes(self) -> ChangeWatch | None:
        return change_watch(self.beneath)

    def interrupt(self) -> None:
        self.beneath.interrupt()

    def close(self) -> None:
        self.beneath.close()
