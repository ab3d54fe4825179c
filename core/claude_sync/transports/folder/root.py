"""The folder itself: whether it is still there, still the one that was looked at, still wanted."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from claude_sync.disk import files
from claude_sync.errors import StoreOffline
from claude_sync.spelling import extended
from claude_sync.transports.base import MARKER_NAME, is_usable_name, stopped
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
        return os.path.join(self.location, name) if is_usable_name(name) else self.location

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
            raise translate(error, str(directory)) from error
