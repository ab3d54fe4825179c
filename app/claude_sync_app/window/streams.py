"""Server-Sent Events: tells open pages what becomes of the Status, and knows when the last is gone.

A browser opens six connections to a server at most, over all its pages, so only the pages that
were looked at last follow the Status. https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable

from claude_sync.service.status import Status
from claude_sync.values import NamedTuple
from claude_sync_app.window.services import WindowServices
from claude_sync_app.window.status_line import Summary, summary_of

_MOST_STREAMS = 4
_BETWEEN_SECONDS = 0.2
_ALIVE_SECONDS = 15.0
_REST = b"event: rest\ndata: {}\n\n"


class _News(NamedTuple):
    """What a page is told: how things stand, and whether what it shows is still so."""

    summary: Summary
    revision: int
    checkup: int


class Streams:
    """The pages that follow the Status. In the server's loop, except for `note_use`.

    Args:
        services: where the Status is from.
    """

    def __init__(self, services: WindowServices) -> None:
        self._services = services
        self._loop = asyncio.get_running_loop()
        self._open: list[_Stream] = []
        self._used_at = time.monotonic()
        self._is_ending = False
        self._end_listening: Callable[[], None] = services.service.listen(self._on_status)

    def note_use(self) -> None:
        """Somebody asked for something."""
        self._used_at = time.monotonic()

    def idle_seconds(self) -> float:
        """How long nobody has been there; 0 while a page is open."""
        return 0.0 if self._open else time.monotonic() - self._used_at

    def end(self) -> None:
        """End all of them, and follow the Status no longer."""
        self._is_ending = True
        self._end_listening()
        for stream in self._open:
            stream.changed.set()

    async def follow(self) -> AsyncIterator[bytes]:
        """What one page gets, until it goes or has to rest."""
        stream = _Stream()
        self._open.append(stream)
        for one in self._open[:-_MOST_STREAMS]:
            one.rests = True
            one.changed.set()
        try:
            yield b"retry: 1000\n\n"
            told: _News | None = None
            while not self._is_ending:
                now = self._now()
                if now != told:
                    told = now
                    yield _event(now)
                elif not stream.changed.is_set():
                    yield b": alive\n\n"  # a page that is gone is noticed by writing to it
                if stream.rests:
                    yield _REST
                    return
                await stream.wait()
        finally:
            self._open.remove(stream)
            self.note_use()

    def _now(self) -> _News:
        status = self._services.status
        services = self._services
        return _News(summary_of(status), services.revision(status), services.checkup(status))

    def _on_status(self, status: Status) -> None:
        """From the service's thread."""
        del status  # a stream shows the newest
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            pass  # the loop has ended, and with it all pages

    def _wake(self) -> None:
        for stream in self._open:
            stream.changed.set()


class _Stream:
    """One page that follows the Status."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.rests = False

    async def wait(self) -> None:
        """Until there is something new, and not at once after the last."""
        await asyncio.sleep(_BETWEEN_SECONDS)
        try:
            await asyncio.wait_for(self.changed.wait(), _ALIVE_SECONDS)
        except (TimeoutError, asyncio.TimeoutError):
            return
        self.changed.clear()


def _event(news: _News) -> bytes:
    numbers = {"revision": news.revision, "checkup": news.checkup}
    data = json.dumps({**news.summary._asdict(), **numbers})
    return f"event: status\ndata: {data}\n\n".encode()
