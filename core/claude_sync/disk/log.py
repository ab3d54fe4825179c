"""The log: a small text file that says what was done, one line for each outcome.

It holds session ids, machines and the sentences of errors; never titles, URLs or transcript text.
It is written in place, unlike everything else: a line that is lost or torn costs nothing, and
writing the log must never be what makes work fail.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path

from claude_sync.disk.locks import alone_with
from claude_sync.disk.snapshot import NO_FOLLOW
from claude_sync.model import Bundle, Outcome, Result

LIMIT_BYTES = 1_000_000
"""When the log is this long it becomes the old one, and the one that was old is gone."""

_LINE_BYTES = 2_000
_APPEND: int = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | NO_FOLLOW
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Log:
    """A log file of this user. Several processes may write it at once.

    Args:
        path: the file; made with mode 0600, its folder with 0700.
        limit: bytes after which a new one is begun; the old one is kept beside it, as ``….1``.
    """

    def __init__(self, path: Path, *, limit: int = LIMIT_BYTES) -> None:
        self.path = path
        self._limit = limit

    @property
    def old(self) -> Path:
        """What was written before this file was begun."""
        return self.path.with_name(self.path.name + ".1")

    def write(self, lines: Iterable[str]) -> bool:
        """Append lines, each with the time (UTC) in front; whether they were written.

        Args:
            lines: without a line feed; control characters in them are shown as ``?``.
        """
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        data = b"".join(_encoded(f"{now} {line}") for line in lines)
        if not data:
            return True
        try:
            self._append(data)
        except OSError:
            return False
        return True

    def _append(self, data: bytes) -> None:
        descriptor = self._open()
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return
            if status.st_size and status.st_size + len(data) > self._limit:
                os.close(descriptor)
                descriptor = -1
                self._begin_anew(status)
                descriptor = self._open()
            with alone_with(descriptor, self.path):
                while data:
                    data = data[os.write(descriptor, data) :]
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self.path, _APPEND, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self.path, _APPEND, 0o600)

    def _begin_anew(self, status: os.stat_result) -> None:
        # Another process may have begun a new one in the meantime: that one stays.
        if os.path.samestat(status, os.lstat(self.path)):
            try:
                os.replace(self.path, self.old)
            except PermissionError:
                # Windows renames nothing that another process has open: the next one does it.
                if os.name != "nt":
                    raise


def result_line(verb: str, result: Result) -> str:
    """What the log says of one session that something was done with.

    Args:
        verb: what was asked for, a word.
        result: what became of it.
    """
    words = [verb, result.outcome.value, result.session_id or result.bundle, result.machine]
    if result.bytes:
        words.append(f"{result.bytes} bytes")
    if result.outcome is Outcome.FAILED:
        words.append(result.message)
    return " ".join(word for word in words if word)


def removal_line(bundle: Bundle) -> str:
    """What the log says of one bundle that was removed from the store."""
    return f"forget {bundle.head.session_id} {bundle.head.machine}"


def trail_of(error: BaseException) -> str:
    """Where an error showed, the innermost line first: "state.py:12 < cli.py:7".

    Names and lines only: an exception's own words may quote a transcript. "" where it wasn't
    raised.
    """
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{os.path.basename(one.filename)}:{one.lineno}" for one in reversed(frames))


def _encoded(line: str) -> bytes:
    shown = "".join(character if character.isprintable() else "?" for character in line)
    data = shown.encode("utf-8", "replace")
    if len(data) > _LINE_BYTES:
        data = data[:_LINE_BYTES].decode("utf-8", "ignore").encode() + "…".encode()
    return data + b"\n"
