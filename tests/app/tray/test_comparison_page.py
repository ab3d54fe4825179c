"""The page that compares the sides of a conflict."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync.claude.message import Message
from claude_sync.model import Side
from claude_sync.sync.read_conflict import ConflictView, Excerpt, SideView
from claude_sync_app.tray.comparison_page import comparison_page
from tray_values import NOW, minutes_ago, version

HOSTILE = '</div></title><script>alert(1)</script><img src="http://x/"> \'"&amp;\x1b[0m\u202e\ud800'


def branch(
    machine: str = "laptop",
    *excerpts: Excerpt,
    machine_id: str = "",
    lines: int = 12,
    offered: bool = True,
    left_out: int = 0,
) -> SideView:
    side = Side(machine, machine_id, version("x" * 2_000), lines, minutes_ago(5), offered)
    return SideView(side, excerpts, left_out, turns=2)


def spoken(speaker: str, text: str, at: float | None = None, *events: tuple[str, int]) -> Excerpt:
    return Excerpt(Message(speaker, text, at), events)


def apart(
    *sides: SideView, title: str = "Fix the login bug", before: tuple[Excerpt, ...] = ()
) -> ConflictView:
    return ConflictView("0f4c1d9e-1111", title, "git:github.com/you/app", before, sides)


BOTH = (
    branch(
        "laptop",
        spoken("user", "Try the cookie.\n  It is <new>.", NOW - 600, ("tool-use", 3)),
        spoken("assistant", "It was the cookie."),
        left_out=31,
    ),
    branch("desktop", Excerpt(None, (("system", 1),)), machine_id="d", lines=1, offered=False),
)


class Reader(HTMLParser):
    """The page as a browser takes it: its tags, and what can be read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)

    @property
    def read(self) -> str:
        return re.sub(r"[ \n]+", " ", "".join(self.words))


def clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def test_a_person_reads_what_each_side_says_and_how_far_it_has_got() -> None:
    beginning = (spoken("user", "Where is the bug?", NOW - 6000),)
    reader = Reader(comparison_page(apart(*BOTH, before=beginning), NOW))
    assert reader.open == []
    read = reader.read
    for part in (
        "Fix the login bug",
        "app — diverged on laptop (this machine) and desktop. Times are those of this "
        f"machine's clock, {clock(NOW)}.",
        f"Before they diverged You {clock(NOW - 6000)}Where is the bug?",
        "laptop (this machine) 12 lines more since they diverged, last written "
        f"{clock(NOW - 300)} (5 minutes ago), 2.0 KB in all 31 messages before these",
        f"You {clock(NOW - 600)}Try the cookie. It is <new>. tool-use × 3 ClaudeIt was the cookie.",
        "desktop 1 line more since they diverged",
        "Another side holds all of it, so it can't be chosen. system",
        "claude-sync resolve 0f4c1d9e-1111",
    ):
        assert part in read


def test_what_was_pushed_from_here_is_told_from_what_is_left_here() -> None:
    lost = branch("laptop", machine_id="l")
    pushed = lost.side._replace(pushed_from_here=True)
    view = apart(branch("laptop"), replace(lost, side=pushed))
    read = Reader(comparison_page(view, NOW)).read
    assert "laptop (this machine) and laptop (pushed from this machine)" in read


def test_line_ends_and_indents_of_what_was_said_are_kept() -> None:
    assert "<div>Try the cookie.\n  It is &lt;new&gt;.</div>" in comparison_page(apart(*BOTH), NOW)


def test_a_side_where_nothing_was_said_says_so() -> None:
    assert (
        "There are no messages on this side."
        in Reader(comparison_page(apart(branch(), branch("d")), NOW)).read
    )


@pytest.mark.parametrize("count", [2, 3, 4])
def test_there_is_one_column_for_each_side(count: int) -> None:
    sides = [branch(f"m{n}", machine_id=f"{n}") for n in range(count)]
    text = comparison_page(apart(*sides), NOW)
    assert Reader(text).tags.count("h2") == count
    names = [f"m{n}" for n in range(count)]
    assert f"on {', '.join(names[:-1])} and {names[-1]}." in Reader(text).read


def hostile() -> ConflictView:
    return ConflictView(
        HOSTILE,
        HOSTILE,
        "git:h/" + HOSTILE,
        (spoken("user", HOSTILE), spoken(HOSTILE, HOSTILE)),
        (
            branch(HOSTILE, spoken("assistant", HOSTILE, 1e30, (HOSTILE, 2))),
            branch(HOSTILE, Excerpt(None, ((HOSTILE, 1),)), machine_id="d"),
        ),
    )


def test_nothing_in_it_becomes_part_of_the_page() -> None:
    text = comparison_page(hostile(), NOW)
    plain = Reader(comparison_page(apart(*BOTH), NOW))
    reader = Reader(text)
    assert set(reader.tags) <= {*plain.tags, "bdi"}
    assert {name for name, _ in reader.attributes} <= {name for name, _ in plain.attributes}
    assert "<script>alert(1)</script>" in reader.read
    assert "\x1b" not in text
    assert "\u202e" not in text
    text.encode()


def test_the_page_may_load_and_run_nothing() -> None:
    text = comparison_page(hostile(), NOW)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert policy is not None
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].replace("&#x27;", "'") == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    reader = Reader(text)
    assert not {"script", "img", "link", "iframe", "a", "form", "object"} & set(reader.tags)
    assert not [name for name, _ in reader.attributes if name in ("src", "href", "style")]
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_it_is_light_or_dark_as_the_system_is() -> None:
    text = comparison_page(apart(*BOTH), NOW)
    assert "color-scheme: light dark" in text
    assert "@media (prefers-color-scheme: dark)" in text


@given(st.text(), st.text(), st.text(), st.floats(allow_nan=False))
def test_whatever_was_said_the_page_can_be_written_and_read(
    title: str, text: str, word: str, at: float
) -> None:
    written = comparison_page(
        apart(branch("m", spoken("user", text, at, (word, 1))), branch(title), title=title), NOW
    )
    written.encode()
    assert Reader(written).open == []
