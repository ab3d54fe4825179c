"""A place in a cloud that the person's own rclone reaches.

rclone knows the credentials, and they stay with it. How files are replaced where nothing replaces a
file safely is said in `names`. Empty directories stay: rclone's way to remove one on WebDAV removes
whatever was put there since it looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from claude_sync.errors import FileGone
from claude_sync.transports.base import (
    MARKER_NAME,
    Ends,
    Get,
    Got,
    Listing,
    PendingListing,
    Put,
    Written,
    is_usable_name,
    unusable_name,
)
from claude_sync.transports.location import CloudLocation
from claude_sync.transports.rclone.calls import Caller, command
from claude_sync.transports.rclone.names import plain_name
from claude_sync.transports.rclone.place import Place
from claude_sync.transports.rclone.reading import ends, read
from claude_sync.transports.rclone.writing import Group, delete


class RcloneTransport:
    """A `Transport` over rclone.

    Args:
        location: the remote and the path in it.
        runtime: a directory for sockets; made with mode 0700 if it is missing.
    """

    remote = True

    def __init__(self, location: CloudLocation, runtime: Path) -> None:
        self._location = location
        self._caller = Caller(runtime, location.remote, location.fs)
        self._place = Place(location, self._caller)

    @property
    def location(self) -> str:
        return self._location.spelling

    @property
    def label(self) -> str:
        return self._location.fs

    @contextmanager
    def start_listing(self, known: Listing | None = None) -> Iterator[PendingListing]:
        with self._place.ask_for_all() as answer:
            yield lambda: self._place.listed(answer, known)

    def list_files(self, known: Listing | None = None) -> Listing:
        with self.start_listing(known) as answer:
            return answer()

    def ends(self, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
        self._place.check_there()
        return ends(self._place, names, head, tail)

    def digests(self, gets: Sequence[Get]) -> list[str | None]:
        self._place.check_there()
        return [None for _ in gets]

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        self._place.check_there()
        return read(self._place, gets)

    def write(self, puts: Iterable[Put]) -> Iterator[Written]:
        group = Group(self._place)
        for put in puts:
            group.add(put)
            if group.is_full:
                yield from group.finish()
        yield from group.finish()

    def remove(self, names: Sequence[str]) -> None:
        if not all(map(is_usable_name, names)):
            raise unusable_name()
        self._place.check_there(marked=False)
        if MARKER_NAME in names:
            self._place.may_be_empty = True
        files = [file for name in names if (file := self._place.find(name)) is not None]
        for path, error in delete(self._place, [file.path for file in files]):
            if error is not None and not isinstance(error, FileGone):
                raise error
            self._place.settle(plain_name(path), None, [path])

    def create(self) -> None:
        request = command("operations/mkdir", fs=self._location.fs, remote="")
        with self._caller.call(request) as answer:
            if not answer.is_good:
                raise self._place.refused(answer)
            answer.text()
        self._place.may_be_empty = True

    def interrupt(self) -> None:
        self._caller.interrupt()

    def close(self) -> None:
        self._caller.close()
