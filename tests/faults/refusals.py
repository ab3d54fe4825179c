"""A WebDAV server that refuses some requests, as a cloud does: in front of a real one."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

_OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}

Refuse = Callable[[str, str], int]
"""Tells by the method and the path of a request which status it is refused with; 0 for none."""


class RefusingCloud:
    """Passes requests on to a server of this machine, but for those that it refuses.

    Attributes:
        port: where it listens.
        refuse: what it refuses; set from the test's thread, read by others.
        refused: method, path and status of what it refused, in the order in which it came.
        asked: method and path of all that came.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False  # so that closing waits for them
        self.port: int = self._server.server_address[1]
        self.refuse: Refuse = lambda method, path: 0
        self.refused: list[tuple[str, str, int]] = []
        self.asked: list[tuple[str, str]] = []
        self._thread = threading.Thread(target=self._server.serve_forever, name="refusing cloud")
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(1 << 16)
                self.close_connection = True
                if self.raw_requestline and self.parse_request():
                    cloud._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        method, path = handler.command, unquote(handler.path)
        self.asked.append((method, path))
        status = self.refuse(method, path)
        if status:
            self.refused.append((method, path, status))
            handler.send_response(status)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        link = http.client.HTTPConnection("127.0.0.1", self._to)
        try:
            link.putrequest(method, handler.path, skip_host=True, skip_accept_encoding=True)
            for name, value in handler.headers.items():
                if name.lower() not in _OF_ONE_CONNECTION:
                    link.putheader(name, value)
            link.putheader("Content-Length", str(len(body)))
            link.endheaders(body)
            response = link.getresponse()
            data = response.read()
        finally:
            link.close()
        handler.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _OF_ONE_CONNECTION | {"date", "server"}:
                handler.send_header(name, value)
        length = response.getheader("Content-Length") if method == "HEAD" else str(len(data))
        handler.send_header("Content-Length", length or "0")
        handler.end_headers()
        handler.wfile.write(data)

    def close(self) -> None:
        """End it, and wait for its threads."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def refusing_cloud(to: int) -> Iterator[RefusingCloud]:
    """One in front of a port of this machine."""
    cloud = RefusingCloud(to)
    try:
        yield cloud
    finally:
        cloud.close()
