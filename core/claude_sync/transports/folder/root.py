"""The folder itself: whether it is still there, still the one that was looked at, still wanted."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from claude_sync.disk import files
from claude_sync.disk.snapshot import blocks_of, open_regular
from claude_sync.errors import FileGone, FileUnreadable, StoreOffline, TransportError
from claude_sync.spelling import extended
from claude_sync.transports.base import (
    MARKER_BYTES,
    MARKER_NAME,
    PLACEHOLDER_SUFFIX,
    is_usable_name,
    stopped,
)
from claude_sync.transports.folder.errors import root_error, translate


class Root:
    """The store's folder, as reading and writing share it.

    Args:
        location: absolute path, as the preferences spell it.

    Attributes:
        location: that path.
        directory: the same in the form that this system takes at any length.
        stopped: whether the work was interrupted.
        marked: whether the marker was there at the last look.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        self.directory = extended(location)
        self.stopped = False
        self.marked = False

    def path(self, name: str) -> Path:
        """Where a usable name leads."""
        return Path(self.directory, *name.split("/"))

    def shown(self, name: str) -> str:
        """How to name a file in an error; one whose name isn't usable isn't quoted."""
        if not is_usable_name(name):
            return self.location
        return os.path.join(self.location, *name.split("/"))

    def check_stopped(self) -> None:
        """Make sure that the work wasn't interrupted.

        Raises:
            Stopped: it was.
        """
        if self.stopped:
            raise stopped()

    def check(self, *, name: str = MARKER_NAME) -> None:
        """Make sure that the folder is still there, and still the one that was looked at.

        Args:
            name: what is to be written; the marker itself needs no marker.

        Raises:
            StoreOffline, StoreDenied: it isn't.
            Stopped: the work was interrupted.
        """
        self.check_stopped()
        try:
            status = os.stat(self.directory)
        except OSError as error:
            raise root_error(error, self.location) from error
        if not stat.S_ISDIR(status.st_mode):
            raise root_error(NotADirectoryError(errno.ENOTDIR, ""), self.location)
        marker = os.path.join(self.directory, MARKER_NAME)
        if self.marked and name != MARKER_NAME and not os.path.lexists(marker):
            raise StoreOffline(
                "the shared folder has lost its marker file",
                where=self.location,
                todo="mount or connect it, then try again",
            )

    def read_marker(self) -> bytes | None:
        """The marker's bytes, None where there is none.

        Raises:
            OSError: it can't be read.
            StoreOffline: it is in a cloud, and not here.
        """
        try:
            with open_regular(os.path.join(self.directory, MARKER_NAME)) as file:
                return b"".join(blocks_of(file, MARKER_BYTES))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EINVAL, errno.ELOOP, errno.ENXIO):
                raise
        if os.path.lexists(os.path.join(self.directory, f".{MARKER_NAME}{PLACEHOLDER_SUFFIX}")):
            raise StoreOffline(
                "iCloud hasn't downloaded the shared folder's marker file",
                where=self.location,
                todo="open the folder in Finder and let it download",
            )
        return None

    def check_answers(self, *, name: str = MARKER_NAME) -> None:
        """Make sure that the folder's disk or share answers at all; its marker is read for that.

        A share that is gone may still be listed from memory; a file that is opened is asked for.

        Args:
            name: what is read or written; the marker itself needs no marker.

        Raises:
            StoreOffline, StoreDenied: it doesn't.
            Stopped: the work was interrupted.
        """
        self.check(name=name)
        try:
            self.read_marker()
        except OSError as error:
            raise root_error(error, self.location) from error

    def unreadable(self, error: OSError, name: str) -> TransportError:
        """Why one file can't be read, where the others can.

        Raises:
            StoreOffline, StoreDenied: none can, for the whole folder doesn't answer.
        """
        where = self.shown(name)
        translated = translate(error, where)
        if isinstance(translated, FileGone):
            return translated
        if isinstance(translated, StoreOffline):
            self.check_answers(name=name)
            return FileUnreadable(
                "a file can't be read from its disk",
                where=where,
                todo="check that disk, then push the session again on the machine it came from",
            )
        return FileUnreadable(translated.what, where=where, todo=translated.todo)

    def unwritable(self, error: OSError, path: Path, *, name: str = MARKER_NAME) -> TransportError:
        """Why one file or directory can't be written, where others can.

        Raises:
            StoreOffline, StoreDenied: none can, for the whole folder doesn't answer.
        """
        translated = translate(error, str(path))
        if isinstance(translated, StoreOffline):
            self.check_answers(name=name)
            return TransportError(
                "its disk reports an error, so it can't be written",
                where=str(path),
                todo="check that disk",
            )
        return translated

    def sync_directory(self, directory: Path) -> None:
        """Make the names in a directory durable.

        Raises:
            TransportError: that failed.
        """
        try:
            files.sync_directory(directory)
        except FileNotFoundError:
            self.check()
        except OSError as error:
            raise self.unwritable(error, directory) from error
