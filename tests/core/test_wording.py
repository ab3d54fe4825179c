"""The one voice: how ages, sizes, counts, lists and paths are shown."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from claude_sync.errors import StoreOffline
from claude_sync.wording import (
    ago,
    capitalized,
    count,
    duration,
    join,
    rfc3339,
    sentence,
    short_path,
    size,
    what_happened,
)

NOW = 1_800_000_000 * 10**9


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3_599, "59 minutes ago"),
        (3_600, "1 hour ago"),
        (86_399, "23 hours ago"),
        (86_400, "1 day ago"),
        (14 * 86_400 - 1, "13 days ago"),
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
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.0 KB"),
        (9_949, "9.9 KB"),
        (9_950, "10 KB"),
        (999_499, "999 KB"),
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
    assert count(1_234, "bundle") == "1,234 bundles"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 minutes"),
        (89, "1 minute"),
        (7_199, "120 minutes"),
        (7_200, "2 hours"),
        (2 * 86_400 - 1, "48 hours"),
        (2 * 86_400, "2 days"),
        (400 * 86_400, "400 days"),
    ],
)
def test_how_long(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_words_in_a_sentence() -> None:
    assert [join(list("abcdefg")[:number]) for number in (1, 2, 3, 5)] == [
        "a",
        "a and b",
        "a, b and c",
        "a, b, c, d and e",
    ]
    assert join(list("abcdefg")) == "a, b, c, d and 3 more"
    assert join(list("abcdefg"), 3) == "a, b and 5 more"
    assert join([str(number) for number in range(2_000)], 2) == "0 and 1,999 more"


def test_the_home_directory_is_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert short_path(tmp_path) == "~"
    assert short_path(tmp_path / "a b") == os.path.join("~", "a b")
    assert short_path(f"{tmp_path}x") == f"{tmp_path}x"
    assert short_path("nas:sessions") == "nas:sessions"


def test_sentences() -> None:
    assert (sentence("it rains"), sentence("It rains.")) == ("It rains.", "It rains.")
    assert (capitalized("it rains"), capitalized("It rains.")) == ("It rains", "It rains")
    error = StoreOffline("the folder isn't there", where="/mnt/x", todo="mount it")
    assert what_happened(error) == "The folder isn't there (/mnt/x)."
    assert what_happened(StoreOffline("it rains")) == "It rains."


def test_a_moment_for_programs() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00Z"
    assert rfc3339((1 << 63) - 1) == "2262-04-11T23:47:16Z"
