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
        on_error: called with an error that ended one, in its thread; not when it was stopped.
    """

    def __init__(self, on_error: Callable[[ClaudeSyncError], None]) -> None:
        self._on_error = on_error
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}

    def run(self, name: str, do: Callable[[], object]) -> bool:
        """Start a background task; returns at once.

        Args:
            name: what it is about. While one of that name runs, another isn't started: a second
                click on "Other folder…" opens no second dialog.
            do: what to do; may wait, for the service through `result_of`.

        Returns:
            whether it was started.
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
        """The service's result; for use in a background task, which ends with the program.

        Raises:
            Stopped: the program ends.
            ClaudeSyncError: the service failed.
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
        """Start none any more, and wait so long for those that run."""
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
            self._on_error(error)
        except Exception as error:  # noqa: BLE001 -- the only one of this thread
            _log.exception("the background task %r met a bug", name)
            self._on_error(
                ClaudeSyncError(
                    f"something went wrong that should not have ({type(error).__name__})",
                    todo="please report it",
                )
            )
        finally:
            with self._lock:
                self._running.pop(name, None)
