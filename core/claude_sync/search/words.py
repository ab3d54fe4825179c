"""What was asked for, and where it stands in a text. Pure.

All words must occur, in whatever order; the last one may be the beginning of one. Words between
quotation marks must follow one another. Capitals and accents don't count. Whatever is asked for,
there is no mistake in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from claude_sync.values import NamedTuple

MOST_WORDS = 32
_MOST_CHARACTERS = 1000
_LEAST_BEGINNING = 2
"""A shorter beginning stands for itself: it would fit most words."""
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+")


class Asked(NamedTuple):
    """What was asked for.

    Attributes:
        words: those that must occur, as the index has them.
        beginning: the beginning of one more, "" for none.
        phrases: those words that must follow one another.
    """

    words: tuple[str, ...] = ()
    beginning: str = ""
    phrases: tuple[tuple[str, ...], ...] = ()

    @property
    def query(self) -> str:
        """The same for SQLite's FTS5; "" where nothing is asked for."""
        terms = [f'"{word}"' for word in dict.fromkeys(self.words)]
        if self.beginning:
            terms.append(f'"{self.beginning}" *')
        return " AND ".join(terms)


def read_asked(text: str, terms_of: Callable[[str], Sequence[str]]) -> Asked:
    """What a person typed.

    Args:
        text: what was typed.
        terms_of: the words of a text in their order, as the index has them.
    """
    parts = re.sub("[\ud800-\udfff\0]", " ", text[:_MOST_CHARACTERS]).split('"')
    words: list[str] = []
    phrases = []
    beginning = ""
    for number, part in enumerate(parts):
        found = list(terms_of(part))[: MOST_WORDS - len(words)]
        if number % 2:
            if len(found) > 1:
                phrases.append(tuple(found))
            words += found
            continue
        is_last = not any(one.strip() for one in parts[number + 1 :])
        if is_last and found and len(found[-1]) >= _LEAST_BEGINNING:
            beginning = found.pop()
        words += found
    return Asked(tuple(words), beginning, tuple(phrases))


def spans_of(asked: Asked, text: str) -> list[tuple[int, int]]:
    """Where what was asked for stands in a text, in order."""
    found = []
    for match in _WORD.finditer(text):
        word = folded(match.group())
        if word in asked.words or (asked.beginning and word.startswith(asked.beginning)):
            found.append(match.span())
    return found


def score(asked: Asked, text: str) -> int:
    """How much of what was asked for a text holds: how many of the words."""
    held = {folded(word) for word in _WORD.findall(text)}
    count = sum(word in held for word in set(asked.words))
    is_begun = any(word.startswith(asked.beginning) for word in held) if asked.beginning else False
    return count + is_begun


def holds_phrases(asked: Asked, text: str) -> bool:
    """Whether a text holds every phrase that was asked for."""
    if not asked.phrases:
        return True
    words = [folded(word) for word in _WORD.findall(text)]
    return all(_follow(phrase, words) for phrase in asked.phrases)


def _follow(phrase: Sequence[str], words: Sequence[str]) -> bool:
    length = len(phrase)
    starts = (at for at, word in enumerate(words) if word == phrase[0])
    return any(tuple(words[at : at + length]) == tuple(phrase) for at in starts)


def folded(word: str) -> str:
    """A word without capitals and accents, as the index has it."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFD", word)
    return "".join(one for one in plain if not unicodedata.combining(one)).lower()
