"""Lets programs inside the client speak to the running service: one message, one answer.

Invariants:

1. Only this user gets in: a Unix socket of mode 0600 in a directory of ours of mode 0700, or where
   there is none (or its path would be too long) a port of the loopback interface. Either way a
   message has to bear the secret that stands in a file of mode 0600.
2. A message costs at most `MAX_REQUEST_BYTES` and a second; beyond `_MAX_CONNECTIONS` at once, the
   one that has waited longest is cut off.
3. Nothing is done here: what a message says goes into the mailbox, and what it asks is answered
   from the newest Status, or by the window, which starts elsewhere.
4. Whoever listens holds the service's lock, so a socket or a file that is there already was left
   behind by a service that died.
"""

from __future__ import annotations

import os
import selectors
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from claude_sync.disk import files
from claude_sync.disk.json_object import write_object
from claude_sync.service.inlet_address import LOOPBACK, Address, home_mark
from claude_sync.service.messages import (
    MAX_REQUEST_BYTES,
    NEWS,
    OPEN,
    Answer,
    Request,
    answer_line,
    read_request,
)
from claude_sync.state.paths import Paths

MAX_SOCKET_PATH = 103
"""Bytes, without the NUL that ends it: 104 on macOS and the BSDs, 108 on Linux (man 7 unix)."""
_MAX_CONNECTIONS = 16
_MAX_WAITING = 128
_MESSAGE_SECONDS = 1.0
_BETWEEN_LOOKS_SECONDS = 0.25
_SECRET_BYTES = 32


