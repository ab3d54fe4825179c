"""Serves the window: a thread of its own, on a free port of this machine, until nobody is there."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager

import uvicorn

from claude_sync.disk.log import Log
from claude_sync.errors import ClaudeSyncError
from claude_sync.service.service import Service
from claude_sync_app.tray.bug_log import BugLog
from claude_sync_app.window.access import Access
from claude_sync_app.window.services import ServiceOfWindow
from claude_sync_app.window.site import OPEN_TO_ALL, Site
from claude_sync_app.window.streams import Streams

_log = logging.getLogger(__name__)
_LOGGERS = ("claude_sync_app.window", "uvicorn")
_LOOPBACK = "127.0.0.1"
_MOST_CONNECTIONS = 64
_THREADS = 4
_LOOK_SECONDS = 0.25
_END_SECONDS = 1.0
_START_SECONDS = 20.0
_ANSWER_SECONDS = 5.0


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
        self._running: Future[asyncio.AbstractEventLoop] = Future()
        self._socket = socket.create_server((_LOOPBACK, 0), backlog=_MOST_CONNECTIONS)
        # Each connection has it from here: asyncio sets it only where a socket says that it is of
        # TCP. Without it what follows a head waits 40 ms for the other side to say that it has it.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._access = Access(int(self._socket.getsockname()[1]), OPEN_TO_ALL)
        self._thread = threading.Thread(target=self._run, name="claude-sync window", daemon=True)
        self._thread.start()

    def address(self, page: str) -> str:
        """An address that lets in once; waits until the server answers.

        Args:
            page: as `Access.address` has it.

        Raises:
            ClaudeSyncError: it didn't start, or has just ended.
        """
        made: Future[str] = Future()
        try:
            loop = self._running.result(_START_SECONDS)
            # In the server's thread, which alone touches tokens.
            loop.call_soon_threadsafe(lambda: made.set_result(self._access.address(page)))
            return made.result(_ANSWER_SECONDS)
        except (CancelledError, FutureTimeout, RuntimeError):
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
            if not self._running.done():
                self._running.cancel()
            self._on_end()

    def _run_loop(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:  # noqa: BLE001 -- the one of this thread
            _log.exception("the window's server met a bug")

    async def _serve(self) -> None:
        services = ServiceOfWindow(self._service, self._ending.is_set)
        streams = Streams(services)
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="claude-sync window")
        try:
            site = Site(services, self._access, streams, pool)
            await self._serve_site(site, streams)
        finally:
            self._ending.set()
            streams.end()
            pool.shutdown(wait=True, cancel_futures=True)

    async def _serve_site(self, site: Site, streams: Streams) -> None:
        server = uvicorn.Server(
            uvicorn.Config(
                site.application(),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # what strangers send is no matter for a log
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[self._socket]))
        self._running.set_result(asyncio.get_running_loop())
        while not serving.done() and not self._ending.is_set():
            await asyncio.wait([serving], timeout=_LOOK_SECONDS)
            if streams.idle_seconds() > self._idle_seconds:
                self._ending.set()
        streams.end()
        server.should_exit = True
        await asyncio.wait([serving], timeout=_END_SECONDS)
        serving.cancel()


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
