"""One ``rclone rcd``: a process that is asked over a socket as long as the work lasts.

Its parent is `guardian`, which ends it when we end, whatever ends us, or when nothing was asked for
some minutes. It listens on a Unix socket in a directory that nobody else may enter, elsewhere on a
port of this machine; either way it wants a password, drawn afresh for each process and passed by
the environment.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from claude_sync.transports.base import stopped
from claude_sync.transports.private_sockets import socket_directory
from claude_sync.transports.rclone.errors import no_rclone, not_started
from claude_sync.transports.ssh.pipes import Pipes, start_pipes

IDLE_SECONDS = 300.0
"""How long rclone is kept though nothing is asked of it."""

_GUARDIAN = Path(__file__).with_name("guardian.py")
_START_SECONDS = 30.0
_FAREWELL_SECONDS = 6.0
_NAME_BYTES = 24
_USER = "claude-sync"
# What a person may have set for their own rclone and would make this one serve elsewhere, say
# other things, write nothing, or leave files out of a listing, as if they weren't there.
_WITHOUT = (
    "RCLONE_RC_",
    "RCLONE_LOG",
    "RCLONE_VERBOSE",
    "RCLONE_QUIET",
    "RCLONE_USE_JSON_LOG",
    "RCLONE_SYSLOG",
    "RCLONE_STATS",
    "RCLONE_DUMP",
    "RCLONE_DRY_RUN",
    "RCLONE_INTERACTIVE",
    "RCLONE_IMMUTABLE",
    "RCLONE_FILTER",
    "RCLONE_EXCLUDE",
    "RCLONE_INCLUDE",
    "RCLONE_FILES_FROM",
    "RCLONE_MAX_",
    "RCLONE_MIN_",
    "RCLONE_CUTOFF_MODE",
)
# Of rclone's own habits: how often and how long it tries by itself, before anybody hears of it.
# A file of less than 4 MiB is held in memory, and sent in one piece.
_OPTIONS = (
    "--rc-serve",
    "--use-server-modtime",
    "--fast-list",
    "--ask-password=false",
    "--log-level=NOTICE",
    "--contimeout=15s",
    "--timeout=2m",
    "--low-level-retries=3",
    "--streaming-upload-cutoff=4Mi",
)


class Server:
    """A running ``rclone rcd``. Used by one thread, except for `end`.

    Args:
        program: the whole path of rclone.
        runtime: a directory for the socket; made with mode 0700 if it is missing.
        remote: whose configuration it needs, for errors.
        is_stopped: whether to give up.

    Attributes:
        address: the socket's path, or host and port.
        authorization: the header that it wants.
        pid: of rclone.

    Raises:
        TransportError: it can't be started.
        Stopped: `is_stopped` said so.
    """

    def __init__(
        self, program: str, runtime: Path, remote: str, is_stopped: Callable[[], bool]
    ) -> None:
        self._remote = remote
        self._is_stopped = is_stopped
        self._said = b""
        self._used = time.monotonic()
        self.pid = 0
        password = base64.urlsafe_b64encode(os.urandom(24)).decode()
        credentials = base64.b64encode(f"{_USER}:{password}".encode()).decode()
        self.authorization = f"Basic {credentials}"
        directory = socket_directory(runtime, _NAME_BYTES)
        socket = "" if directory is None else str(directory / f"rclone-{os.urandom(8).hex()}")
        address = f"unix://{socket}" if socket else "127.0.0.1:0"
        order = {
            "argv": [program, "rcd", f"--rc-addr={address}", *_OPTIONS],
            "environment": {"RCLONE_RC_USER": _USER, "RCLONE_RC_PASS": password},
            "without": _WITHOUT,
            "idle_seconds": IDLE_SECONDS,
            "socket": socket,
        }
        argv = [sys.executable, "-I", "-S", str(_GUARDIAN)]
        try:
            self._guardian: Pipes = start_pipes(argv, is_stopped)
        except OSError as error:
            raise no_rclone() from error
        try:
            self._guardian.write(json.dumps(order).encode() + b"\n", _START_SECONDS)
            self.address: str | tuple[str, int] = self._ready(socket)
        except BaseException:
            self.close()
            raise

    def _ready(self, socket: str) -> str | tuple[str, int]:
        """Wait until it listens; where."""
        deadline = time.monotonic() + _START_SECONDS
        while (word := self._word(deadline)) is not None:
            kind, _, rest = word.partition(" ")
            if kind == "pid":
                self.pid = int(rest)
            elif kind == "ready":
                if socket:
                    return socket
                host, _, port = rest.rstrip("/").rpartition(":")
                return host.rpartition("/")[2], int(port)
            elif kind == "ended":
                raise not_started(rest, self._remote)
        raise not_started("", self._remote)

    def _word(self, deadline: float) -> str | None:
        """The guardian's next line, None if there is none."""
        while b"\n" not in self._said:
            try:
                data = self._guardian.read(deadline - time.monotonic())
            except TimeoutError:
                data = b""
            if self._is_stopped():
                raise stopped()
            if not data:
                return None
            self._said += data
        line, _, self._said = self._said.partition(b"\n")
        return line.decode("utf-8", "replace")

    @property
    def is_fresh(self) -> bool:
        """Whether it is running, and won't be ended as idle in the next moment."""
        return self._guardian.is_running and time.monotonic() - self._used < IDLE_SECONDS / 2

    def began(self) -> None:
        """Something is asked of it."""
        self._tell(b"+")

    def answered(self) -> None:
        """That was answered, or nobody waits for it any more."""
        self._tell(b"-")

    def _tell(self, word: bytes) -> None:
        self._used = time.monotonic()
        try:
            self._guardian.write(word, _FAREWELL_SECONDS)
        except (OSError, BufferError, TimeoutError):
            pass  # it ended; whoever is asking hears of it

    def close(self) -> None:
        """End it, and wait for that."""
        try:
            self._guardian.write(b"q", _FAREWELL_SECONDS)
            while self._guardian.read(_FAREWELL_SECONDS):
                pass  # ended at once, a guardian couldn't end rclone on every system
        except (OSError, BufferError, TimeoutError):
            pass
        self._guardian.close()
