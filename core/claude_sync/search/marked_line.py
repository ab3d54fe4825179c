"""One line around what was looked for, with the words marked by their places. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from claude_sync.values import NamedTuple

_BEFORE = 50
_CHARACTERS = 160


class MarkedLine(NamedTuple):
    """A part of a text, on one line. Other people's: make it safe for where it is shown.

    Attributes:
        text: the part.
        marks: where what was looked for stands in it: beginnings and ends, in order.
    """

    text: str
    marks: tuple[tuple[int, int], ...] = ()

    def pieces(self) -> list[tuple[str, bool]]:
        """The text cut at its marks, each piece with whether it is marked."""
        found, at = [], 0
        for start, end in self.marks:
            found.append((self.text[at:start], False))
            found.append((self.text[start:end], True))
            at = end
        found.append((self.text[at:], False))
        return [piece for piece in found if piece[0]]


def marked_line(text: str, spans: Sequence[tuple[int, int]]) -> MarkedLine:
    """The part of a text around the first of some spans.

    Args:
        text: the text.
        spans: what to mark, where it begins and ends; in order.
    """
    first = spans[0][0] if spans else 0
    start = _word_start(text, max(0, first - _BEFORE), first)
    stop = min(len(text), start + _CHARACTERS)
    shown, marks, at = ("…" if start else ""), [], start
    for span in spans:
        begin, end = max(at, span[0]), min(span[1], stop)
        if begin < end:
            shown = _add(shown, text[at:begin])
            marks_from = len(shown)
            shown = _add(shown, text[begin:end])
            marks.append((marks_from, len(shown)))
            at = end
    shown = _add(shown, text[at:stop]).rstrip()
    return MarkedLine(shown + ("…" if stop < len(text) else ""), tuple(marks))


def _word_start(text: str, at: int, latest: int) -> int:
    """Where a word begins, at a place or soon after it."""
    if at == 0:
        return 0
    blank = re.search(r"\s", text[at:latest])
    return at + blank.end() if blank else at


def _add(line: str, text: str) -> str:
    """A line with more text, in which blanks of any kind are one space."""
    if not text:
        return line
    added = re.sub(r"\s+", " ", text)
    return line + (added.lstrip() if not line or line[-1] in " …" else added)
