"""What a page is made of, for those who write one: what is asked, and what is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from claude_sync.errors import UsageError
from claude_sync.names import is_session_id
from claude_sync.service.status import Status
from claude_sync.sync.context import Context
from claude_sync.values import NamedTuple
from claude_sync_app.window.services import WindowServices


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser asks for; everything but `services` comes from outside, and is checked first.

    Attributes:
        services: what a page may use.
        path: the parts of the path that its route names.
        query: what stands behind the question mark.
        body: what a POST sends, an object of JSON.
    """

    services: WindowServices
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """The newest Status."""
        return self.services.status

    @contextmanager
    def reading(self) -> Iterator[Context]:
        """A context of its own to read with, which changes nothing; for this request only.

        Raises:
            Stopped: the window ends meanwhile.
        """
        from claude_sync.sync.read_only import open_read_only

        with open_read_only(self.services.paths, should_stop=self.services.is_ending) as context:
            yield context

    def text(self, name: str, *, most: int = 1000) -> str:
        """A text of the body.

        Raises:
            UsageError: there is none of that name, or it is longer than `most` characters.
        """
        value = self.body.get(name)
        if not isinstance(value, str) or len(value) > most or "\0" in value:
            raise UsageError(f"the page sent no {name} that can be used", todo="load it again")
        return value

    def flag(self, name: str) -> bool:
        """Whether the body says yes to this."""
        return self.body.get(name) is True

    def session(self, name: str = "session") -> str:
        """The session's id that the path names.

        Raises:
            UsageError: that is none.
        """
        value = self.path.get(name, "")
        if not is_session_id(value):
            raise UsageError("that is no session's id", where=value[:50])
        return value


class Page(NamedTuple):
    """An answer that is a page.

    Attributes:
        template: its file in `templates`.
        title: without the program's name; may hold what others wrote.
        values: what the template shows, each escaped there.
        status: of HTTP.
    """

    template: str
    title: str
    values: Mapping[str, Any] = {}
    status: int = 200


class Data(NamedTuple):
    """An answer for a script: a value that JSON can hold."""

    value: Any


class Answer(NamedTuple):
    """What a click led to.

    Attributes:
        message: a sentence, shown where the click was made.
        is_error: whether it failed.
        go: a page to go to, as `link` has it: with a slash in front.
        reload: whether the page shows something else now.
        more: for a script of the page's own.
    """

    message: str = ""
    is_error: bool = False
    go: str = ""
    reload: bool = False
    more: Mapping[str, Any] = {}


class Download(NamedTuple):
    """An answer that is saved as a file.

    Attributes:
        name: of the file; made safe where it is sent.
        media_type: of its contents.
        blocks: its bytes.
    """

    name: str
    media_type: str
    blocks: Iterator[bytes]


class Waiting(NamedTuple):
    """A command of the service's that runs; no thread waits for it.

    Attributes:
        future: as the service gave it.
        then: makes the answer of its result, in a thread of the window's.
    """

    future: Future[Any]
    then: Callable[[Any], Answer]


Reply = Page | Data | Answer | Download | Waiting
Handler = Callable[[Asked], Reply]


class PageRoute(NamedTuple):
    """A path and what answers there; see `page` and `post`."""

    path: str
    handler: Handler
    method: str


def page(path: str, handler: Handler) -> PageRoute:
    """What a GET gets. It changes nothing.

    Args:
        path: with a slash in front; ``{name}`` stands for one part of it, ``{name:path}`` for more.
        handler: runs in a thread of the window's, so it may read and wait for a moment.
    """
    return PageRoute(path, handler, "GET")


def post(path: str, handler: Handler) -> PageRoute:
    """What a POST does; see `page`."""
    return PageRoute(path, handler, "POST")
