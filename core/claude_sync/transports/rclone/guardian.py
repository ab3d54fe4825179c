"""The parent of rclone's process, which sees to it that rclone ends with us, or when it is idle.

``python -I -S guardian.py``. It is told over its standard input what to start, so that nothing
secret stands in a command line. Then each ``+`` says that something is asked of rclone, each ``-``
that it was answered. ``q``, the end of its input, which comes however we die, and too long a time
without a question end rclone, and it with it. What it says, a line each: ``pid N``, ``ready
ADDRESS``, and at the end what rclone wrote last. Standard library only, so that it starts fast.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import IO

_READY = b"Serving remote control on "
_LAST_LINES = 20
_LONGEST_LINE = 2000
_FAREWELL_SECONDS = 3.0
_BETWEEN_LOOKS_SECONDS = 0.003
_ENDED = b""


def main() -> None:
    order = json.loads(sys.stdin.buffer.readline())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(tuple(order["without"]))
    }
    child = subprocess.Popen(
        order["argv"],  # its first is a whole path
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment | order["environment"],
        # No thread was started yet.
        preexec_fn=_dying_with_us() if sys.platform == "linux" else None,  # noqa: PLW1509
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    assert child.stderr is not None
    last: deque[bytes] = deque(maxlen=_LAST_LINES)
    inbox: queue.Queue[bytes] = queue.Queue()
    _say(f"pid {child.pid}")
    relay = threading.Thread(target=_relay, args=(child.stderr, last, inbox), daemon=True)
    relay.start()
    threading.Thread(target=_listen, args=(inbox,), daemon=True).start()
    try:
        if order["socket"]:
            _await_listening(order["socket"], child, inbox)
        _wait(inbox, order["idle_seconds"])
    finally:
        _end(child)
        relay.join(_FAREWELL_SECONDS)
        if order["socket"]:
            try:
                os.unlink(order["socket"])
            except OSError:
                pass
        _say("ended " + b" ".join(last).decode("utf-8", "replace"))
    # The other thread waits in a read that nothing ends.
    os._exit(0)


def _await_listening(path: str, child: subprocess.Popen[bytes], inbox: queue.Queue[bytes]) -> None:
    """Say when somebody listens on a socket, which rclone itself says of ports only."""
    while child.poll() is None and inbox.empty():
        with socket.socket(getattr(socket, "AF_UNIX")) as one:  # noqa: B009  Windows has none
            if one.connect_ex(path) == 0:
                _say(f"ready {path}")
                return
        time.sleep(_BETWEEN_LOOKS_SECONDS)


def _wait(inbox: queue.Queue[bytes], idle_seconds: float) -> None:
    """Wait until rclone is to end."""
    asked = 0
    while True:
        try:
            words = inbox.get(timeout=None if asked else idle_seconds)
        except queue.Empty:
            return
        if words == _ENDED or b"q" in words:
            return
        asked += words.count(b"+") - words.count(b"-")


def _listen(inbox: queue.Queue[bytes]) -> None:
    while words := os.read(0, 1024):
        inbox.put(words)
    inbox.put(_ENDED)


def _relay(messages: IO[bytes], last: deque[bytes], inbox: queue.Queue[bytes]) -> None:
    """Take in what rclone says, for it stops where nobody does."""
    while line := messages.readline(_LONGEST_LINE):
        _, ready, address = line.rstrip().partition(_READY)
        if ready:
            _say("ready " + address.decode("utf-8", "replace"))
        last.append(line.strip())
    inbox.put(_ENDED)


def _say(text: str) -> None:
    try:
        os.write(1, text.replace("\n", " ").encode() + b"\n")
    except OSError:
        pass  # whoever started us is gone


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_FAREWELL_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _dying_with_us() -> Callable[[], object]:
    """What has Linux end the child even where this process is killed (prctl(2))."""
    import ctypes

    library = ctypes.CDLL(None)
    set_death_signal, terminated = 1, int(signal.SIGTERM)
    return lambda: library.prctl(set_death_signal, terminated)


if __name__ == "__main__":
    main()
