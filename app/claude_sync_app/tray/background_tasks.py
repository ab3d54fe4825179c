"""Short-lived threads for what has to wait: a person at a dialog, a program that starts, a disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from claude_sync.errors import ClaudeSyncError, Stopped

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.2

T = TypeVar("T")


class BackgroundTasks:
    """Runs functions, each in a thread of its own.

    Args:
        failed: told of an error that ended one, in its thread; not of having been stopped.
    """

    def __init__(self, failed: Callable[[ClaudeSyncError], None]) -> None:
        self._failed = failed
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}

    def run(self, name: str, do: Callable[[], object]) -> bool:
        """Begin a background task; returns at once.

        Args:
            name: what it is about. While one of that name is under way, another isn't begun: a
                second click on "Other folder…" is no second dialog.
            do: what to do; may wait, through `result_of` for the service.

        Returns:
            whether it was begun.
        """
        with self._lock:
            if self._stopping.is_set() or name in self._running:
                return False
            thread = threading.Thread(
                target=self._run, args=(name, do), name=f"claude-sync {name}", daemon=True
            )
            self._running[name] = thread
            thread.start()
            return True

    def result_of(self, future: Future[T]) -> T:
        """What the service did; for use in a background task, which it ends when the program does.

        Raises:
            Stopped: the program ends.
            ClaudeSyncError: whatever the service met.
        """
        while not self._stopping.is_set():
            try:
                return future.result(_POLL_SECONDS)
            except FutureTimeout:
                if future.done():
                    raise
            except CancelledError:
                break
        raise Stopped("stopped before it was done")

    def end(self, timeout_seconds: float) -> None:
        """Begin none any more, and wait so long for those under way."""
        self._stopping.set()
        end = time.monotonic() + timeout_seconds
        with self._lock:
            running = list(self._running.values())
        for thread in running:
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self, name: str, do: Callable[[], object]) -> None:
        try:
            do()
        except Stopped:
            pass
        except ClaudeSyncError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 -- the one of this thread
            _log.exception("the background task %r met a bug", name)
            self._failed(
                ClaudeSyncError(
                    f"something went wrong that should not have ({type(error).__name__})",
                    todo="please report it",
                )
            )
        finally:
            with self._lock:
                self._running.pop(name, None)
