"""A ProxyCommand that delays, counts, cuts, freezes: ``python proxy.py PORT [options]``.

It carries a connection to a port of this machine, as ssh's ProxyCommand. Every byte comes late by
half a round trip, without a limit on how many are on their way. Standard library only, and run
with -I -S, so that it starts fast.
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_CHUNK = 1 << 16


class Traffic(NamedTuple):
    """Bytes that went through, from the client and to it."""

    up: int
    down: int


def through_proxy(port: int, *options: str) -> str:
    """The option of ssh, as after ``-o``, that leads a connection through a proxy.

    Args:
        port: of this machine.
        options: of this program; none may hold a space.
    """
    command = [sys.executable, "-I", "-S", os.path.abspath(__file__), str(port), *options]
    return f"ProxyCommand={' '.join(command)}"


def counted(folder: Path) -> Traffic:
    """What went through all proxies that count into a folder, ended or not."""
    total = Traffic(0, 0)
    for path in folder.iterdir():
        up, down = map(int, path.read_bytes().split() or (0, 0))
        total = Traffic(total.up + up, total.down + down)
    return total


class _Way:
    """One direction: what was read and isn't due yet."""

    def __init__(self, source: int, sink: int, cut: int | None, freeze: int | None) -> None:
        self.source = source
        self.sink = sink
        self.left = cut
        self.frozen_after = freeze
        self.carried = 0
        self.ended = False
        self.waiting: deque[tuple[float, bytes]] = deque()

    @property
    def is_frozen(self) -> bool:
        return self.frozen_after is not None and self.carried >= self.frozen_after

    def deliver(self) -> bool:
        """Pass on what is due; False once this way was cut."""
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            data = self.waiting.popleft()[1]
            if self.frozen_after is not None:
                data = data[: max(0, self.frozen_after - self.carried)]
            piece = data if self.left is None else data[: self.left]
            while piece:
                written = os.write(self.sink, piece)
                self.carried += written
                piece, data = piece[written:], data[written:]
                if self.left is not None:
                    self.left -= written
            if self.left is not None and self.left <= 0:
                return False
        return True


def carry(port: int, arguments: argparse.Namespace) -> None:
    """Carry one connection until it ends or is cut."""
    with socket.create_connection(("127.0.0.1", port)) as host:
        host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        up = _Way(0, host.fileno(), arguments.cut_up, None)
        down = _Way(host.fileno(), 1, arguments.cut_down, arguments.freeze_down)
        late = arguments.round_trip / 2000
        counter = os.open(_counter(arguments.count), os.O_WRONLY | os.O_CREAT)
        with selectors.DefaultSelector() as selector:
            for way in (up, down):
                selector.register(way.source, selectors.EVENT_READ, way)
            while not (up.ended and not up.waiting) and not (down.ended and not down.waiting):
                due = [way.waiting[0][0] for way in (up, down) if way.waiting]
                patience = max(0.0, min(due) - time.monotonic()) if due else None
                for key, _ in selector.select(patience):
                    way = key.data
                    data = os.read(way.source, _CHUNK)
                    if data and not way.is_frozen:
                        way.waiting.append((time.monotonic() + late, data))
                    elif not data:
                        way.ended = True
                        selector.unregister(way.source)
                if not (up.deliver() and down.deliver()):
                    return
                os.pwrite(counter, b"%020d %020d" % (up.carried, down.carried), 0)


def _counter(folder: str) -> str:
    return os.path.join(folder, str(os.getpid())) if folder else os.devnull


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--round-trip", type=float, default=0.0, help="milliseconds")
    parser.add_argument("--cut-up", type=int, help="end after so many bytes from the client")
    parser.add_argument("--cut-down", type=int, help="end after so many bytes to the client")
    parser.add_argument("--freeze-down", type=int, help="pass on no more than that, silently")
    parser.add_argument("--count", default="", help="a folder for what is counted")
    # ssh sends this when it ends; the end of its standard input says the same, after the count.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    chosen = parser.parse_args(arguments)
    try:
        carry(chosen.port, chosen)
    except (BrokenPipeError, ConnectionError):
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
