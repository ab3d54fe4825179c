"""Asking rclone: requests over its socket, up to eight at once, answered in their order.

What eight are under way for is one thread's work: a request is sent, and before its answer is
waited for, the next ones are sent as well. A cloud that takes its time for each file takes it for
eight at once.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, urlencode

from claude_sync.errors import ClaudeSyncError, StoreOffline
from claude_sync.transports.base import stopped
from claude_sync.transports.rclone import errors
from claude_sync.transports.rclone.program import rclones, version_of
from claude_sync.transports.rclone.server import Server
from claude_sync.values import NamedTuple

AT_ONCE = 8
BLOCK_BYTES = 1 << 20

_PATIENCE_SECONDS = 600.0
"""For an answer's next bytes. rclone itself gives up sooner, and says why."""
_ALIVE_SECONDS = 10.0
_LEAST_BYTES_A_SECOND = 1 << 14
_MOST_ANSWER_BYTES = 64 << 20
_OK, _PARTIAL = 200, 206


class Request(NamedTuple):
    """Something to ask.

    Attributes:
        method, path: of HTTP.
        body: what goes with it; makes it afresh where it is a stream.
        headers: besides those that every request has.
        patience: seconds to wait for the next bytes of the answer.
    """

    method: str
    path: str
    body: bytes | Callable[[], Iterator[bytes]] = b""
    headers: Mapping[str, str] = {}
    patience: float = _PATIENCE_SECONDS


def command(name: str, **parameters: object) -> Request:
    """One of rclone's commands, as its documentation of the remote control has them."""
    body = json.dumps(parameters).encode()
    return Request("POST", f"/{name}", body, {"Content-Type": "application/json"})


def download(fs: str, path: str, offset: int, length: int) -> Request:
    """Ask for a range of a file.

    Args:
        fs: the remote and the place in it.
        path: of the file below that.
        offset, length: the range, which has at least one byte.
    """
    headers = {"Range": f"bytes={offset}-{offset + length - 1}"}
    return Request("GET", f"/[{quote(fs, safe=':')}]/{quote(path)}", headers=headers)


def upload(fs: str, path: str, blocks: Callable[[], Iterator[bytes]], size: int) -> Request:
    """Write a file; whatever has that name is destroyed.

    Args:
        fs, path: as for `download`.
        blocks: makes its bytes.
        size: how many that are.
    """
    directory, _, file = path.rpartition("/")
    boundary = "claude-sync-0123456789-end-of-file"
    head = (
        f"--{boundary}\r\n"
        f"Content-Disposition: form-data; name=file; filename*=UTF-8''{quote(file, safe='')}\r\n"
        "Content-Type: application/octet-stream\r\n\r\n"
    )

    def body() -> Iterator[bytes]:
        yield head.encode()
        yield from blocks()
        yield f"\r\n--{boundary}--\r\n".encode()

    return Request(
        "POST",
        f"/operations/uploadfile?{urlencode({'fs': fs, 'remote': directory})}",
        body,
        {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Transfer-Encoding": "chunked",
        },
        patience=_PATIENCE_SECONDS + size / _LEAST_BYTES_A_SECOND,
    )


