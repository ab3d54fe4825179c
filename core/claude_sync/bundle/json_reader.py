"""Reads JSON of unknown size from blocks, one token at a time, in bounded memory.

A bundle is one JSON object of a known shape, but a string in it may be a gigabyte long, an unknown
member anything at all, and all of it hostile. So this reader never builds a value that it wasn't
asked for, skips no more than MAX_SKIPPED_BYTES of what nobody asked for, and tells a file that ends
early from one that is no JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from claude_sync.bundle.codec import Decoder, corrupt, incomplete
from claude_sync.bundle.json_skipper import MAX_NUMBER_BYTES, JsonSkipper

Scalar = str | int | float | bool | None

MAX_SMALL_BYTES = 4096
"""Of a name, or a string that is read as a whole."""
MAX_MEMBERS = 1000
"""Of one object whose members are looked at."""
MAX_SKIPPED_BYTES = 1 << 20
"""Of all values together that are skipped, with their members' names."""
LEAST_SKIPPED_BYTES = 32
"""What each of those counts for at least: one of a single byte takes about as long."""
RESERVED_BYTES = 4 << 20
"""So many NUL bytes in a row are space that is kept for what is still to come."""

_SPACE = re.compile(rb"[ \t\n\r]*")
_LAST_SPACE = ord(" ")
_TOKEN = re.compile(rb"[-+.0-9a-zA-Z]*")
_PLAIN_STRING = re.compile(rb'"([ !#-\[\]-~]{0,%d})"' % MAX_SMALL_BYTES)
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LITERALS: dict[bytes, bool | None] = {b"true": True, b"false": False, b"null": None}
_OPENERS = b"{["
_QUOTE, _COMMA, _COLON = ord('"'), ord(","), ord(":")
# A string's first slice is small, for most are; each further one is this much bigger.
_FIRST_SLICE, _GROWTH, _BIGGEST_SLICE = 4096, 4, 1 << 20


