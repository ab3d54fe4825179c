"""The place of a store in a cloud: what is known of it, and looking again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from claude_sync.errors import FileGone, StoreAbsent, StoreOffline, TransportError
from claude_sync.transports.base import MARKER_BYTES, MARKER_NAME, Listing, is_usable_name
from claude_sync.transports.location import CloudLocation
from claude_sync.transports.rclone import errors
from claude_sync.transports.rclone.calls import Answer, Caller, Request, command, download
from claude_sync.transports.rclone.listing import File, Seen, seen_in

_MOST_ENTRIES = 250_000
_REFUSALS_IN_A_ROW = 20
"""After so many files that can't be read, it is seen whether the place can be read at all."""
# What every project's directory is called, and no backend spells otherwise.
_PLAIN = r"[A-Za-z0-9+%_-][A-Za-z0-9+%._-]*"


class Place:
    """Where a store lies. Used by one thread.

    Args:
        location: the remote and the path in it.
        caller: asks rclone.

    Attributes:
        fs: the place, as rclone spells it.
        marker: as it was seen last, None where there was none.
        was_marked: whether the last listing had a marker.
        may_be_empty: whether it was made, or its marker removed, just now.
    """

    def __init__(self, location: CloudLocation, caller: Caller) -> None:
        self.fs = location.fs
        self.caller = caller
        self.marker: File | None = None
        self.was_marked = False
        self.may_be_empty = False
        self._remote = location.remote
        self._path = location.path
        self._files: dict[str, File] | None = None
        self._refusals = 0

    # --- listing -------------------------------------------------------------------------------

    def ask_for_all(self) -> Answer:
        """Ask for a listing of all files; `listed` waits for it."""
        return self.caller.send(self.list_request("", recurse=True))

    def listed(self, answer: Answer, known: Listing | None = None) -> Listing:
        """What was asked for.

        Args:
            answer: to `ask_for_all`.
            known: an earlier listing, returned itself if nothing has changed.

        Raises:
            StoreAbsent: the place isn't there.
        """
        seen = self.seen(answer, "")
        if seen.marker is None and not seen.files and not self.may_be_empty:
            # In a bucket, a prefix that was never there lists as empty, too.
            raise errors.absent(self.fs)
        self._files = dict(seen.files)
        self._note_marker(seen)
        self.was_marked = seen.marker is not None
        marker = self._read_marker(seen.marker)
        digest = seen.digest(marker)
        if known is not None and known.digest == digest:
            same = known.duplicates == seen.duplicates  # not all is kept of what is known
            return known if same else known._replace(duplicates=seen.duplicates)
        return Listing(marker, seen.entries(), digest, duplicates=seen.duplicates)

    def _read_marker(self, file: File | None) -> bytes | None:
        if file is None or not file.stamp.size:
            return None if file is None else b""
        size = min(file.stamp.size, MARKER_BYTES)
        with self.caller.call(download(self.fs, file.path, 0, size)) as answer:
            if not answer.is_good:
                raise self.refused(answer, file.path)
            return answer.text(size)

    def list_request(self, directory: str, *, recurse: bool = False) -> Request:
        """Ask for the files of a directory, or for all below it."""
        options = {"recurse": recurse, "noMimeType": True, "filesOnly": True}
        return command("operations/list", fs=self.fs, remote=directory, opt=options)

    def seen(self, answer: Answer, directory: str) -> Seen:
        """What the answer to a listing says; a directory that isn't there has no files.

        Raises:
            StoreAbsent: the place itself isn't there.
        """
        if not answer.is_good:
            error = self.refused(answer, directory)
            if directory and isinstance(error, (StoreAbsent, FileGone)):
                return seen_in([])
            raise error
        items = answer.document().get("list")
        if not isinstance(items, list) or len(items) > _MOST_ENTRIES:
            raise errors.nonsense(self.fs)
        return seen_in(items, directory)

    # --- what is known -------------------------------------------------------------------------

    def find(self, name: str) -> File | None:
        """The file that has a name, as it was seen last."""
        if name == MARKER_NAME:
            return self.marker
        return self._known().get(name) if is_usable_name(name) else None

    def find_again(self, name: str) -> File | None:
        """The same after another look: where it was is nothing any more, or another file."""
        if not is_usable_name(name):
            return None
        directory = name.rpartition("/")[0]
        with self.caller.call(self.list_request(directory)) as answer:
            self.learn(directory, self.seen(answer, directory))
        return self.find(name)

    def learn(self, directory: str, seen: Seen) -> None:
        """Take in what was just seen in a directory."""
        files = self._known()
        for name in [name for name in files if name.rpartition("/")[0] == directory]:
            del files[name]
        files.update(seen.files)
        if not directory:
            self._note_marker(seen)

    def _note_marker(self, seen: Seen) -> None:
        self.marker = seen.marker
        self.may_be_empty = self.may_be_empty and seen.marker is None

    def settle(self, name: str, file: File | None, gone: Sequence[str]) -> None:
        """Take in what has a name now, and which names in the storage nothing has any more."""
        files = self._known()
        for path in gone:
            files.pop(path, None)
        if name == MARKER_NAME:
            self.marker = file
        elif file is not None:
            files[name] = file
        else:
            files.pop(name, None)

    def _known(self) -> dict[str, File]:
        if self._files is None:
            with self.ask_for_all() as answer:
                self.listed(answer)
        assert self._files is not None
        return self._files

    def check_there(self, *, marked: bool = True) -> None:
        """Check that the place is there.

        Args:
            marked: whether that includes its marker, if the last listing had one.

        Raises:
            StoreAbsent: it isn't.
        """
        marker = self.marker
        if marker is not None:
            with self.caller.call(
                command("operations/stat", fs=self.fs, remote=marker.path)
            ) as answer:
                if not answer.is_good:
                    raise self.refused(answer, marker.path)
                if answer.document().get("item") is not None:
                    return
        with self.caller.call(self.list_request("")) as answer:
            seen = self.seen(answer, "")
        lost = seen.marker is None and marked and self.was_marked
        if lost or not (seen.marker or seen.files or self.may_be_empty):
            raise errors.absent(self.fs)
        self._note_marker(seen)

    def make_directories(self, directories: Iterable[str]) -> dict[str, TransportError]:
        """Make the directories in which no file is known; those that can't be, and why.

        Eight uploads at once would make them as often, which some clouds refuse and others allow:
        then there are several of one name.

        Raises:
            StoreOffline: none can be made now.
        """
        refused: dict[str, TransportError] = {}
        seen = {name.rpartition("/")[0] for name in self._known()}
        for directory in sorted({*directories} - seen):
            request = command("operations/mkdir", fs=self.fs, remote=directory)
            with self.caller.call(request) as answer:
                if answer.is_good:
                    answer.text()
                    continue
                error = self.refused(answer, directory)
            if isinstance(error, StoreOffline):
                raise error
            refused[directory] = error
        return refused

    def split(self, path: str) -> tuple[str, str]:
        """How rclone reaches a file: a place, and the file's path in it.

        A project's directory is a place of its own, for rclone waits some milliseconds between two
        requests for one place, and doesn't for two.
        """
        directory, _, file = path.rpartition("/")
        if re.fullmatch(_PLAIN, directory):
            return f"{self.fs}/{directory}", file
        return self.fs, path

    # --- for errors ----------------------------------------------------------------------------

    def refused(self, answer: Answer, *names: str) -> TransportError:
        """Why something wasn't done.

        Args:
            answer: which isn't good.
            names: of the files in the storage that it is about.
        """
        where = self.where(names[0]) if names else self.fs
        about = [self.fs, self._path, self._remote, *names, *(n.split("/")[-1] for n in names)]
        return errors.refused(answer.complaint(), self._remote, where, about)

    def unreadable(self, answer: Answer, path: str) -> TransportError:
        """Why a file can't be read, where others can.

        Args:
            answer: which isn't good.
            path: the file's name in the storage.

        Raises:
            TransportError: none can: the marker can't be read any more either.
        """
        error = self.refused(answer, path)
        if isinstance(error, (StoreOffline, FileGone)):
            return error
        self._refusals += 1
        if self._refusals >= _REFUSALS_IN_A_ROW:
            self._refusals = 0
            self._read_marker(self.marker)
        return errors.unreadable(error)

    def note_readable(self) -> None:
        """A file can be read."""
        self._refusals = 0

    def where(self, name: str) -> str:
        """How to name a file in an error."""
        return f"{self.fs}/{name}" if is_usable_name(name) else self.fs

    def gone(self, name: str) -> FileGone:
        """The error for a file that isn't there, or is another one."""
        return FileGone(
            "a file is gone, or has changed since it was listed",
            where=self.where(name),
            todo="look again",
        )
