"""Who may use the window: only the person whose claude-sync serves it. Pure, except for chance.

Invariants:

1. A token lets in once, and for some minutes. It stands in the fragment of an address, which no
   browser sends to a server, and never in the arguments of a program, which others can read.
2. Whoever was let in bears a cookie that scripts can't read. Browsers send cookies to every port
   of a host, so it belongs to a path that nobody else knows.
3. Every request is for exactly our address, so that no name which was made to lead here (DNS
   rebinding) gets an answer, and comes from nowhere but our own pages.
4. Only a POST changes something, and only one that says that it comes from our pages.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from hmac import compare_digest

from claude_sync.values import NamedTuple

COOKIE = "claude-sync"
TOKEN_SECONDS = 600.0
_SECRET_BYTES = 32  # 256 bits
_MOST_TOKENS = 16
_METHODS = frozenset({"GET", "HEAD", "POST"})
_OWN_SITES = frozenset({"same-origin", "none"})
FOR_STRANGERS = ("entrance.js", "window.css", "icon.svg")
"""Files that a browser needs before it can say who it is."""
OPEN_TO_ALL = frozenset({"/", "/enter", *(f"/static/{name}" for name in FOR_STRANGERS)})
"""Paths that tell nothing."""


class Refusal(NamedTuple):
    """Why a request gets no answer: a status of HTTP, and a sentence."""

    status: int
    sentence: str


class Asking(NamedTuple):
    """What of a request tells whether it is answered.

    Attributes:
        method: GET or another.
        path: what is asked for.
        headers: by their names in lower case; one that comes twice has all of them, joined.
    """

    method: str
    path: str
    headers: Mapping[str, str]


_STRANGER = Refusal(403, "This window isn't open for you: open it with claude-sync.")


class Access:
    """Lets one person in. Any thread may ask for an address; the rest is the server's.

    Args:
        port: on which the window is served.
        open_to_all: paths that tell nothing; whoever isn't in yet needs them.
        clock: seconds that never go back.

    Attributes:
        host: what every request has to be for.
        root: the path that the cookie belongs to, without a slash at its end.
    """

    def __init__(
        self,
        port: int,
        open_to_all: frozenset[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.host = f"127.0.0.1:{port}"
        self.origin = f"http://{self.host}"
        self.root = f"/{secrets.token_urlsafe(16)}"
        self._open_to_all = open_to_all
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[float, str]] = {}
        self._cookies: list[str] = []

    def address(self, page: str) -> str:
        """An address that lets in once.

        Args:
            page: where it leads, without a slash in front.
        """
        token = secrets.token_urlsafe(_SECRET_BYTES)
        with self._lock:
            while len(self._tokens) >= _MOST_TOKENS:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[token] = (self._clock() + TOKEN_SECONDS, page)
        return f"{self.origin}/#{token}"

    def exchange(self, token: str) -> tuple[str, str] | None:
        """What a token is worth, once: the page that it leads to, and a cookie; None for nothing.

        Args:
            token: what somebody says that it is; not trusted.
        """
        given = token.encode("utf-8", "surrogatepass")
        with self._lock:
            same = (one for one in self._tokens if compare_digest(one.encode(), given))
            known = next(same, None)
            end, page = self._tokens.pop(known) if known is not None else (-math.inf, "")
        if end < self._clock():
            return None
        cookie = secrets.token_urlsafe(_SECRET_BYTES)
        self._cookies.append(cookie)
        return page, cookie

    def refuses(self, asking: Asking) -> Refusal | None:
        """Why a request gets no answer; None if it gets one."""
        headers = asking.headers
        if headers.get("host") != self.host:
            return Refusal(421, f"This is {self.host}, and nothing else.")
        if asking.method not in _METHODS:
            return Refusal(405, "That can't be done here.")
        origin = headers.get("origin")
        if origin != self.origin and (origin is not None or asking.method == "POST"):
            return Refusal(403, "Only the window's own pages may ask that.")
        if asking.path == "/" and asking.method != "POST":
            return None  # here a browser comes from elsewhere, and hasn't said who it is
        if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
            return Refusal(403, "Only the window's own pages may ask that.")
        if asking.path in self._open_to_all:
            return None
        if not asking.path.startswith(f"{self.root}/") or not self._is_known(headers):
            return _STRANGER
        return None

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        for pair in headers.get("cookie", "").split(";"):
            name, _, value = pair.strip().partition("=")
            given = value.encode("utf-8", "surrogatepass")
            if name == COOKIE and any(
                compare_digest(known.encode(), given) for known in self._cookies
            ):
                return True
        return False
