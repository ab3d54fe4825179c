"""Other people's text with its lines, but without what can't be seen or turns other text round."""

from __future__ import annotations

import re

# Control, format (bidi overrides among them) and surrogate characters, except tab and line feed and
# the joiners that emoji and Indic scripts are spelled with:
# https://www.unicode.org/reports/tr44/#General_Category_Values
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b"
    "\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f]"
)


def visible(text: str) -> str:
    """Text on as many lines as it has, without control, bidi and other unseen characters."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
