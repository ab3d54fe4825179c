"""What a program of this user's may say to a running service, and ask it. Pure.

One connection carries one line of JSON each way. Both lines bear a secret that stands in a file
which only this user can read: a stranger who listens where a service listened once can't answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from claude_sync.names import is_project_key, is_session_id
from claude_sync.values import NamedTuple

RESTED, CLOSED, NEWS, OPEN = "rested", "closed", "news", "open"
"""A session waits for its person; its client has closed it; what is newer in a project? Where is
the window?"""

MAX_REQUEST_BYTES = 8192
"""Room for the longest key, each of its characters escaped."""
MAX_ANSWER_BYTES = 65_536
MAX_NEWS = 5
_PAGE = re.compile(r"[a-z0-9][a-z0-9/-]{0,199}|")
_MAX_TEXT = 500


class Request(NamedTuple):
    """What is said or asked.

    Attributes:
        kind: `RESTED`, `CLOSED`, `NEWS` or `OPEN`.
        session_id: of the session that rested or was closed; "" in a question.
        project: the key of the project that a question is about; else "".
        page: of the window that is to be opened, without a slash in front; "" for the first.
    """

    kind: str
    session_id: str = ""
    project: str = ""
    page: str = ""


class News(NamedTuple):
    """A session that another machine went on with, or that has diverged.

    Attributes:
        session_id: the session.
        title: other people's text; escape it for where it is shown.
        machine: the one that went on with it; so named by others, too.
        moment_ns: when that was, nanoseconds since the epoch; 0 where it has diverged.
        diverged: whether it went on here as well.
    """

    session_id: str
    title: str
    machine: str
    moment_ns: int
    diverged: bool


class Answer(NamedTuple):
    """What a question got.

    Attributes:
        news: the likeliest first.
        total: how many there are in all.
        window: whether there is one.
        address: where it is, with what lets one person in once; "" while it is being started.
    """

    news: tuple[News, ...] = ()
    total: int = 0
    window: bool = False
    address: str = ""


def request_line(request: Request, secret: str) -> bytes:
    """A request as it is sent."""
    return _line({"secret": secret, **request._asdict()})


def read_request(line: bytes, secret: str) -> Request | None:
    """A request that was received; None where it makes no sense, or doesn't know the secret.

    Args:
        line: what was received, without the line feed; not trusted.
        secret: the one that it has to bear.
    """
    document = _object(line, secret)
    if document is None:
        return None
    kind, session_id, project = (document.get(key) for key in ("kind", "session_id", "project"))
    if kind in (RESTED, CLOSED) and isinstance(session_id, str) and is_session_id(session_id):
        return Request(str(kind), session_id)
    if kind == NEWS and isinstance(project, str) and is_project_key(project):
        return Request(NEWS, project=project)
    page = document.get("page", "")
    if kind == OPEN and is_page(page):
        return Request(OPEN, page=page)
    return None


def is_page(page: object) -> bool:
    """Whether this may be the name of a page of the window: it becomes part of its address."""
    return isinstance(page, str) and _PAGE.fullmatch(page) is not None


def answer_line(answer: Answer, secret: str) -> bytes:
    """An answer as it is sent."""
    news = [one._replace(title=one.title[:_MAX_TEXT])._asdict() for one in answer.news[:MAX_NEWS]]
    return _line({"secret": secret, **answer._asdict(), "news": news})


def read_answer(line: bytes, secret: str) -> Answer | None:
    """An answer that was received; None where it makes no sense, or doesn't know the secret."""
    document = _object(line, secret)
    if document is None:
        return None
    found, total = document.get("news"), document.get("total")
    if not isinstance(found, list) or type(total) is not int:
        return None
    news = [one for entry in found[:MAX_NEWS] if (one := _news(entry)) is not None]
    address = document.get("address")
    return Answer(
        news=tuple(news),
        total=max(total, len(news)),
        window=document.get("window") is True,
        address=address if isinstance(address, str) else "",
    )


def _news(entry: object) -> News | None:
    if not isinstance(entry, dict):
        return None
    session_id, title, machine = (entry.get(key) for key in ("session_id", "title", "machine"))
    moment_ns = entry.get("moment_ns")
    if not (isinstance(session_id, str) and is_session_id(session_id)):
        return None
    if not (isinstance(title, str) and isinstance(machine, str) and type(moment_ns) is int):
        return None
    diverged = entry.get("diverged") is True
    return News(session_id, title[:_MAX_TEXT], machine[:_MAX_TEXT], moment_ns, diverged)


def _line(document: Mapping[str, object]) -> bytes:
    # In ASCII, so that names which are no Unicode pass, too.
    return json.dumps(document).encode() + b"\n"


def _object(line: bytes, secret: str) -> dict[str, Any] | None:
    from hmac import compare_digest

    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    given = document.get("secret") if isinstance(document, dict) else None
    if not isinstance(given, str) or not secret:
        return None
    if not compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode()):
        return None
    assert isinstance(document, dict)
    return document


def likeliest_first(news: Sequence[News]) -> Answer:
    """An answer of what was found: what went on last comes first."""
    ordered = sorted(news, key=lambda one: (-one.moment_ns, one.session_id))
    return Answer(tuple(ordered[:MAX_NEWS]), len(ordered))
