"""Where a running service can be reached by a program that knows only which folder it serves.

Invariants:

1. The address lies in a file of mode 0600, and holds two secrets: who asks has to know the one,
   who answers the other. So no other user can speak to a service, nor stand in for one whose port
   or socket was left behind.
2. What the file says is not believed: a service that was killed leaves it behind, and then nobody
   answers.

This is imported by a program that the client waits for, so it imports next to nothing.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from claude_sync.service.messages import (
    MAX_ANSWER_BYTES,
    Answer,
    Request,
    read_answer,
    request_line,
)
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    import socket

LOOPBACK = "127.0.0.1"
_MAX_FILE_BYTES = 4096


class Address(NamedTuple):
    """Where a service listens, and the secrets of both sides.

    Attributes:
        path: of a Unix socket; "" where it listens on a port.
        port: on the loopback interface, 0 where it listens on a socket.
        asking: what whoever asks has to know.
        answering: what whoever answers has to know.
    """

    path: str
    port: int
    asking: str
    answering: str


def home_mark(home: str | os.PathLike[str]) -> str:
    """What tells one of Claude Code's folders from another, for names of files."""
    from hashlib import sha256

    real = os.path.normcase(os.path.realpath(home))
    return sha256(os.fsencode(real)).hexdigest()[:16]


def read_address(file: str | os.PathLike[str]) -> Address | None:
    """What a service wrote down; None where none did, or it can't be read."""
    try:
        with open(file, "rb") as opened:
            document = json.loads(opened.read(_MAX_FILE_BYTES))
        path, port = document["path"], document["port"]
        asking, answering = document["asking"], document["answering"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    texts = all(isinstance(value, str) for value in (path, asking, answering))
    if not texts or type(port) is not int or not 0 <= port < 1 << 16 or not (asking and answering):
        return None
    return Address(path, port, asking, answering)


def send(address: Address, request: Request, timeout_seconds: float) -> Answer | None:
    """Tell a service something, or ask it; None where nobody answers who may.

    Args:
        address: as `read_address` gave it.
        request: what is said or asked.
        timeout_seconds: how long to wait for each step of the way.
    """
    try:
        with _connected(address, timeout_seconds) as connection:
            connection.sendall(request_line(request, address.asking))
            line = _read_line(connection)
    except (OSError, ValueError):
        return None
    return read_answer(line, address.answering)


def _connected(address: Address, timeout_seconds: float) -> socket.socket:
    import socket

    if not address.path:
        return socket.create_connection((LOOPBACK, address.port), timeout_seconds)
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise ValueError("this system has no such sockets")
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_seconds)
        connection.connect(address.path)
    except BaseException:
        connection.close()
        raise
    return connection


def _read_line(connection: socket.socket) -> bytes:
    data = b""
    while b"\n" not in data and len(data) < MAX_ANSWER_BYTES:
        block = connection.recv(MAX_ANSWER_BYTES)
        if not block:
            break
        data += block
    return data.partition(b"\n")[0]
