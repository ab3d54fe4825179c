"""Writing files where nothing replaces a file safely: a group at a time.

Invariant: a file's older revision is removed only after its new one was seen whole.

Order of steps: look whether the place is there · upload each under a name of its own, eight at
once · list where they are to be · those that arrived whole, and where nothing else arrived, count ·
remove what they replace · answer. A crash in between leaves an older revision, or a part of a new
one, beside the one that counts: a listing shows the first, and knows the second by its size.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from claude_sync.errors import ClaudeSyncError, FileGone, Stopped, StoreOffline, TransportError
from claude_sync.transports.base import (
    MARKER_NAME,
    Predecessor,
    Put,
    Written,
    arrived,
    is_same_file,
    is_usable_name,
    unusable_name,
)
from claude_sync.transports.rclone import errors
from claude_sync.transports.rclone.calls import command, upload
from claude_sync.transports.rclone.listing import File, Seen, seen_in
from claude_sync.transports.rclone.names import new_revision, next_number, plain_name
from claude_sync.transports.rclone.place import Place

_FILES_AT_ONCE = 64
_HELD_BYTES = 8 << 20
_LONGEST_PART_BYTES = 255
_LEFTOVERS_SECONDS = 24 * 3600


@dataclass(slots=True, eq=False)
class _Upload:
    """One put on its way.

    Attributes:
        put: what is to be written.
        size: of the file.
        held: its bytes, None where they are more than is held.
        sent: bytes that were given to rclone, whether they arrived or not.
        path: the name that it gets in the storage.
        given_up: names under which it was uploaded before, and didn't arrive whole.
        error: why it fails.
        old: what it replaces, once that is to be removed.
        file: what lies there then.
    """

    put: Put
    size: int = 0
    held: bytes | None = None
    sent: int = 0
    path: str = ""
    given_up: list[str] = field(default_factory=list)
    error: Exception | None = None
    old: File | None = None
    file: File | None = None

    @property
    def directory(self) -> str:
        return self.put.name.rpartition("/")[0]

    def blocks(self) -> Iterator[bytes]:
        """Its bytes, as many as its name says.

        Raises:
            TransportError: there are more or fewer by now.
        """
        size = 0
        for data in (
            (block.data for block in self.put.blocks()) if self.held is None else [self.held]
        ):
            size += len(data)
            if size > self.size:
                break
            self.sent += len(data)
            yield data
        if size != self.size:
            raise TransportError(
                "what is pushed changed while it was sent", where=self.put.name, todo="push again"
            )


class Group:
    """Files that are written together.

    Args:
        place: where to.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._uploads: list[_Upload] = []
        self._held = 0

    @property
    def is_full(self) -> bool:
        """Whether it is to be finished."""
        return len(self._uploads) >= _FILES_AT_ONCE or self._held >= _HELD_BYTES

    def add(self, put: Put) -> None:
        """Take one more. Its bytes are asked for twice where they are too many to be held."""
        self._place.caller.check_stopped()
        one = _Upload(put)
        self._uploads.append(one)
        if not is_usable_name(put.name):
            one.error = unusable_name()
            return
        try:
            self._measure(one)
        except (Stopped, StoreOffline):
            raise
        except ClaudeSyncError as error:
            one.error = error
            return
        self._name(one)
        longest = max(len(part.encode("utf-8", "replace")) for part in one.path.split("/"))
        if longest > _LONGEST_PART_BYTES:
            one.error = unusable_name()

    def _name(self, one: _Upload) -> None:
        name = one.put.name
        replaced = self._place.find(name)
        number = next_number(replaced.number if replaced else 0)
        one.path = new_revision(name, number, one.size)

    def _measure(self, one: _Upload) -> None:
        """Learn how many bytes it has, for its name says that."""
        pieces: list[bytes] | None = []
        for block in one.put.blocks():
            self._place.caller.check_stopped()
            one.size += len(block.data)
            if pieces is not None and self._held + one.size <= _HELD_BYTES:
                pieces.append(block.data)
            else:
                pieces = None
        if pieces is not None:
            one.held = b"".join(pieces)
            self._held += one.size
        else:
            self._held = _HELD_BYTES

    # --- steps ---------------------------------------------------------------------------------

    def _write(self, uploads: Sequence[_Upload]) -> None:
        only_marker = all(one.put.name == MARKER_NAME for one in uploads)
        self._place.check_there(marked=not only_marker)
        directories = {one.directory for one in uploads if one.directory}
        refused = self._place.make_directories(directories)
        for one in uploads:
            one.error = refused.get(one.directory)
        sent = [one for one in uploads if one.error is None]
        self._send(sent)
        self._send_again([one for one in sent if _may_help(one.error)])
        self._look([one for one in uploads if one.error is None])

    def finish(self) -> Iterator[Written]:
        """Write all that was added, and answer for it."""
        uploads, self._uploads, self._held = self._uploads, [], 0
        sound = [one for one in uploads if one.error is None]
        if sound:
            try:
                self._write(sound)
            except (Stopped, StoreOffline) as error:
                # What went in vain is counted as well.
                for one in sound:
                    if one.sent:
                        yield Written(one.put.name, None, one.sent, error)
                raise
        for one in uploads:
            if one.error is not None or one.file is None:
                yield Written(one.put.name, None, one.sent, one.error)
            else:
                yield Written(one.put.name, one.file.stamp, one.sent)

    def _send(self, uploads: Sequence[_Upload]) -> None:
        """Upload them; what goes wrong with one costs that one."""
        place = self._place
        requests = (upload(*place.split(one.path), one.blocks, one.size) for one in uploads)
        for one, answer in zip(uploads, place.caller.ahead(requests), strict=True):
            assert answer is not None
            with answer:
                if answer.is_good:
                    answer.text()
                else:
                    one.error = answer.given_up or place.refused(answer, one.path)
            if isinstance(one.error, FileGone):  # rclone looks for what it brought
                one.error = errors.not_whole(place.where(one.put.name))
            if isinstance(one.error, (StoreOffline, Stopped)):
                raise one.error

    def _send_again(self, uploads: Sequence[_Upload]) -> None:
        """Upload once more what rclone itself saw arrive in part, or found locked.

        Some servers are late to tell; others lock a directory while something is made in it, so
        each goes alone.
        """
        for one in uploads:
            one.given_up.append(one.path)
            one.error = None
            self._name(one)
            self._send([one])

    def _look(self, uploads: Sequence[_Upload]) -> None:
        """See which arrived whole, and remove what they replace."""
        place = self._place
        directories = list(dict.fromkeys(one.directory for one in uploads))
        listings = place.caller.ahead(map(place.list_request, directories))
        for directory, answer in zip(directories, listings, strict=True):
            assert answer is not None
            here = [one for one in uploads if one.directory == directory]
            try:
                with answer:
                    seen = place.seen(answer, directory)
            except (StoreOffline, Stopped):
                raise
            except TransportError as error:
                for one in here:
                    one.error = error  # whether it arrived isn't known, so nothing is removed
                continue
            place.learn(directory, seen)
            paths = {file.path: file for file in (*seen.files.values(), *seen.markers)}
            for one in here:
                self._judge(one, paths)
            self._remove(here, seen)

    def _judge(self, one: _Upload, paths: Mapping[str, File]) -> None:
        """Whether an upload counts, and what it replaces then."""
        name = one.put.name
        file = paths.get(one.path) or self._stat(one)
        ours = {one.path, *one.given_up}
        others = [file for path, file in paths.items() if path not in ours]
        others = [file for file in others if name in (file.path, plain_name(file.path))]
        there = max(others, key=lambda file: (file.number, file.path), default=None)
        if file is None:
            one.error = errors.not_whole(self._place.where(name))
        elif there is not None and not _may_replace(one.put.predecessor, there):
            one.error = arrived(self._place.where(name))
        one.old = there
        if one.error is None:
            one.file = file

    def _stat(self, one: _Upload) -> File | None:
        """Ask for an upload by its name: some clouds list what is new a little later."""
        place = self._place
        with place.caller.call(command("operations/stat", fs=place.fs, remote=one.path)) as answer:
            item = answer.document().get("item") if answer.is_good else None
        seen = seen_in([item], one.directory)
        return next((file for file in seen.files.values() if file.path == one.path), None)

    def _remove(self, uploads: Sequence[_Upload], seen: Seen) -> None:
        """Remove what was replaced, what may not stay, and what died a day ago.

        An older revision that can't be removed stays beside the newer one, which counts.
        """
        going = [one.path for one in uploads if one.error is not None]
        going += [path for one in uploads for path in one.given_up]
        going += [one.old.path for one in uploads if one.error is None and one.old is not None]
        marker = next((one.path for one in uploads if one.put.name == MARKER_NAME and one.file), "")
        if marker:
            going += [file.path for file in seen.markers if file.path != marker]
        limit = (time.time() - _LEFTOVERS_SECONDS) * 1e9
        going += [file.path for file in seen.unfinished if 0 < file.stamp.mtime_ns < limit]
        going = list(dict.fromkeys(going))
        stay = {path for path, error in delete(self._place, going) if error is not None}
        for one in uploads:
            counts = one.old if one.file is None else one.file
            self._place.settle(one.put.name, counts, going)
            if one.path == marker and stay.isdisjoint(file.path for file in seen.markers):
                self._name_marker(one)

    def _name_marker(self, one: _Upload) -> None:
        """Give the marker the name that it has in a folder, now that nothing else has it.

        Until then whoever comes by rclone finds it under that of its revision. Where something else
        has it, rclone may take that for the same file, and remove this one.
        """
        place = self._place
        request = command(
            "operations/movefile",
            srcFs=place.fs,
            srcRemote=one.path,
            dstFs=place.fs,
            dstRemote=MARKER_NAME,
        )
        with place.caller.call(request) as answer:
            if not answer.is_good:
                return
            answer.text()
        with place.caller.call(place.list_request("")) as answer:
            place.learn("", place.seen(answer, ""))
        one.file = place.marker or one.file


def _may_help(error: Exception | None) -> bool:
    """Whether an upload that failed so is worth another one at once."""
    return type(error) is TransportError and error.passing


def _may_replace(predecessor: Predecessor | None, there: File) -> bool:
    """Whether what lies there is what a put expects."""
    if predecessor is None:
        return True
    return predecessor.stamp is not None and is_same_file(predecessor.stamp, there.stamp)


def delete(place: Place, paths: Sequence[str]) -> Iterator[tuple[str, TransportError | None]]:
    """Remove files, by their names in the storage; each with why it couldn't be."""
    requests = (
        command("operations/deletefile", fs=fs, remote=file) for fs, file in map(place.split, paths)
    )
    for path, answer in zip(paths, place.caller.ahead(requests), strict=True):
        assert answer is not None
        with answer:
            error = None if answer.is_good else place.refused(answer, path)
            if error is None:
                answer.text()
        yield path, error
