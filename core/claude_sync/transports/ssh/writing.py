"""Sending files to the script: only what is new of each, many of them on their way at once.

A file is put together on the host from ranges of the one it replaces and from new bytes. The old
file isn't read first: the whole new one is hashed there before it gets its name, and if the hash
isn't the right one, all of it is sent.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from claude_sync.errors import (
    ClaudeSyncError,
    FileGone,
    Stopped,
    StoreDenied,
    StoreOffline,
)
from claude_sync.model import Stamp
from claude_sync.transports.base import (
    LEAST_REUSE_BYTES,
    MARKER_NAME,
    Block,
    Predecessor,
    PreparedPut,
    Put,
    Reuse,
    Written,
    arrived,
    is_usable_name,
    unusable_name,
)
from claude_sync.transports.ssh.answers import stamp_from
from claude_sync.transports.ssh.errors import file_refused, store_refused
from claude_sync.transports.ssh.script import spelled
from claude_sync.transports.ssh.session import Session

_GROUP_FILES = 100
_GROUP_BYTES = 32 << 20
_GROUPS_AHEAD = 2
# A piece is held in memory on the host (`dd` takes it as one block).
_PIECE_BYTES = 1 << 20
# A longer range is sent in parts, so that the host copies while we still read.
_RANGE_BYTES = 8 << 20
_BETWEEN_BYTES = 1024
_NOWHERE = -1


@dataclass(slots=True)
class _Slot:
    """One put on its way.

    Attributes:
        whole: whether all of it has to be sent.
        tries: how often it was sent.
        sent: bytes of it that went out, all tries together.
    """

    put: Put
    whole: bool
    tries: int = 0
    sent: int = 0
    stamp: Stamp | None = None
    error: ClaudeSyncError | None = None
    finished: bool = False


class _DeltaSender:
    """What goes out for one put: adjacent ranges of the base joined, and adjacent bytes.

    A few bytes between two ranges that lie as far apart in the base count as the base's own: what
    stands between two sidecar files that are the same is the same. (If that is wrong, so is the
    hash of the whole, and everything is sent.)
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._digest = hashlib.sha256()
        self._data = bytearray()
        self._offset = _NOWHERE
        self._length = 0
        self._left = bytearray()
        self._between = bytearray()
        self.sent = 0
        self.size = 0

    def add(self, data: bytes, base_offset: int) -> None:
        """The next bytes of the file; `base_offset` is where they stand in the base, or -1."""
        self._digest.update(data)
        self.size += len(data)
        self._put(data, len(data), base_offset)

    def end(self) -> None:
        """Send what is left, and what the whole must be."""
        self._end(self._digest.hexdigest())

    def add_prepared(self, prepared: PreparedPut) -> None:
        """A whole file, to its end."""
        for part in prepared.parts:
            if isinstance(part, Reuse):
                self._put(b"", part.length, part.base_offset)
            else:
                self._put(part.data, len(part.data), part.base_offset)
        self.size = prepared.size
        self._end(prepared.sha256)

    def add_unproved(self, part: Block | Reuse) -> None:
        """The next bytes of a file that whoever reads it proves; `end_unproved` ends it."""
        if isinstance(part, Reuse):
            self._put(b"", part.length, part.base_offset)
            self.size += part.length
        else:
            # What stands between two ranges isn't taken for the base's own: nothing would tell.
            self._end_range()
            self._add_bytes(part.data)
            self.size += len(part.data)

    def end_unproved(self) -> None:
        """Send what is left, and how long the whole must be."""
        self._end("-")

    def _put(self, data: bytes, length: int, base_offset: int) -> None:
        """The next bytes; those of a long range needn't be given."""
        if base_offset < 0:
            self._between += data
            if self._offset == _NOWHERE or len(self._between) > _BETWEEN_BYTES:
                self._end_range()
            return
        end = self._offset + self._length
        if self._offset != _NOWHERE and base_offset == end + len(self._between):
            self._join(self._between, len(self._between))
        else:
            self._end_range()
            self._offset = base_offset
        self._between.clear()
        self._join(data, length)
        if self._length >= _RANGE_BYTES:
            self._send_range()

    def _end(self, sha256: str) -> None:
        self._end_range()
        self._send_bytes(len(self._data))
        self._session.send(b"E %d %s\n" % (self.size, sha256.encode()))

    def _join(self, data: bytes | bytearray, length: int) -> None:
        self._length += length
        if len(self._left) < LEAST_REUSE_BYTES:
            self._left += data

    def _end_range(self) -> None:
        """No range goes on: send it, and keep what came after it."""
        self._send_range()
        self._offset = _NOWHERE
        self._add_bytes(self._between)
        self._between.clear()

    def _send_range(self) -> None:
        # Of a range whose bytes weren't given they can't be sent, however few they are.
        if 0 < self._length < LEAST_REUSE_BYTES and len(self._left) == self._length:
            self._add_bytes(self._left)
        elif self._length:
            self._send_bytes(len(self._data))
            self._session.send(b"B %d %d\n" % (self._offset, self._length))
        self._offset += self._length
        self._length = 0
        self._left.clear()

    def _add_bytes(self, data: bytes | bytearray) -> None:
        self._data += data
        while len(self._data) >= _PIECE_BYTES:
            self._send_bytes(_PIECE_BYTES)

    def _send_bytes(self, size: int) -> None:
        if size:
            self._session.send(b"D %d\n" % size)
            self._session.send(bytes(memoryview(self._data)[:size]))
            del self._data[:size]
            self.sent += size


def _spelled_predecessor(predecessor: Predecessor | None) -> bytes:
    """What may lie there as the script takes it: nothing said, ``none``, or four numbers."""
    if predecessor is None:
        return b""
    if predecessor.stamp is None:
        return b" none"
    size, mtime_ns, inode = predecessor.stamp
    seconds, nanoseconds = divmod(mtime_ns, 10**9)
    return b" %d %d %09d %d" % (size, seconds, nanoseconds, inode)