class _Link(http.client.HTTPConnection):
    """A connection to rclone."""

    def __init__(self, address: str | tuple[str, int], patience: float = _PATIENCE_SECONDS) -> None:
        super().__init__("rclone", timeout=patience)
        self._patience = patience
        self._address = address

    def connect(self) -> None:
        if isinstance(self._address, tuple):
            self.sock = socket.create_connection(self._address, self._patience)
            return
        family = getattr(socket, "AF_UNIX")  # noqa: B009  Windows' Python has none
        self.sock = socket.socket(family)
        self.sock.settimeout(self._patience)
        self.sock.connect(self._address)

    def cut(self) -> None:
        """From any thread: make whatever waits for it wait no longer."""
        try:
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Answer:
    """What rclone answered to one request; its bytes come as they are read.

    Attributes:
        given_up: why the request wasn't sent to its end, None where it was.
    """

    def __init__(self, caller: Caller, link: _Link, server: Server) -> None:
        self._caller = caller
        self._link: _Link | None = link
        self._server = server
        self._response: http.client.HTTPResponse | None = None
        self.given_up: ClaudeSyncError | None = None

    def __enter__(self) -> Answer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def wait(self) -> None:
        """Wait for its beginning."""
        if self._response is None and self._link is not None:
            with self._caller.translating():
                self._response = self._link.getresponse()

    @property
    def is_good(self) -> bool:
        """Whether rclone did what was asked."""
        self.wait()
        return self._response is not None and self._response.status in (_OK, _PARTIAL)

    def header(self, name: str) -> str:
        """One of its headers, "" where it has none of that name."""
        self.wait()
        return "" if self._response is None else self._response.getheader(name, "")

    def blocks(self) -> Iterator[bytes]:
        """Its bytes; an answer that ends early is an error."""
        self.wait()
        response = self._response
        while response is not None:
            self._caller.check_stopped()
            with self._caller.translating():
                data = response.read(BLOCK_BYTES)
            if not data:
                break
            yield data
        if response is not None and response.length:
            with self._caller.translating():
                raise ConnectionResetError
        self._done()

    def text(self, most: int = _MOST_ANSWER_BYTES) -> bytes:
        """All of its bytes.

        Raises:
            StoreDenied: it has more than any answer may have.
        """
        pieces, left = [], most
        for piece in self.blocks():
            left -= len(piece)
            if left < 0:
                raise errors.nonsense(self._caller.where)
            pieces.append(piece)
        return b"".join(pieces)

    def document(self) -> dict[str, object]:
        """What it says, as JSON."""
        try:
            document = json.loads(self.text())
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise errors.nonsense(self._caller.where)
        return document

    def complaint(self) -> str:
        """Why it isn't good, in rclone's words: never to be passed on."""
        text = self.text()
        try:
            document = json.loads(text)
            return str(document["error"])
        except (ValueError, RecursionError, KeyError, TypeError):
            return text[:1000].decode("utf-8", "replace")

    def _done(self) -> None:
        """It was read to its end, so its connection can carry another request."""
        link, self._link = self._link, None
        if link is not None:
            self._caller.give_back(link, self._server)

    def close(self) -> None:
        """Be done with it; what wasn't read is given up with its connection."""
        link, self._link = self._link, None
        if link is not None:
            self._caller.drop(link, self._server)


