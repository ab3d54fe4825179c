"""Strangers' text made safe to show: titles, machine names, paths. Pure."""

from __future__ import annotations

TITLE_LENGTH = 60
"""How much of a title is shown in a sentence."""
ID_LENGTH = 8
"""How much of an id people are shown, and can type."""

_BLANKS = frozenset("\t\n\v\f\r\x85\u2028\u2029")
# Control characters, format characters (bidi overrides among them) and lone surrogates:
# https://www.unicode.org/reports/tr44/#General_Category_Values
_UNFIT = frozenset({"Cc", "Cf", "Cs"})
# Joiners are format characters too, but emoji and Indic scripts are spelled with them.
_JOINERS = frozenset("\u200c\u200d")


def one_line(text: str) -> str:
    """Text on one line: blanks of any kind become one space; control, bidi and such go."""
    return " ".join(without_controls(text).split())


def without_controls(text: str) -> str:
    """A path or a name as it is, except control, bidi and such characters, which are removed.

    Tabs and line ends become spaces. Unlike in `one_line`, spaces count here.
    """
    if text.isprintable():
        return text  # that excludes all of them, and is told a hundred times as fast
    import unicodedata

    return "".join(
        " " if character in _BLANKS else character
        for character in text
        if character in _BLANKS
        or character in _JOINERS
        or unicodedata.category(character) not in _UNFIT
    )


_MARK = "\u200e"


def left_to_right(text: str) -> str:
    """A line with a Hebrew or Arabic title in it, which still runs from left to right.

    Without the marks that this puts in, the first letter decides for the whole line, and a title
    draws what follows it to its other side: the dash, and the number after that
    (https://www.unicode.org/reports/tr9/#N1).
    """
    if text.isascii():
        return text
    import unicodedata

    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return _MARK + text.replace(" — ", f"{_MARK} — ")
    return text


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters of it, the last one an ellipsis if something was cut."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rstrip() + "…"


def titled_id(title: str, session_id: str, length: int = TITLE_LENGTH) -> str:
    """What a session is called where people read: its title and the beginning of its id.

    Args:
        title: other people's text, "" where it has none; then the beginning of its id stands alone.
        session_id: the session.
        length: of the title, characters at most.
    """
    shown = shortened(one_line(title), length)
    return f"“{shown}” ({session_id[:ID_LENGTH]})" if shown else session_id[:ID_LENGTH]


def short_key(key: str) -> str:
    """A project as people call it: its key without kind and host."""
    kind, _, rest = key.partition(":")
    return rest.partition("/")[2] if kind == "git" and "/" in rest else rest


_ID_IN_PARENTHESES = r"\(([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\)"


def with_short_ids(sentence: str) -> str:
    """An error's sentence as people read it: of the id that it is about, the beginning.

    The ids of a line to type, which stand in backticks, stay whole.
    """
    import re

    return re.sub(_ID_IN_PARENTHESES, r"(\1)", sentence)