class Upload:
    """The writing of many puts over one session.

    Args:
        session: nothing else uses it meanwhile.
        where: how to name a file of the store in errors.
        check_stopped: raises Stopped once the work was interrupted.

    Attributes:
        marked: whether the store's marker has to be there.
        proves: whether the host can hash. Found out by trying.
    """

    def __init__(
        self,
        session: Session,
        where: Callable[[str], str],
        check_stopped: Callable[[], None],
    ) -> None:
        self.marked = False
        self.proves = True
        self._session = session
        self._where = where
        self._check_stopped = check_stopped
        self._order: deque[_Slot] = deque()
        self._group: list[_Slot] = []
        self._group_bytes = 0
        self._ahead: deque[list[_Slot]] = deque()

    def run(self, puts: Iterable[Put]) -> Iterator[Written]:
        """Send the puts; an answer to each, in their order.

        Raises:
            StoreOffline, StoreDenied: the store can't be used, or the connection was lost.
            Stopped: it was interrupted, or a put's blocks raised that.
        """
        for put in puts:
            slot = _Slot(put, whole=put.base is None)
            self._order.append(slot)
            if is_usable_name(put.name):
                self._send(slot)
            else:
                slot.error, slot.finished = unusable_name(), True
            yield from self._finished()
        while self._group or self._ahead:
            if self._group:
                self._commit()
            while self._ahead:
                self._collect()
            yield from self._finished()
        yield from self._finished()

    def _finished(self) -> Iterator[Written]:
        while self._order and self._order[0].finished:
            slot = self._order.popleft()
            yield Written(slot.put.name, slot.stamp, slot.sent, slot.error)

    def _send(self, slot: _Slot) -> None:
        slot.tries += 1
        needs_marker = self.marked and slot.put.name != MARKER_NAME
        may_go = _spelled_predecessor(slot.put.predecessor)
        line = b"P %d%s\n%s\n" % (needs_marker, may_go, spelled(slot.put.name).encode())
        self._session.send(line)
        self._group.append(slot)
        pieces = _DeltaSender(self._session)
        leaves = self.proves and not slot.whole
        if slot.put.unproved is not None and not slot.whole:
            if not self._send_parts(slot, slot.put.unproved, pieces):
                return
        elif leaves and slot.put.prepared is not None:
            pieces.add_prepared(slot.put.prepared)
        elif not self._send_blocks(slot, pieces, leaves=leaves):
            return
        slot.sent += pieces.sent
        self._group_bytes += pieces.size
        if len(self._group) >= _GROUP_FILES or self._group_bytes >= _GROUP_BYTES:
            self._commit()

    def _send_blocks(self, slot: _Slot, pieces: _DeltaSender, *, leaves: bool) -> bool:
        """Send a file as its blocks come; whether they came to an end."""
        blocks = slot.put.blocks()
        while True:
            self._check_stopped()
            try:
                block = next(blocks, None)
            except (Stopped, StoreOffline):
                raise
            except ClaudeSyncError as error:
                slot.error = error
                self._session.send(b"A\n")
                return False
            if block is None:
                pieces.end()
                return True
            pieces.add(block.data, block.base_offset if leaves else -1)

    def _send_parts(
        self, slot: _Slot, parts: Callable[[], Iterator[Block | Reuse]], pieces: _DeltaSender
    ) -> bool:
        """Send a file that its readers prove; whether its parts came to an end."""
        try:
            for part in parts():
                self._check_stopped()
                pieces.add_unproved(part)
        except (Stopped, StoreOffline):
            raise
        except ClaudeSyncError as error:
            slot.error = error
            self._session.send(b"A\n")
            return False
        pieces.end_unproved()
        return True

    def _commit(self) -> None:
        self._session.send(b"C %d\n" % self.marked)
        self._ahead.append(self._group)
        self._group, self._group_bytes = [], 0
        while len(self._ahead) > _GROUPS_AHEAD:
            self._collect()

    def _collect(self) -> None:
        """Take the answers to the oldest group; what has to be sent again goes out."""
        group = self._ahead.popleft()
        for slot in group:
            self._take_answer(slot)
        for slot in group:
            if not slot.finished:
                self._send(slot)

    def _take_answer(self, slot: _Slot) -> None:
        line = self._session.line()
        word, _, rest = line.partition(b" ")
        slot.finished = True
        if slot.error is not None:
            return
        if word == b"ok":
            slot.stamp = stamp_from(rest)
        if word not in (b"ok", b"no") or (word == b"ok" and slot.stamp is None):
            raise self._session.nonsense()
        if word == b"no":
            self._take_refusal(slot, rest.decode("utf-8", "replace"))

    def _take_refusal(self, slot: _Slot, text: str) -> None:
        error = store_refused(text, self._where(""))
        if error is not None:
            raise error
        if text == "unproven":
            self.proves = False
        if text in ("bad", "unproven") and not slot.whole:
            slot.whole, slot.finished = True, False
            return
        if text == "bad":
            slot.error = StoreDenied(
                "the host stored different bytes from those sent",
                where=self._where(slot.put.name),
                todo="check its disk",
            )
            return
        if text == "arrived":
            slot.error = arrived(self._where(slot.put.name))
            return
        slot.error = file_refused(text, self._where(slot.put.name))
        if isinstance(slot.error, FileGone):
            # Another machine's `remove` takes a directory away when it empties it.
            slot.error = StoreOffline(slot.error.what, where=slot.error.where, todo=slot.error.todo)
            if slot.tries == 1:
                slot.error, slot.finished = None, False
