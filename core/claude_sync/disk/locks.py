"""One lock between processes, gone with its holder.

Invariants:

1. The lock is the system's own (flock; on Windows a locked byte), so it ends with the process
   that holds it, however that ends. What the file says is for messages only.
2. Programs started meanwhile don't inherit it: an ssh connection that outlives us must not keep it.
3. The file is never removed and never emptied by a process that doesn't hold the lock.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from claude_sync.disk.files import make_private, open_in_place
from claude_sync.disk.refusals import refusal
from claude_sync.errors import LockBusy, RecordsError, Stopped
from claude_sync.values import NamedTuple

_SHORTEST_WAIT_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 0.05
_MAX_HOLDER_BYTES = 512
# Windows' locks keep others from reading too, so the locked byte lies far behind what is written.
_LOCKED_BYTE = 1 << 30


class Holder(NamedTuple):
    """Who holds a lock, as it says itself.

    Attributes:
        pid: its process.
        purpose: what it does, a participle: "pushing".
    """

    pid: int
    purpose: str


class Lock:
    """A lock between processes, and between the threads of one if each makes its own.

    Args:
        path: its file. Made, with its directory, if missing; it stays when the lock is let go.
        purpose: what the holder does, for the messages of others: "pushing".

    One object belongs to one thread. Within it the lock nests: only the outermost release lets go.
    As a context manager it waits up to `patience_seconds`.
    """

    def __init__(self, path: Path, purpose: str, *, patience_seconds: float = 10.0) -> None:
        self.path = path
        self.purpose = purpose
        self.patience_seconds = patience_seconds
        self._descriptor = -1
        self._depth = 0

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._depth > 0

    def acquire(self, timeout_seconds: float = 0.0, stop: Callable[[], bool] | None = None) -> None:
        """Take the lock, waiting for it if need be.

        Args:
            timeout_seconds: how long to wait; 0 tries once, infinity waits for ever.
            stop: asked several times a second; true ends the waiting.

        Raises:
            LockBusy: another process held it all the time; says which.
            Stopped: `stop` said so.
            RecordsError: the file can't be made or read, or can't be locked where it lies.
        """
        if self._depth:
            self._depth += 1
            return
        end = time.monotonic() + timeout_seconds
        wait = _SHORTEST_WAIT_SECONDS
        while not self._try():
            left = end - time.monotonic()
            if left <= 0:
                raise LockBusy(self._busy(), todo="try again when it is done")
            if stop is not None and stop():
                raise Stopped("stopped while waiting for another claude-sync")
            time.sleep(min(wait, left))
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        self._depth = 1

    def release(self) -> None:
        """Let go once; the outermost release ends the lock."""
        if self._depth > 1:
            self._depth -= 1
            return
        descriptor, self._descriptor, self._depth = self._descriptor, -1, 0
        if descriptor < 0:
            return
        try:
            _write_holder(descriptor, b"")
            _unlock(descriptor)
        except OSError:
            pass  # closing it lets go as well
        finally:
            _close(descriptor)

    def holder(self) -> Holder | None:
        """Who says that it holds the lock; None where nobody does, or where that can't be read.

        Only to be believed of a lock that was just found busy.
        """
        try:
            with open(self.path, "rb") as file:
                document = json.loads(file.read(_MAX_HOLDER_BYTES))
            pid, purpose = document["pid"], document["purpose"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        if type(pid) is not int or type(purpose) is not str or not purpose.isprintable():
            return None
        return Holder(pid, purpose)

    def __enter__(self) -> Lock:
        self.acquire(self.patience_seconds)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _try(self) -> bool:
        while True:
            descriptor = self._open()
            try:
                if not _lock(descriptor, self.path):
                    return False
                if _is_still(descriptor, self.path):
                    holder = {"pid": os.getpid(), "purpose": self.purpose}
                    _write_holder(descriptor, json.dumps(holder).encode())
                    self._descriptor, descriptor = descriptor, -1
                    return True
            finally:
                if descriptor >= 0:
                    _close(descriptor)

    def _open(self) -> int:
        try:
            make_private(self.path.parent)
            return open_in_place(self.path)
        except OSError as error:
            why, todo = refusal(error, "make its folder writable")
            raise RecordsError(
                f"the lock file can't be opened ({why})", where=str(self.path), todo=todo
            ) from error

    def _busy(self) -> str:
        holder = self.holder()
        who = f" (pid {holder.pid}, {holder.purpose})" if holder else ""
        return f"another claude-sync{who} is at work"


@contextmanager
def alone_with(descriptor: int, path: Path, patience_seconds: float = 1.0) -> Iterator[None]:
    """Have an open file to oneself among those that ask for it so; by the way, not for certain.

    For what is written in place by several processes: Windows appends in two steps, a seek and a
    write. Where the file can't be locked, or somebody keeps it too long, it goes on without.

    Args:
        descriptor: the file, open for writing.
        path: its path.
        patience_seconds: how long to wait for another process.
    """
    end = time.monotonic() + patience_seconds
    locked = False
    try:
        while not (locked := _lock(descriptor, path)) and time.monotonic() < end:
            time.sleep(_SHORTEST_WAIT_SECONDS)
    except (OSError, RecordsError):
        pass
    try:
        yield
    finally:
        if locked:
            try:
                _unlock(descriptor)
            except OSError:
                pass  # closing it lets go as well


def _write_holder(descriptor: int, data: bytes) -> None:
    """Write who holds the lock. A full disk must not keep anybody from locking."""
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, data)
        os.ftruncate(descriptor, len(data))
    except OSError:
        pass


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one with that name: a removed one locks nobody out.

    Raises:
        RecordsError: that can't be seen.
    """
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise RecordsError(
            f"the lock file can't be read ({error.strerror})",
            where=str(path),
            todo="check its disk, and the permissions of its folder",
        ) from error


def _close(descriptor: int) -> None:
    """Close a lock's file. What can't be written of it any more is for messages only."""
    try:
        os.close(descriptor)
    except OSError:
        pass


if sys.platform == "win32":

    def _lock(descriptor: int, path: Path) -> bool:
        import errno
        import msvcrt

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLK):
                return False
            raise _unlockable(path, error) from error
        return True

    def _unlock(descriptor: int) -> None:
        import msvcrt

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor: int, path: Path) -> bool:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise _unlockable(path, error) from error
        return True

    def _unlock(descriptor: int) -> None:
        import fcntl

        # Closing alone would not do: a forked process may have a copy of the descriptor.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _unlockable(path: Path, error: OSError) -> RecordsError:
    return RecordsError(
        "files can't be locked where claude-sync keeps its state",
        where=str(path),
        todo=f"move that folder to a local disk ({error.strerror})",
    )