class JsonReader:
    """A cursor in a stream of JSON text.

    Every method raises BundleCorrupt where the text isn't what the method reads, and
    BundleIncomplete where the stream ends before it.

    Args:
        blocks: the text in UTF-8, cut anywhere.

    Attributes:
        spaced: whether white space stood between the tokens so far.
        respelled: whether a string or number so far isn't written as `codec.encode` and Python
            write it.
        excess: by how many bytes those are longer than that.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._buffer = b""
        self._at = 0
        self._before = 0
        self._member_start = 0
        self._skipped = 0
        self.spaced = False
        self.respelled = False
        self.excess = 0

    @property
    def position(self) -> int:
        """How many bytes were read so far."""
        return self._before + self._at

    # --- bytes ---------------------------------------------------------------------------------

    def _more(self) -> bool:
        """Put the next block in the buffer's place; the buffer must be used up."""
        self._before += len(self._buffer)
        self._buffer, self._at = b"", 0
        for block in self._blocks:
            if block:
                self._buffer = block
                return True
        return False

    def _take(self, size: int) -> bytes:
        """The next bytes, at least one and at most `size`."""
        if self._at == len(self._buffer) and not self._more():
            raise incomplete()
        data = self._buffer[self._at : self._at + size]
        self._at += len(data)
        return data

    def _skip_space(self) -> bool:
        """Skip white space; whether anything comes after it."""
        while True:
            found = _SPACE.match(self._buffer, self._at)
            assert found is not None
            if found.end() > self._at:
                self.spaced = True
                self._at = found.end()
            if self._at < len(self._buffer):
                return True
            if not self._more():
                return False

    def peek(self) -> int:
        """The byte that the next token begins with."""
        if self._at < len(self._buffer) and (byte := self._buffer[self._at]) > _LAST_SPACE:
            return byte
        if not self._skip_space():
            raise incomplete()
        return self._buffer[self._at]

    def expect(self, byte: int) -> None:
        """Read a token of one byte."""
        if self.peek() != byte:
            raise corrupt("the bundle is not JSON of the expected shape")
        self._at += 1

    def finish(self) -> None:
        """Nothing but white space may be left."""
        if self._skip_space():
            raise corrupt("something follows the bundle's end")

    def is_reserved_from_here(self) -> bool:
        """Whether the block that was read last ends in NUL bytes, and only such follow.

        JSON holds no NUL byte; a mirroring tool that reserves a file's space leaves many. A few MiB
        of them tell.
        """
        seen = 0
        for block in self._blocks if self._buffer.endswith(b"\0") else ():
            if block.strip(b"\0"):
                return False
            seen += len(block)
            if seen >= RESERVED_BYTES:
                break
        return self._buffer.endswith(b"\0")

    # --- values --------------------------------------------------------------------------------

    def string_blocks(self, decoder: Decoder) -> Iterator[bytes]:
        """The bytes of the string that comes next, as they are read; `decoder` has the counts."""
        self.expect(_QUOTE)
        size = _FIRST_SLICE
        end = self._buffer.find(_QUOTE, self._at, self._at + size)
        if end > self._at and self._buffer.find(b"\\", self._at, end) < 0:
            # It may be one of many: what follows isn't to be decoded with each of them.
            yield decoder.feed_last(self._take(end - self._at))
            self._at += 1
        while decoder.rest is None:
            if decoded := decoder.feed(self._take(size)):
                yield decoded
            size = min(size * _GROWTH, _BIGGEST_SLICE)
        self._at -= len(decoder.rest)
        self.excess += decoder.encoded_size - decoder.canonical_size
        self.respelled = self.respelled or not decoder.canonical

    def string(self) -> str:
        """The string that comes next, if it is small and valid Unicode."""
        self.peek()
        if plain := _PLAIN_STRING.match(self._buffer, self._at):
            self._at = plain.end()
            return plain[1].decode("ascii")
        pieces: list[bytes] = []
        decoder = Decoder()
        for piece in self.string_blocks(decoder):
            pieces.append(piece)
            if decoder.encoded_size > MAX_SMALL_BYTES:
                raise corrupt("a string in the bundle is longer than it may be")
        try:
            return b"".join(pieces).decode()
        except UnicodeDecodeError:
            raise corrupt("a string in the bundle is not valid Unicode") from None

    def scalar(self) -> Scalar:
        """The value that comes next: a string, number, truth value or null."""
        if self.peek() == _QUOTE:
            return self.string()
        token = self._token()
        if token in _LITERALS:
            return _LITERALS[token]
        number = _NUMBER.fullmatch(token)
        if number is None:
            raise corrupt("the bundle is not JSON of the expected shape")
        if number[1] or number[2]:
            return float(token)
        whole = int(token)
        written = b"%d" % whole
        self.excess += len(token) - len(written)
        self.respelled = self.respelled or token != written
        return whole

    def _token(self) -> bytes:
        token = b""
        while True:
            if self._at == len(self._buffer) and not self._more():
                raise incomplete()
            found = _TOKEN.match(self._buffer, self._at)
            assert found is not None
            self._at = found.end()
            token += found[0]
            if len(token) > MAX_NUMBER_BYTES:
                raise corrupt("a number in the bundle is longer than it may be")
            if self._at < len(self._buffer):
                return token

    def is_container(self) -> bool:
        """Whether an object or an array comes next."""
        return self.peek() in _OPENERS

    def is_string(self) -> bool:
        """Whether a string comes next."""
        return self.peek() == _QUOTE

    def is_array(self) -> bool:
        """Whether an array comes next."""
        return self.peek() == ord("[")

    def elements(self) -> Iterator[None]:
        """Once for each element of the array that comes next; the caller reads each element."""
        self.expect(ord("["))
        if self.peek() != ord("]"):
            yield None
            while self.peek() == _COMMA:
                self._at += 1
                yield None
        self.expect(ord("]"))

    def members(self) -> Iterator[str]:
        """The names of the object that comes next; the caller reads the value after each.

        A name that comes twice is refused: readers would disagree on which of the two counts.
        """
        seen: set[str] = set()
        self.expect(ord("{"))
        if self.peek() != ord("}"):
            yield self._name(seen)
            while self.peek() == _COMMA:
                self._at += 1
                yield self._name(seen)
        self.expect(ord("}"))

    def _name(self, seen: set[str]) -> str:
        self.peek()
        self._member_start = self.position
        name = self.string()
        if name in seen:
            raise corrupt("a member of the bundle is repeated")
        if len(seen) == MAX_MEMBERS:
            raise corrupt("the bundle has more members than it may have")
        seen.add(name)
        self.expect(_COLON)
        return name

    # --- what nobody asked for -----------------------------------------------------------------

    def skip(self) -> None:
        """Skip any value, unless that makes too much of what was skipped."""
        start, skipper = self._member_start, JsonSkipper()
        while not skipper.finished:
            self._at = skipper.skip(self._buffer, self._at)
            left = 0 if skipper.finished else len(self._buffer) - self._at
            if self._skipped + self.position + left - start > MAX_SKIPPED_BYTES:
                raise corrupt("the bundle holds more than it may of what isn't known")
            if not skipper.finished:
                self._grow()
        self._skipped += max(LEAST_SKIPPED_BYTES, self.position - start)
        self._member_start = self.position

    def _grow(self) -> None:
        """Put more into the buffer, behind a token that isn't whole.

        As much again at least: however small the blocks are, no byte is looked at often.
        """
        rest = self._buffer[self._at :]
        self._before += self._at
        pieces, wanted = [rest], max(1, len(rest))
        for block in self._blocks:
            pieces.append(block)
            wanted -= len(block)
            if wanted <= 0:
                break
        self._buffer, self._at = b"".join(pieces), 0
        if len(self._buffer) == len(rest):
            raise incomplete()
