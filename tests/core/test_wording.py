"""How long ago and how much, in few words."""

from __future__ import annotations

import time

import pytest

from claude_sync.wording import ago, count, rfc3339, size

NOW = 1_800_000_000 * 10**9


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (3_600, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "1 d ago"),
        (14 * 86_400 - 1, "13 d ago"),
    ],
)
def test_how_long_ago(seconds: int, words: str) -> None:
    assert ago(NOW - seconds * 10**9, NOW) == words


def test_long_ago_is_a_date() -> None:
    then = NOW - 14 * 86_400 * 10**9
    assert ago(then, NOW) == time.strftime("%Y-%m-%d", time.localtime(then // 10**9))
    assert ago(0, (1 << 63) - 1)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (3_140_000, "3.1 MB"),
        (2 * 10**9, "2.0 GB"),
        (5 * 10**12, "5.0 TB"),
    ],
)
def test_how_much(number: int, words: str) -> None:
    assert size(number) == words


def test_a_number_and_its_noun() -> None:
    assert (count(1, "session"), count(0, "session")) == ("1 session", "0 sessions")
    assert count(2, "copy", "copies") == "2 copies"


def test_a_moment_for_programs() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00Z"
    assert rfc3339((1 << 63) - 1) == "2262-04-11T23:47:16Z"
