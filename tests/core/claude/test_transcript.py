"""What both ends of a transcript say: a title and where it was worked on. Nothing is believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claude_sync.claude.transcript import EDGE_BYTES, Summary, as_title, summarize


def line(**event: object) -> bytes:
    return json.dumps(event).encode() + b"\n"


def user(text: object) -> bytes:
    return line(type="user", message={"content": text})


def glanced(folder: Path, *lines: bytes) -> Summary:
    path = folder / "x.jsonl"
    path.write_bytes(b"".join(lines))
    with path.open("rb", buffering=0) as file:
        return summarize(file)


FILLING = line(type="progress", data="x" * 1000) * (3 * EDGE_BYTES // 1000)

TITLES = {
    "a title somebody gave goes first": (
        [
            user("hello"),
            line(type="custom-title", customTitle="Mine"),
            line(type="ai-title", aiTitle="Its"),
            line(type="summary", summary="Sum"),
            line(type="last-prompt", lastPrompt="last"),
        ],
        "Mine",
    ),
    "then the client's": (
        [line(type="ai-title", aiTitle="Its"), line(type="summary", summary="Sum")],
        "Its",
    ),
    "then a summary": (
        [line(type="summary", summary="Sum"), line(type="last-prompt", lastPrompt="last")],
        "Sum",
    ),
    "then what was asked last": (
        [user("hello"), line(type="last-prompt", lastPrompt="last")],
        "last",
    ),
    "then what was asked first": ([line(type="system"), user("hello"), user("more")], "hello"),
    "also in parts": ([user([{"type": "image"}, {"type": "text", "text": "hello"}])], "hello"),
    "the last of several": (
        [line(type="summary", summary="old"), line(type="summary", summary="new")],
        "new",
    ),
    "an empty one is none": (
        [line(type="summary", summary="Sum"), line(type="custom-title", customTitle=" \t")],
        "Sum",
    ),
    "one of another type is none": (
        [user("hello"), line(type="note", customTitle="no", of="custom-title")],
        "hello",
    ),
    "one that is no string is none": (
        [user("hello"), line(type="custom-title", customTitle=["no"])],
        "hello",
    ),
    "only the end is searched for titles": (
        [user("hello"), line(type="custom-title", customTitle="early"), FILLING],
        "hello",
    ),
    "a title at the end of a long one": (
        [user("hello"), FILLING, line(type="ai-title", aiTitle="late")],
        "late",
    ),
    "damaged lines are passed over": (
        [b'{"type":"custom-title"', b"\n", b"\xff\xfe\n", b"[" * 5000 + b"\n", user("hello")],
        "hello",
    ),
    "one line of it": ([user("two\nlines\tand\0\u202emore")], "two lines andmore"),
    "nothing at all": ([], ""),
}


@pytest.mark.parametrize(("lines", "title"), TITLES.values(), ids=TITLES.keys())
def test_the_title(tmp_path: Path, lines: list[bytes], title: str) -> None:
    assert glanced(tmp_path, *lines).title == title


def test_a_long_title_is_cut() -> None:
    assert as_title("x" * 300) == "x" * 300
    assert as_title("x" * 301) == "x" * 299 + "…"
    assert len(as_title("word " * 100_000)) == 300


DIRECTORIES = {
    "the first comes first": ([line(cwd="/a"), line(cwd="/b")], ("/a", "/b")),
    "once each": ([line(cwd="/a"), line(cwd="/a")], ("/a",)),
    "where it was moved to goes before": (
        [line(cwd="/a"), line(type="relocated", relocatedCwd="/moved"), line(cwd="/b")],
        ("/moved", "/a", "/b"),
    ),
    "from both ends": ([line(cwd="/a"), FILLING, line(cwd="/b")], ("/a", "/b")),
    "not from the middle": ([line(x=1), FILLING, line(cwd="/a"), FILLING], ()),
    "with escapes": ([line(cwd='/a "b" \u00e9\n')], ('/a "b" \u00e9\n',)),
    "bad escapes are none": ([b'{"cwd":"/\\x"}\n{"cwd":"/\xff"}\n'], ()),
}


@pytest.mark.parametrize(("lines", "found"), DIRECTORIES.values(), ids=DIRECTORIES.keys())
def test_the_directories(tmp_path: Path, lines: list[bytes], found: tuple[str, ...]) -> None:
    assert glanced(tmp_path, *lines).cwds == found


def test_what_the_client_wrote_itself_is_no_title_and_a_command_is_shown_as_typed(
    tmp_path: Path,
) -> None:
    meta = line(type="user", isMeta=True, message={"content": "Caveat: generated"})
    command = "<command-name>/clear</command-name>\n<command-message>clear</command-message>"
    assert glanced(tmp_path, meta, user(command), user("later")).title == "/clear"
    assert glanced(tmp_path, meta, user([{"type": "text", "text": command}])).title == "/clear"
    assert glanced(tmp_path, meta, user("Mend the roof")).title == "Mend the roof"
    assert glanced(tmp_path, meta).title == ""
