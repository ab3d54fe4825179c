"""One asyncio loop in one thread: it carries the icon, notifications and the system's signals."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 2.0

T = TypeVar("T")


class Loop:
    """Runs coroutines and callbacks in its own thread, from `start` to `stop`.

    An exception in one of them is logged and ends nothing else.
    """

    def __init__(self, name: str = "claude-sync-desktop") -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_report)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        self._thread.start()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the loop's thread, soon; nothing happens once it has ended."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            _log.debug("the desktop's loop has ended")

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine in the loop; its result may be waited for in any other thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def spawn(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine in the loop, from the loop's own thread; its result is ignored."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def later(self, seconds: float, function: Callable[..., object]) -> asyncio.TimerHandle:
        """Call a function after a while, from the loop's own thread."""
        return self._loop.call_later(seconds, function)

    def listen(self, source: socket.socket, function: Callable[[], object]) -> None:
        """Call a function in the loop's thread whenever there is something to read."""
        self.call(self._loop.add_reader, source, function)

    def ignore(self, source: socket.socket) -> None:
        """Stop listening to it, and close it."""

        def close() -> None:
            self._loop.remove_reader(source)
            source.close()

        self.call(close)

    def stop(self) -> None:
        """End it: what runs in it is cancelled and has two seconds to clean up."""
        if not self._thread.is_alive():
            if not self._loop.is_closed():
                self._loop.close()
            return
        self.call(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE_SECONDS + 1)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(_end_all())
        finally:
            self._loop.close()


async def _end_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_PATIENCE_SECONDS)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    del loop
    _log.error("the desktop's loop: %s", context.get("message"), exc_info=context.get("exception"))
