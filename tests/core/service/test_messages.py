"""What a program inside the client says to the service: read from bytes that nobody vouches for."""

from __future__ import annotations

import json

import pytest

from claude_sync.service.messages import (
    CLOSED,
    MAX_ANSWER_BYTES,
    MAX_NEWS,
    MAX_REQUEST_BYTES,
    NEWS,
    OPEN,
    RESTED,
    Answer,
    News,
    Request,
    answer_line,
    likeliest_first,
    read_answer,
    read_request,
    request_line,
)
from machines import SESSION

SECRET = "ab" * 32


@pytest.mark.parametrize(
    "request_",
    [
        Request(RESTED, SESSION),
        Request(CLOSED, SESSION),
        Request(NEWS, project="name:naïve \U0001f600"),
        Request(OPEN),
        Request(OPEN, page=f"session/{SESSION}"),
    ],
)
def test_a_request_arrives_as_it_was_sent(request_: Request) -> None:
    line = request_line(request_, SECRET)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read_request(line[:-1], SECRET) == request_


def test_the_longest_request_has_room() -> None:
    line = request_line(Request(NEWS, project="name:" + "\U0001f600" * 254), SECRET)
    assert len(line) <= MAX_REQUEST_BYTES
    assert read_request(line, SECRET) is not None


def request_of(**changes: object) -> bytes:
    document = {"secret": SECRET, "kind": RESTED, "session_id": SESSION, "project": ""}
    return json.dumps({**document, **changes}).encode()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'"rested"',
        b"[" * 100_000,
        request_of(secret="cd" * 32),
        request_of(secret=""),
        request_of(secret=None),
        request_of(secret="\udcff"),
        request_of(kind="push"),
        request_of(kind=None),
        request_of(kind=["rested"]),
        request_of(session_id="../../etc/passwd"),
        request_of(session_id=f"{SESSION}\n"),
        request_of(session_id=7),
        request_of(kind=NEWS, project="/home/me/app"),
        request_of(kind=NEWS, project="name:a\0b"),
        request_of(kind=NEWS, project="name:\udce9"),
        request_of(kind=NEWS, project="name:" + "a" * 5000),
        request_of(kind=NEWS, project=None),
        request_of(kind=OPEN, page="../enter"),
        request_of(kind=OPEN, page="/doctor"),
        request_of(kind=OPEN, page="doctor#x"),
        request_of(kind=OPEN, page="doctor\n"),
        request_of(kind=OPEN, page="a" * 201),
        request_of(kind=OPEN, page=7),
    ],
)
def test_what_makes_no_sense_or_knows_no_secret_is_nothing(line: bytes) -> None:
    assert read_request(line, SECRET) is None


def test_without_a_secret_of_its_own_nothing_is_believed() -> None:
    assert read_request(request_of(secret=""), "") is None


def news(number: int, *, title: str = "Fix", diverged: bool = False) -> News:
    moment_ns = 0 if diverged else number
    return News(f"{number:08d}{SESSION[8:]}", title, "laptop", moment_ns, diverged)


def test_an_answer_arrives_as_it_was_sent() -> None:
    answer = Answer((news(1), news(2, diverged=True)), 7)
    assert read_answer(answer_line(answer, SECRET), SECRET) == answer
    answer = Answer(window=True, address="http://127.0.0.1:4711/#token")
    assert read_answer(answer_line(answer, SECRET), SECRET) == answer


def test_an_answer_never_grows_beyond_what_is_read_of_it() -> None:
    endless = Answer(tuple(news(n, title="\U0001f600" * 100_000) for n in range(50)), 50)
    line = answer_line(endless, SECRET)
    assert len(line) < MAX_ANSWER_BYTES
    found = read_answer(line, SECRET)
    assert found is not None
    assert (len(found.news), found.total) == (MAX_NEWS, 50)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "cd" * 32},
        {"news": None},
        {"total": "7"},
        {"total": True},
    ],
)
def test_an_answer_of_a_stranger_is_none(changes: dict[str, object]) -> None:
    document = {**json.loads(answer_line(Answer(), SECRET)), **changes}
    assert read_answer(json.dumps(document).encode(), SECRET) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"session_id": "x"},
        {"title": 7},
        {"machine": None},
        {"moment_ns": 1.5},
        {"moment_ns": True},
    ],
)
def test_news_that_make_no_sense_are_left_out(changes: dict[str, object]) -> None:
    document = json.loads(answer_line(Answer((news(1), news(2)), 2), SECRET))
    document["news"][0].update(changes)
    document["news"].append("news")
    assert read_answer(json.dumps(document).encode(), SECRET) == Answer((news(2),), 2)


def test_what_went_on_last_comes_first_and_what_diverged_after_it() -> None:
    found = likeliest_first([news(5, diverged=True), news(1), news(3)])
    assert found == Answer((news(3), news(1), news(5, diverged=True)), 3)
