"""Other people's text made fit to be shown."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from claude_sync_app.shown_text import left_to_right, one_line, shortened, with_short_ids


@given(st.text())
def test_one_line_is_one_line_without_anything_that_acts(text: str) -> None:
    line = one_line(text)
    assert one_line(line) == line
    assert not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in line
    )
    assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in line)
    line.encode()


def test_of_an_id_that_an_error_is_about_the_beginning_is_shown() -> None:
    whole = "3f2a91c4-7a1e-4a77-9d5e-000000000001"
    assert with_short_ids(f"it is gone ({whole}): see `claude-sync restore {whole}`") == (
        f"it is gone (3f2a91c4): see `claude-sync restore {whole}`"
    )
    assert with_short_ids(f"not there (/x/{whole}.jsonl)") == f"not there (/x/{whole}.jsonl)"


def test_words_accents_and_emoji_stay() -> None:
    for text in ("Fix é é — ok", "👩‍👩‍👧 👋🏽 ❤️ 🏳️‍🌈", "नमस्ते क्‍ष", "שלום", "日本語"):
        assert one_line(text) == text


@given(st.text(), st.integers(1, 20))
def test_shortened_is_never_longer(text: str, limit: int) -> None:
    assert len(shortened(text, limit)) <= limit
    if len(text) <= limit:
        assert shortened(text, limit) == text


def test_a_line_with_a_hebrew_title_still_runs_from_left_to_right() -> None:
    assert left_to_right("! שלום — app").startswith("\u200e")
    assert left_to_right("! Fix — app") == "! Fix — app"


def test_what_follows_a_hebrew_title_stays_behind_it() -> None:
    assert left_to_right("שלום — עולם — 1 hour ago") == (
        "\u200eשלום\u200e — עולם\u200e — 1 hour ago"
    )
