"""Answers browsers by Starlette on uvicorn, until nobody is there."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import uvicorn

from claude_sync.service.service import Service
from claude_sync_app.window.access import Access
from claude_sync_app.window.services import ServiceOfWindow
from claude_sync_app.window.site import Site
from claude_sync_app.window.streams import Streams

_THREADS = 4
_MOST_CONNECTIONS = 64
_LOOK_SECONDS = 0.25
_END_SECONDS = 1.0


async def serve(
    service: Service,
    access: Access,
    listening: socket.socket,
    *,
    idle_seconds: float,
    ending: threading.Event,
    on_ready: Callable[[], None],
) -> None:
    """Serve the window.

    Args:
        service: whose Status is shown, and which takes commands.
        access: who is let in.
        listening: where they come.
        idle_seconds: how long it goes on when the last page is gone.
        ending: is set to end it; set as well once it ends by itself.
        on_ready: called when it answers.
    """
    services = ServiceOfWindow(service, ending.is_set)
    streams = Streams(services)
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="claude-sync window")
    try:
        server = _server_of(Site(services, access, streams, pool))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        on_ready()
        while not serving.done() and not ending.is_set():
            await asyncio.wait([serving], timeout=_LOOK_SECONDS)
            if streams.idle_seconds() > idle_seconds:
                ending.set()
        streams.end()
        server.should_exit = True
        await asyncio.wait([serving], timeout=_END_SECONDS)
        serving.cancel()
    finally:
        ending.set()
        streams.end()
        pool.shutdown(wait=True, cancel_futures=True)


def _server_of(site: Site) -> uvicorn.Server:
    return uvicorn.Server(
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
