"""The window's pages put together: what answers where, and in what form."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from claude_sync.errors import ClaudeSyncError, UsageError
from claude_sync.wording import sentence
from claude_sync_app.shown_text import one_line, with_short_ids
from claude_sync_app.window.access import COOKIE, FOR_STRANGERS, Access
from claude_sync_app.window.guard import Guard
from claude_sync_app.window.page import (
    Answer,
    Asked,
    Data,
    Download,
    Page,
    PageRoute,
    Reply,
    Waiting,
)
from claude_sync_app.window.pages import all_routes
from claude_sync_app.window.rendering import Renderer
from claude_sync_app.window.services import WindowServices
from claude_sync_app.window.streams import Streams

_log = logging.getLogger(__name__)
_STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_MOST_BODY_BYTES = 1_000_000  # thousands of sessions may be chosen

_Endpoint = Callable[[Request], Awaitable[Response]]


class Site:
    """All that the window answers.

    Args:
        services: what pages may use.
        access: who may ask.
        streams: follows the Status.
        pool: the threads in which pages work.
    """

    def __init__(
        self,
        services: WindowServices,
        access: Access,
        streams: Streams,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._services = services
        self._access = access
        self._streams = streams
        self._pool = pool
        self._renderer = Renderer(services, access.root)

    def application(self) -> Guard:
        """The application, with its guard in front."""
        static = {path.name: path for path in _STATIC.iterdir() if path.suffix in _TYPES}
        inside = [
            Route("/events", self._events),
            *(_static_route(path) for path in static.values()),
            *(self._route(one) for one in all_routes()),
        ]
        outside = [
            Route("/", self._entrance),
            Route("/enter", self._enter, methods=["POST"]),
            *(_static_route(static[name]) for name in FOR_STRANGERS),
            Mount(self._access.root, routes=inside),
        ]
        return Guard(
            Starlette(routes=outside, exception_handlers={404: self._nothing_there}), self._access
        )

    # --- getting in ---

    async def _entrance(self, _: Request) -> Response:
        return Response(self._renderer.entrance(), media_type="text/html")

    async def _enter(self, request: Request) -> Response:
        try:
            token = (await _body(request)).get("token")
        except UsageError:
            token = None
        let_in = self._access.exchange(token) if isinstance(token, str) else None
        if let_in is None:
            return _json({"error": "This address was used already, or is too old."}, status=403)
        page, cookie = let_in
        response = _json({"go": f"{self._access.root}/{page}"})
        response.set_cookie(
            COOKIE, cookie, path=f"{self._access.root}/", httponly=True, samesite="strict"
        )
        return response

    # --- pages ---

    def _route(self, route: PageRoute) -> Route:
        async def endpoint(request: Request) -> Response:
            self._streams.note_use()
            wants_page = route.method == "GET"
            try:
                asked = Asked(
                    self._services,
                    dict(request.path_params),
                    dict(request.query_params),
                    {} if wants_page else await _body(request),
                )
                return await self._in_pool(lambda: self._reply(route.handler(asked)))
            except ClientDisconnect:
                return Response(status_code=400)
            except ClaudeSyncError as error:
                return self._failed(error, wants_page=wants_page)
            except Exception as error:  # noqa: BLE001 -- the one of a request
                _log.exception("the window's %s met a bug", route.path)
                return self._failed(_bug(error), wants_page=wants_page, status=500)

        return Route(route.path, endpoint, methods=[route.method])

    async def _in_pool(self, work: Callable[[], Response | Waiting]) -> Response:
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(self._pool, work)
        if isinstance(made, Response):
            return made
        try:
            result = await asyncio.wrap_future(made.future)
        except (CancelledError, asyncio.CancelledError):
            return self._failed(
                ClaudeSyncError("claude-sync ended before it was done"), wants_page=False
            )
        then = made.then
        return _answer(await loop.run_in_executor(self._pool, lambda: then(result)))

    def _reply(self, reply: Reply) -> Response | Waiting:
        if isinstance(reply, Waiting):
            return reply
        if isinstance(reply, Page):
            return Response(self._renderer.page(reply), reply.status, media_type="text/html")
        if isinstance(reply, Data):
            return _json(reply.value)
        if isinstance(reply, Answer):
            return _answer(reply)
        return _download(reply)

    def _failed(self, error: ClaudeSyncError, *, wants_page: bool, status: int = 400) -> Response:
        text = sentence(with_short_ids(one_line(str(error))))
        if not wants_page:
            return _answer(Answer(text, is_error=True))
        page = Page("error.html", "That didn't work", {"message": text}, status)
        return Response(self._renderer.page(page), status, media_type="text/html")

    async def _nothing_there(self, _: Request, __: Exception) -> Response:
        page = Page("error.html", "Nothing there", {"message": "There is no such page."}, 404)
        return Response(self._renderer.page(page), 404, media_type="text/html")

    # --- following the Status ---

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self._streams.follow(), media_type="text/event-stream")


def _static_route(path: Path) -> Route:
    data, media_type = path.read_bytes(), _TYPES[path.suffix]

    async def endpoint(_: Request) -> Response:
        return Response(data, media_type=media_type)

    return Route(f"/static/{path.name}", endpoint)


async def _body(request: Request) -> Mapping[str, Any]:
    """What a POST sends.

    Raises:
        UsageError: it is no object of JSON, or too big.
    """
    wrong = UsageError("the page sent something that makes no sense", todo="load it again")
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise wrong
    data = b""
    async for block in request.stream():
        data += block
        if len(data) > _MOST_BODY_BYTES:
            raise wrong
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise wrong from None
    if not isinstance(document, dict):
        raise wrong
    return document


def _json(value: object, status: int = 200) -> Response:
    # In ASCII, so that names which are no Unicode pass, too.
    data = json.dumps(value, separators=(",", ":"))
    return Response(data, status, media_type="application/json")


def _answer(answer: Answer) -> Response:
    return _json(answer._asdict(), status=400 if answer.is_error else 200)


def _download(reply: Download) -> Response:
    name = quote(one_line(reply.name) or "session", safe="")
    return StreamingResponse(
        reply.blocks,
        media_type=reply.media_type,
        headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"},
    )


def _bug(error: Exception) -> ClaudeSyncError:
    return ClaudeSyncError(
        f"something went wrong that should not have ({type(error).__name__})",
        todo="please report it; the log has the details",
    )
