"""Steps over JSON that nobody asked for: whole tokens at a time, and nothing is built of them.

What is skipped is a stranger's: it may be nested as deep as it is long, or be a million values of
one byte each. So it has a stack of its own (the interpreter's is too short for an attacker), and
every token costs about as much as any other.
"""

from __future__ import annotations

import re

from claude_sync.bundle.codec import corrupt

MAX_DEPTH = 1 << 16
MAX_NUMBER_BYTES = 512

# White space and one token: structure, a string without escapes, a number or literal; or anything
# else: a string with escapes, what is no JSON, or what was cut by the buffer's end.
_TOKEN = re.compile(
    rb"""[ \t\n\r]*(?:
    ([][{},:])
    |("[^"\\\x00-\x1f]*")
    |((?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)(?![-+.0-9a-zA-Z]))
    |(.)|\Z)""",
    re.DOTALL | re.VERBOSE,
)
_STRUCTURE, _STRING, _SCALAR, _OTHER = 1, 2, 3, 4
# What a string holds besides plain characters. One expression for all of a string would keep a
# hundred bytes for each escape until it ends.
_IN_STRING = re.compile(rb'"|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|[\\\x00-\x1f]')
_LONGEST_ESCAPE = 6
_ANY_SCALAR = re.compile(rb"[-+.0-9a-zA-Z]+")

# What may come next.
_VALUE, _VALUE_OR_END, _NAME, _NAME_OR_END, _COLON, _AFTER = range(6)
_COMMA, _COLON_BYTE, _QUOTE, _BRACE, _CLOSING_BRACE, _BRACKET, _CLOSING_BRACKET = b',:"{}[]'


class JsonSkipper:
    """One value that is skipped.

    Attributes:
        finished: whether all of it was.
    """

    def __init__(self) -> None:
        self._closers = bytearray()
        self._expected = _VALUE
        self.finished = False

    def skip(self, buffer: bytes, start: int) -> int:
        """Skip as many whole tokens of the value as a buffer holds.

        Args:
            buffer: a part of the text.
            start: where the next token begins, or white space before it.

        Returns:
            where the first byte stands that wasn't skipped: a token that isn't whole begins there,
            or something follows that isn't the value's.

        Raises:
            BundleCorrupt: it isn't JSON, or is nested too deep.
        """
        end = self._skip(buffer, start)
        try:
            buffer[start:end].decode()
        except UnicodeDecodeError:
            raise corrupt("a string in the bundle is not JSON in UTF-8") from None
        return end

    def _skip(self, buffer: bytes, at: int) -> int:
        # One loop with everything at hand: it runs a million times for a MiB.
        closers, expected = self._closers, self._expected
        while True:
            token = _TOKEN.match(buffer, at)
            assert token is not None
            kind, end = token.lastindex, token.end()
            if kind is None:
                break  # nothing is left but white space
            if kind == _OTHER:
                end = _string_end(buffer, end - 1)
                kind = _STRING
            if end < 0 or (kind == _SCALAR and end == len(buffer)):
                break  # it goes on in the next one
            if kind == _STRUCTURE:
                expected = _after_structure(expected, buffer[end - 1], closers)
            elif expected <= _VALUE_OR_END:
                expected = _AFTER
            elif kind == _STRING and expected <= _NAME_OR_END:
                expected = _COLON
            else:
                raise _no_json()
            if kind == _SCALAR and end - token.start(_SCALAR) > MAX_NUMBER_BYTES:
                raise corrupt("a number in the bundle is longer than it may be")
            at = end
            if expected == _AFTER and not closers:
                self.finished = True
                break
        self._expected = expected
        return at


def _after_structure(expected: int, byte: int, closers: bytearray) -> int:
    """What may come after a bracket, brace, comma or colon."""
    if byte == _COMMA and expected == _AFTER:
        return _NAME if closers[-1] == _CLOSING_BRACE else _VALUE
    if byte == _COLON_BYTE and expected == _COLON:
        return _VALUE
    if byte in (_BRACE, _BRACKET) and expected <= _VALUE_OR_END:
        # The byte after the next in ASCII closes each.
        closers.append(byte + 2)
        if len(closers) > MAX_DEPTH:
            raise corrupt("the bundle is nested deeper than it may be")
        return _NAME_OR_END if byte == _BRACE else _VALUE_OR_END
    if closers and byte == closers[-1] and expected in (_AFTER, _VALUE_OR_END, _NAME_OR_END):
        closers.pop()
        return _AFTER
    raise _no_json()


def _string_end(buffer: bytes, start: int) -> int:
    """Where the string ends that begins there; -1 where the buffer's end cuts it, or a scalar.

    Raises:
        BundleCorrupt: it is no JSON.
    """
    if buffer[start] != _QUOTE:
        scalar = _ANY_SCALAR.match(buffer, start)
        if scalar is None or scalar.end() < len(buffer):
            raise _no_json()
        return -1
    for found in _IN_STRING.finditer(buffer, start + 1):
        if found[0] == b'"':
            return found.end()
        if len(found[0]) == 1:
            if found[0] == b"\\" and len(buffer) - found.start() < _LONGEST_ESCAPE:
                return -1
            raise _no_json()
    return -1


def _no_json() -> Exception:
    return corrupt("the bundle is not JSON of the expected shape")