class Caller:
    """Asks one rclone, which is started when it is needed. Used by one thread, but `interrupt`.

    Args:
        runtime: a directory for sockets.
        remote: whose configuration is needed.
        where: names the place in errors.
    """

    def __init__(self, runtime: Path, remote: str, where: str) -> None:
        self._runtime = runtime
        self._remote = remote
        self.where = where
        self._server: Server | None = None
        self._program = ""
        self._stopped = False
        self._is_lost = False
        self._idle: list[_Link] = []
        self._busy: set[_Link] = set()
        self._lock = threading.Lock()

    # --- asking --------------------------------------------------------------------------------

    def call(self, request: Request) -> Answer:
        """Ask, and wait for the beginning of the answer.

        Raises:
            TransportError: rclone can't be asked.
            Stopped: after `interrupt`.
        """
        answer = self._send(request, self._running())
        answer.wait()
        return answer

    def ahead(self, requests: Iterable[Request | None]) -> Iterator[Answer | None]:
        """Ask for many things, eight at once; their answers come in their order.

        Args:
            requests: taken as there is room; None has no answer, and stands for itself.
        """
        waiting: deque[Answer | None] = deque()
        try:
            for request in requests:
                while sum(answer is not None for answer in waiting) >= AT_ONCE:
                    yield waiting.popleft()
                waiting.append(None if request is None else self._send(request, self._running()))
            while waiting:
                yield waiting.popleft()
        finally:
            for answer in waiting:
                if answer is not None:
                    answer.close()

    def send(self, request: Request) -> Answer:
        """Ask, and wait for nothing yet; the answer is to be closed.

        Raises: as `call`.
        """
        return self._send(request, self._running())

    def _send(self, request: Request, server: Server) -> Answer:
        link = self._link(server)
        server.began()
        answer = Answer(self, link, server)
        try:
            self._put_through(link, server, request)
        except _GivenUp as given_up:
            answer.given_up = given_up.why
            answer.close()
        except BaseException:
            answer.close()
            raise
        return answer

    def _put_through(self, link: _Link, server: Server, request: Request) -> None:
        stream = request.body if callable(request.body) else None
        headers = {**request.headers, "Authorization": server.authorization}
        if isinstance(request.body, bytes) and request.method == "POST":
            headers["Content-Length"] = str(len(request.body))
        with self.translating():
            if link.sock is None:
                link.connect()
            link.sock.settimeout(request.patience)
            link.putrequest(request.method, request.path, skip_accept_encoding=True)
            for name, value in headers.items():
                link.putheader(name, value)
            link.endheaders(request.body if isinstance(request.body, bytes) else None)
        if stream is None:
            return
        for data in _attempted(stream):
            self.check_stopped()
            if data and not self._sent(link, b"%x\r\n%b\r\n" % (len(data), data)):
                return
        self._sent(link, b"0\r\n\r\n")

    def _sent(self, link: _Link, data: bytes) -> bool:
        """Send a piece; False where rclone takes no more of it, and has said why."""
        try:
            link.send(data)
        except (BrokenPipeError, ConnectionResetError):
            self.check_stopped()
            return False
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(error) from error
        return True

    # --- connections ---------------------------------------------------------------------------

    def _link(self, server: Server) -> _Link:
        with self._lock:
            link = self._idle.pop() if self._idle else _Link(server.address)
            self._busy.add(link)
        self.check_stopped()
        return link

    def give_back(self, link: _Link, server: Server) -> None:
        """A connection whose answer was read to its end."""
        server.answered()
        with self._lock:
            self._busy.discard(link)
            if server is self._server and link.sock is not None:
                self._idle.append(link)
                return
        link.close()

    def drop(self, link: _Link, server: Server) -> None:
        """A connection that can't be used again."""
        server.answered()
        with self._lock:
            self._busy.discard(link)
        link.close()

    # --- rclone --------------------------------------------------------------------------------

    def _running(self) -> Server:
        """rclone's process; started if there is none, or it was ended as idle."""
        self.check_stopped()
        server = self._server
        if server is not None and not self._busy and (self._is_lost or not server.is_fresh):
            self._end()
        if self._server is None:
            self._server = self._start()
        return self._server

    def _start(self) -> Server:
        old = ""
        for program in [self._program] if self._program else rclones():
            try:
                self._server = Server(program, self._runtime, self._remote, lambda: self._stopped)
                version = self._ask_version(self._server)
            except StoreOffline:
                # One that is older than the socket doesn't even start.
                self._end()
                version = version_of(program)
                if not version or version >= errors.MINIMUM:
                    raise
            except ClaudeSyncError:
                self._end()
                raise
            if version >= errors.MINIMUM and self._server is not None:
                self._program = program
                return self._server
            old = old or ".".join(map(str, version)) or "of unknown version"
            self._end()
        raise errors.too_old(old) if old else errors.no_rclone()

    def _ask_version(self, server: Server) -> tuple[int, ...]:
        with self._send(command("core/version"), server) as answer:
            parts = answer.document().get("decomposed") if answer.is_good else None
        numbers = parts if isinstance(parts, list) else []
        return tuple(part for part in numbers if isinstance(part, int))

    def _end(self) -> None:
        server, self._server, self._is_lost = self._server, None, False
        with self._lock:
            links, self._idle = self._idle, []
        for link in links:
            link.close()
        if server is not None:
            server.close()

    # --- ending --------------------------------------------------------------------------------

    def translating(self) -> _Translating:
        """Turns what goes wrong with a connection inside into an error of ours."""
        return _Translating(self)

    def _lost(self, error: BaseException) -> ClaudeSyncError:
        """What it means that a connection broke."""
        if self._stopped:
            return stopped()
        if isinstance(error, TimeoutError):
            return errors.no_answer(self.where)
        if self._is_alive():
            return errors.broken_off(self.where)
        self._is_lost = True
        return errors.rclone_ended(self.where)

    def _is_alive(self) -> bool:
        """Whether rclone still answers: then it was the cloud that broke something off."""
        server = self._server
        if server is None:
            return False
        with closing(_Link(server.address, _ALIVE_SECONDS)) as link:
            try:
                link.request("POST", "/rc/noop", headers={"Authorization": server.authorization})
                return link.getresponse().status == _OK
            except (OSError, http.client.HTTPException):
                return False

    def check_stopped(self) -> None:
        """Whether to go on.

        Raises:
            Stopped: after `interrupt`.
        """
        if self._stopped:
            raise stopped()

    def interrupt(self) -> None:
        """From any thread: the call under way ends soon, and so does every later one."""
        self._stopped = True
        with self._lock:
            links = [*self._busy]
        for link in links:
            link.cut()

    def close(self) -> None:
        """End rclone."""
        with self._lock:
            links, self._busy = [*self._busy], set()
        for link in links:
            link.close()
        self._end()


class _GivenUp(Exception):
    """What makes the bytes of a request failed."""

    def __init__(self, why: ClaudeSyncError) -> None:
        super().__init__(why)
        self.why = why


def _attempted(stream: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    blocks = stream()
    while True:
        try:
            data = next(blocks, None)
        except ClaudeSyncError as error:
            raise _GivenUp(error) from error
        if data is None:
            return
        yield data


class _Translating:
    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, (OSError, http.client.HTTPException)):
            raise self._caller._lost(error) from error
