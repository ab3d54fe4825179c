"""Opening the window: its server is started when the first page is asked for.

This module is all that a front end needs, and imports next to nothing: what serves the window is
imported by the first opening, beside the browser that is started.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from claude_sync.errors import ClaudeSyncError
from claude_sync.service.service import Service

if TYPE_CHECKING:
    from claude_sync_app.window.server import Server

IDLE_SECONDS = 600.0
"""How long the server stays in the tray when the last page is gone."""


class Window:
    """The window of one service.

    Args:
        service: gives it, as soon as it is needed.
        idle_seconds: how long the server stays when the last page is gone; None for as long as
            in the tray.
        on_end: called from another thread when the server has ended.
    """

    def __init__(
        self,
        service: Callable[[], Service],
        *,
        idle_seconds: float | None = None,
        on_end: Callable[[], object] = lambda: None,
    ) -> None:
        self._service = service
        self._idle_seconds = IDLE_SECONDS if idle_seconds is None else idle_seconds
        self._on_end = on_end
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._is_closed = False

    def open(self, page: str = "") -> None:
        """Open a page in the person's browser; takes a moment.

        Args:
            page: its path without a slash in front, as in ``doctor``; "" for the first one.

        Raises:
            ClaudeSyncError: it can't be served, or no browser opens it.
        """
        from claude_sync_app.window.showing import show

        show(self._service().paths, self.address(page))
        self.wait_until_ready()

    def address(self, page: str = "") -> str:
        """Where a page is, with what lets one person in once; told at once.

        Who asks there waits until the server is ready: see `wait_until_ready`.

        Raises:
            ClaudeSyncError: it can't be served.
        """
        with self._lock:
            if self._is_closed:
                raise ClaudeSyncError("claude-sync is ending", todo="start it again")
            if self._server is None or not self._server.is_running():
                self._server = self._start()
            return self._server.address(page or "sessions")

    def address_if_any(self, page: str) -> str:
        """As `address`, but "" where it can't be served."""
        try:
            return self.address(page)
        except ClaudeSyncError:
            return ""

    def wait_until_ready(self) -> None:
        """Wait until what `address` told answers.

        Raises:
            ClaudeSyncError: it has ended before.
        """
        server = self._server
        if server is not None:
            server.wait_until_ready()

    def close(self) -> None:
        """End the server; nothing is opened any more."""
        with self._lock:
            self._is_closed = True
            server = self._server
        if server is not None:
            from claude_sync_app.window.showing import remove_all

            server.end()
            remove_all(self._service().paths)

    def _start(self) -> Server:
        from claude_sync_app.window.server import Server

        try:
            return Server(self._service(), idle_seconds=self._idle_seconds, on_end=self._on_end)
        except OSError as error:
            raise ClaudeSyncError(
                f"the window can't be served on this machine ({error.strerror})",
                todo="see whether something forbids programs to listen on 127.0.0.1",
            ) from error
