"""SHA-256 of bytes that pass, hashed beside what else is done with them once they are many.

Hashing and reading let go of Python's lock, so on a second core a big transcript's hash costs next
to nothing. A small one isn't worth a thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    import threading
    from queue import SimpleQueue

_WORTH_A_THREAD_BYTES = 4 << 20
_MOST_WAITING = 8


class Begun(NamedTuple):
    """A SHA-256 of the first bytes of something.

    Attributes:
        digest: of them.
        size: how many.
    """

    digest: hashlib._Hash
    size: int


class PassingHash:
    """A SHA-256 that is told of bytes, block by block. Used by one thread.

    `close` it, or let go of it. At most eight blocks wait to be hashed, so memory doesn't grow. A
    block may not be changed after it was added.

    Args:
        marks: sizes at which to note the hash as well.
        begun: what was hashed before; None for nothing.
    """

    def __init__(self, marks: Iterable[int] = (), begun: Begun | None = None) -> None:
        self._digest = begun.digest.copy() if begun is not None else hashlib.sha256()
        self._size = self._before = begun.size if begun is not None else 0
        self._marks = sorted((mark for mark in set(marks) if mark >= self._size), reverse=True)
        self._noted: dict[int, str] = {}
        self._thread: threading.Thread | None = None
        self._todo: SimpleQueue[bytes | int | None]
        self._room: threading.BoundedSemaphore

    def add(self, data: bytes) -> None:
        """Hash the next bytes, now or soon."""
        while self._marks and (cut := self._marks[-1] - self._size) <= len(data):
            self._add(data[:cut])
            self._note(self._marks.pop())
            data = data[cut:]
        self._add(data)

    def _add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size - self._before < _WORTH_A_THREAD_BYTES:
            self._digest.update(data)
            return
        if self._thread is None:
            self._thread = self._start()
        self._room.acquire()
        self._todo.put(data)

    def _start(self) -> threading.Thread:
        # Imported only now: most of what is hashed is small, or isn't read at all.
        import threading
        from queue import SimpleQueue

        self._todo = SimpleQueue()
        self._room = threading.BoundedSemaphore(_MOST_WAITING)
        thread = threading.Thread(
            target=_hash,
            args=(self._digest, self._todo, self._room, self._noted),
            name="claude-sync hash",
            daemon=True,
        )
        thread.start()
        return thread

    def _note(self, size: int) -> None:
        if self._thread is None:
            self._noted[size] = self._digest.copy().hexdigest()
        else:
            self._todo.put(size)

    @property
    def noted(self) -> Mapping[int, str]:
        """The hash of the first so many bytes, for each mark that was passed; after `close`."""
        return self._noted

    def hexdigest(self) -> str:
        """The hash of all that was added; nothing can be added after."""
        self.close()
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread, once what waits is hashed."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._todo.put(None)
            thread.join()

    def __del__(self) -> None:
        # Where the bytes ended early nobody may have closed it, and the thread would wait for ever.
        if self._thread is not None:
            self._todo.put(None)


def _hash(
    digest: hashlib._Hash,
    todo: SimpleQueue[bytes | int | None],
    room: threading.BoundedSemaphore,
    noted: dict[int, str],
) -> None:
    """What the thread does; it holds nothing of the object, so that one can be let go of."""
    while (data := todo.get()) is not None:
        if isinstance(data, int):
            noted[data] = digest.copy().hexdigest()
            continue
        digest.update(data)
        room.release()