class Inlet:
    """A thread that listens for one service.

    Args:
        paths: claude-sync's own folders.
        home: the folder of Claude Code's that the service serves.
        tell: called with what rested or was closed; from the inlet's thread, must return at once.
        ask: answers a question about a project, by its key; the same.
        open_window: answers where the window is, for a page; the same. None where there is none.

    `open` it while the service's lock is held, `close` it before that is let go.
    """

    def __init__(
        self,
        paths: Paths,
        home: Path,
        *,
        tell: Callable[[Request], None],
        ask: Callable[[str], Answer],
        open_window: Callable[[str], str] | None = None,
    ) -> None:
        self._paths = paths
        self._home = home
        self._tell = tell
        self._ask = ask
        self._open_window = open_window
        self._address: Address | None = None
        self._file = paths.inlet_file_of("")
        self._listening: socket.socket | None = None
        self._waking: socket.socket | None = None
        self._woken: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin to listen.

        Raises:
            OSError: it can't be done here.
        """
        mark = home_mark(self._home)
        self._file = self._paths.inlet_file_of(mark)
        self._listening, path, port = _listen(self._paths.inlet_socket_of(mark))
        asking, answering = (os.urandom(_SECRET_BYTES).hex() for _ in range(2))
        self._address = Address(path, port, asking, answering)
        try:
            self._listening.setblocking(False)
            write_object(self._file, self._address._asdict())
            self._woken, self._waking = socket.socketpair()
            self._thread = threading.Thread(target=self._run, name="claude-sync inlet", daemon=True)
            self._thread.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Listen no longer, and take away what says where."""
        if self._waking is not None:
            self._waking.close()  # the other end sees it
        if self._thread is not None:
            self._thread.join()
        for one in (self._listening, self._woken):
            if one is not None:
                one.close()
        address, self._address = self._address, None
        self._listening = self._waking = self._woken = self._thread = None
        if address is not None:
            with suppress(OSError):
                files.remove(self._file)
                if address.path:
                    files.remove(Path(address.path))

    # -- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        assert self._address is not None
        assert self._listening is not None
        assert self._woken is not None
        calls: dict[socket.socket, _Call] = {}
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            try:
                while self._serve_once(selector, calls):
                    pass
            finally:
                # Also where a bug ends it: who calls then is refused, and needn't wait.
                for connection in (*calls, self._listening):
                    connection.close()

    def _serve_once(
        self, selector: selectors.BaseSelector, calls: dict[socket.socket, _Call]
    ) -> bool:
        """Wait for one thing to happen, and handle it; False at the end."""
        ready = selector.select(_BETWEEN_LOOKS_SECONDS if calls else None)
        for key, _ in ready:
            one = key.fileobj
            assert isinstance(one, socket.socket)
            if one is self._woken:
                return False
            if one is self._listening:
                self._accept(selector, calls)
            elif one in calls and self._is_done(one, calls[one]):
                _drop(selector, calls, one)
        now = time.monotonic()
        for one in [one for one, call in calls.items() if call.end < now]:
            _drop(selector, calls, one)
        return True

    def _accept(self, selector: selectors.BaseSelector, calls: dict[socket.socket, _Call]) -> None:
        assert self._listening is not None
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return  # whoever called has gone again
        if len(calls) >= _MAX_CONNECTIONS:
            _drop(selector, calls, next(iter(calls)))
        connection.setblocking(False)
        calls[connection] = _Call(time.monotonic() + _MESSAGE_SECONDS)
        selector.register(connection, selectors.EVENT_READ)

    def _is_done(self, connection: socket.socket, call: _Call) -> bool:
        """Read what there is, and answer if it is a whole message."""
        try:
            block = connection.recv(MAX_REQUEST_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            return True
        call.received += block
        line, end, _ = call.received.partition(b"\n")
        if not end:
            return not block or len(call.received) > MAX_REQUEST_BYTES
        self._answer(connection, line)
        return True

    def _answer(self, connection: socket.socket, line: bytes) -> None:
        assert self._address is not None
        request = read_request(line, self._address.asking)
        if request is None:
            return
        answer = Answer()
        if request.kind == NEWS:
            answer = self._ask(request.project)
        elif request.kind == OPEN:
            if self._open_window is not None:
                answer = Answer(window=True, address=self._open_window(request.page))
        else:
            self._tell(request)
        with suppress(OSError):
            # It fits into what the system holds for a connection; who doesn't read it has no need.
            connection.send(answer_line(answer, self._address.answering))


class _Call:
    """A message that is being received.

    Attributes:
        end: until when it has to be whole, by the steady clock.
        received: of it so far.
    """

    def __init__(self, end: float) -> None:
        self.end = end
        self.received = b""


def _drop(
    selector: selectors.BaseSelector, calls: dict[socket.socket, _Call], one: socket.socket
) -> None:
    selector.unregister(one)
    del calls[one]
    one.close()


def _listen(path: Path) -> tuple[socket.socket, str, int]:
    """A socket that listens, and its path or its port.

    Raises:
        OSError: neither can be had.
    """
    family = getattr(socket, "AF_UNIX", None)
    if family is not None and len(os.fsencode(path)) <= MAX_SOCKET_PATH and _is_ours(path.parent):
        with suppress(OSError):  # not every file system takes a socket
            return _listen_at(family, path), str(path), 0
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.bind((LOOPBACK, 0))
        listening.listen(_MAX_WAITING)
        return listening, "", int(listening.getsockname()[1])
    except BaseException:
        listening.close()
        raise


def _listen_at(family: int, path: Path) -> socket.socket:
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            files.remove(path)
    except FileNotFoundError:
        pass
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        os.chmod(path, 0o600)
        listening.listen(_MAX_WAITING)
    except BaseException:
        listening.close()
        raise
    return listening


def _is_ours(directory: Path) -> bool:
    """Whether nobody else gets into a directory; it is made if it is missing."""
    if sys.platform == "win32":
        return False
    try:
        files.make_private(directory)
        status = os.lstat(directory)
    except OSError:
        return False
    is_private = status.st_uid == os.getuid() and not status.st_mode & 0o077
    return stat.S_ISDIR(status.st_mode) and is_private
