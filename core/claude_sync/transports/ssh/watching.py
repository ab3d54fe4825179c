"""Waiting for changes on a host: one held connection, on which the host does the waiting.

Invariants:

1. What the host says is a hint that something may have changed, and nothing else of it is believed.
   It speaks when it was asked, one short line at a time; what else comes ends the connection.
2. Nothing goes on over there without us: a question lets the host wait for a minute, and only the
   next one lets it wait longer. It ends with the connection, too (`script.WATCHING`).
3. A connection that died is noticed: the answer is due when that minute is over, and until then
   ssh asks whether the host lives (ServerAliveInterval).
4. The transport's own connection is left alone. It is shared where ssh shares connections anyway;
   a host that refuses a second session over it is never asked for one again, and what waits gets a
   connection of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from claude_sync.transports.base import stopped
from claude_sync.transports.location import HostLocation
from claude_sync.transports.ssh.answers import usable_digest
from claude_sync.transports.ssh.command import ssh_argv
from claude_sync.transports.ssh.errors import cant_wait, store_refused
from claude_sync.transports.ssh.script import WATCHING
from claude_sync.transports.ssh.session import Session

_WAIT_SECONDS = 60
_LATE_SECONDS = 30.0
_NO_DIGEST = "none"
_NO_CHECKSUM = ["look", "-"]
# ssh's words on a session that the host doesn't allow over a connection that has one (MaxSessions);
# it goes on with a connection of its own then.
_REFUSED = "open refused by peer"


class HostWatch:
    """A `ChangeWatch` over ssh.

    Args:
        location: the host and the directory on it.
        command: what stands for ``ssh``; empty for ``ssh``.
        runtime: a directory for the shared connection's socket.
    """

    def __init__(self, location: HostLocation, command: Sequence[str], runtime: Path) -> None:
        self._location = location
        self._command = list(command)
        self._runtime = runtime
        self._shares = True
        self._digest = _NO_DIGEST
        self._session: Session | None = None
        self._ended = False
        self._lock = threading.Lock()

    def wait(self) -> bool:
        try:
            return self._answer(self._session or self._connect())
        except BaseException:
            self.close()
            raise

    def _connect(self) -> Session:
        argv = ssh_argv(self._command, self._location, self._runtime, shares=self._shares)
        self._digest = _NO_DIGEST
        with self._lock:
            if self._ended:
                raise stopped()
            self._session = session = Session(
                argv, self._location, lambda: self._ended, tick_seconds=_WAIT_SECONDS
            )
        session.need(WATCHING)
        return session

    def _answer(self, session: Session) -> bool:
        session.send(f"W {_WAIT_SECONDS} {self._digest}\n".encode())
        words = session.only_line(_WAIT_SECONDS + _LATE_SECONDS).decode("utf-8", "replace").split()
        if _REFUSED in session.messages:
            self._shares = False
        if words == ["same"]:
            return False
        if words[:1] == ["no"] or words == _NO_CHECKSUM:
            where = f"{self._location.host}:{self._location.path}"
            error = store_refused("".join(words[1:2]), where)
            raise error or cant_wait(self._location.host)
        if len(words) != 2 or words[0] != "look" or not usable_digest(words[1]):
            raise session.nonsense()
        self._digest = words[1]
        session.send(b"V\n")
        return True

    def end(self) -> None:
        with self._lock:
            self._ended = True
            if self._session is not None:
                self._session.end()

    def close(self) -> None:
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()
