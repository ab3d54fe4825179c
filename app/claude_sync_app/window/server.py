"""The window's server: a thread of its own, on a free port of this machine.

This module imports little, and its port is there at once: what serves is imported in its thread
(`serving.py`), while a browser is on its way.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager

from claude_sync.disk.log import Log
from claude_sync.errors import ClaudeSyncError
from claude_sync.service.service import Service
from claude_sync_app.tray.bug_log import BugLog
from claude_sync_app.window.access import OPEN_TO_ALL, Access

_log = logging.getLogger(__name__)
_LOGGERS = ("claude_sync_app.window", "uvicorn")
_LOOPBACK = "127.0.0.1"
_MOST_WAITING = 64
_START_SECONDS = 20.0


class Server:
    """The window's server; it runs once it is made.

    Args:
        service: whose Status is shown, and which takes commands.
        idle_seconds: how long it stays when the last page is gone.
        on_end: called from its thread when it has ended.

    Raises:
        OSError: no port can be had.
    """

    def __init__(
        self, service: Service, *, idle_seconds: float, on_end: Callable[[], object]
    ) -> None:
        self._service = service
        self._idle_seconds = idle_seconds
        self._on_end = on_end
        self._ending = threading.Event()
        self._answers: Future[None] = Future()
        self._socket = socket.create_server((_LOOPBACK, 0), backlog=_MOST_WAITING)
        # Each connection has it from here: asyncio sets it only where a socket says that it is of
        # TCP. Without it what follows a head waits 40 ms for the other side to say that it has it.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._access = Access(int(self._socket.getsockname()[1]), OPEN_TO_ALL)
        self._thread = threading.Thread(target=self._run, name="claude-sync window", daemon=True)
        self._thread.start()

    def address(self, page: str) -> str:
        """An address that lets in once; whoever asks there is answered once the server is ready.

        Args:
            page: as `Access.address` has it.
        """
        return self._access.address(page)

    def wait_until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            ClaudeSyncError: it didn't start, or has ended.
        """
        try:
            self._answers.result(_START_SECONDS)
        except (CancelledError, FutureTimeout):
            raise ClaudeSyncError(
                "the window's server has ended", todo="open it again; the log may say why"
            ) from None

    def is_running(self) -> bool:
        """Whether it hasn't ended, and isn't about to."""
        return self._thread.is_alive() and not self._ending.is_set()

    def end(self, timeout_seconds: float = 2.0) -> None:
        """End it, and wait so long for that."""
        self._ending.set()
        self._thread.join(timeout_seconds)

    # --- its thread ---

    def _run(self) -> None:
        try:
            with _bugs_logged(Log(self._service.paths.log_file)):
                self._run_loop()
        finally:
            self._ending.set()
            self._socket.close()
            if not self._answers.done():
                self._answers.cancel()
            self._on_end()

    def _run_loop(self) -> None:
        try:
            from claude_sync_app.window.serving import serve

            serving = serve(
                self._service,
                self._access,
                self._socket,
                idle_seconds=self._idle_seconds,
                ending=self._ending,
                on_ready=lambda: self._answers.set_result(None),
            )
            asyncio.run(serving)
        except Exception:  # noqa: BLE001 -- the one of this thread
            _log.exception("the window's server met a bug")


@contextmanager
def _bugs_logged(log: Log) -> Iterator[None]:
    """While it is entered, what goes wrong here is written into our log, without its words."""
    handler = BugLog(log, "window")
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.propagate = True
