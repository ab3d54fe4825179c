"""Bytes to the inside of a JSON string, and back (FORMAT.md, "Bytes in strings").

The encoding is UTF-8 in which only ``"``, ``\\`` and U+0000–001F are escaped; a byte that isn't
valid UTF-8 is written as the escape of the lone surrogate U+DC80–DCFF that Python's
``surrogateescape`` gives it (PEP 383). So the encoding of a prefix is a prefix of the encoding, up
to the last whole character, however the bytes are cut into blocks.

Everything here works on blocks of up to 1 MiB with the few operations that run at C's speed: an
encoder in three replacements, and a decoder that lets Python's own ``escape_decode`` (or, where
control characters are escaped, ``unicode_escape``) do the work and believes it only where encoding
the outcome gives back the very bytes that were read. What that doesn't settle (other JSON writers'
escapes, invalid bytes) takes the slow path.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring

from claude_sync.errors import BundleCorrupt, BundleIncomplete, BundleReserved

MAX_UNSETTLED = 18
"""How many of an encoding's last bytes can change when the transcript grows.

A character that is cut off is written as up to three escapes of six bytes each; once its last
byte is there, it is written as itself."""

BIGGEST_ESCAPE = 6
"""The most bytes that one byte becomes."""

_BLOCK_SIZE = 1 << 20
_PLAIN = bytes(byte for byte in range(256) if byte >= 0x20 or byte == 0x0A)
_CONTROL_ESCAPES = {
    byte: encode_basestring(chr(byte))[1:-1].encode() for byte in range(0x20) if byte != 0x0A
}
# The beginning of an escape, or of a pair of surrogates, that the block's end may have cut.
_CUT_ESCAPE = re.compile(
    rb"\\(?:u[0-9a-fA-F]{0,3})?\Z|\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z"
)
_LONGEST_CUT = 11
# What follows a transcript's closing quote in a bundle of ours, mostly near the file's end. Knowing
# it spares an attempt to read past that quote; nothing depends on it.
_USUAL_END = b'","sidecar":['
_USUAL_REST = 1 << 14


def corrupt(what: str) -> BundleCorrupt:
    """The error for a bundle that waiting won't repair."""
    return BundleCorrupt(what, todo="push that session again on the machine that made it")


def incomplete() -> BundleIncomplete:
    """The error for a bundle that ends early."""
    return BundleIncomplete(
        "the bundle ends early", todo="most likely it is still arriving; it is tried again later"
    )


def reserved() -> BundleReserved:
    """The error for a bundle that has its size, and not all of its bytes."""
    return BundleReserved(
        "a part of the bundle isn't there yet",
        todo="most likely it is still arriving; it is looked at again when it has changed",
    )


def encode(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The inside of the JSON string that stands for the bytes of all blocks together."""
    return map(_encoded, _whole_characters(blocks))


def encoded_size(blocks: Iterable[bytes]) -> int:
    """How many bytes `encode` makes of these; counted, in a third of the time that making takes."""
    return sum(map(_encoded_size, _whole_characters(blocks)))


def settled_size(size: int) -> int:
    """How many bytes of an encoding `size` bytes long stay when the transcript grows."""
    return max(0, size - MAX_UNSETTLED)


def decode(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes that the inside of a JSON string stands for: the inverse of `encode`.

    Every valid JSON spelling is read (``\\u0041``, ``\\/``, pairs of surrogates), not just ours.

    Raises:
        BundleCorrupt: the blocks aren't the inside of a JSON string, or hold a lone surrogate
            that stands for no byte.
        BundleIncomplete: they end within an escape or a character.
    """
    decoder = Decoder()
    for block in _sliced(blocks):
        if decoded := decoder.feed(block):
            yield decoded
        if decoder.rest is not None:
            raise corrupt("a string in the bundle ends too early")
    if decoded := decoder.finish():
        yield decoded


class Decoder:
    """Reads one JSON string from after its opening quote, to its closing quote.

    Args:
        surrogates: the error handler that turns lone surrogates into bytes; "surrogatepass"
            where the outcome doesn't matter.

    Attributes:
        rest: None, or once the closing quote was found what of the last block came after it.
        encoded_size: bytes of the string as it was read, without quotes.
        canonical_size: bytes of the same string as `encode` writes it.
        canonical: whether it was read exactly as `encode` writes it.
    """

    def __init__(self, *, surrogates: str = "surrogateescape") -> None:
        self._surrogates = surrogates
        self._held = b""
        self.rest: bytes | None = None
        self.encoded_size = 0
        self.canonical_size = 0
        self.canonical = True

    def feed(self, block: bytes) -> bytes:
        """What the next bytes of the string stand for; some may be held back until they are whole.

        Raises:
            BundleCorrupt: they can't be the inside of a JSON string.
        """
        data = self._held + block
        self._held = b""
        end = data.find(_USUAL_END, max(0, len(data) - _USUAL_REST))
        if end >= 0 and (decoded := _decoded_canonical(data[:end])) is not None:
            # What was read before it holds no bare quote, so this is the first one.
            self.rest = data[end + 1 :]
            return self._count(end, decoded, end)
        whole = len(data) - _unfinished(data)
        whole -= _cut_escape(data, whole)
        decoded = _decoded_canonical(data[:whole])
        if decoded is not None:
            self._held = data[whole:]
            return self._count(whole, decoded, whole)
        quote = _closing_quote(data)
        if quote < 0:
            self._held = data[whole:]
            return self._decode_slowly(data[:whole])
        self.rest = data[quote + 1 :]
        return self._decode_last(data[:quote])

    def feed_last(self, data: bytes) -> bytes:
        """What the last bytes of the string, up to its closing quote, stand for.

        Raises:
            BundleCorrupt: they can't be the inside of a JSON string.
        """
        self.rest = b""
        held, self._held = self._held, b""
        return self._decode_last(held + data)

    def finish(self) -> bytes:
        """What was held back, where the string ends without a closing quote.

        Raises:
            BundleIncomplete: it isn't whole.
        """
        held, self._held = self._held, b""
        if _unfinished(held) or _cut_escape(held, len(held)):
            raise incomplete()
        return self._decode_last(held)

    def _decode_last(self, data: bytes) -> bytes:
        decoded = _decoded_canonical(data)
        if decoded is not None:
            return self._count(len(data), decoded, len(data))
        return self._decode_slowly(data, last=True)

    def _decode_slowly(self, data: bytes, *, last: bool = False) -> bytes:
        """Any valid JSON spelling, by the JSON module."""
        try:
            text = json.loads(f'"{data.decode()}"')
            decoded: bytes = text.encode("utf-8", self._surrogates)
        except ValueError:
            raise corrupt("a string in the bundle is not JSON in UTF-8") from None
        if not last and (unfinished := _unfinished(decoded)):
            # Escapes of single bytes that the next ones may complete to a character: only
            # together do they tell how `encode` writes them.
            cut = len(data) - BIGGEST_ESCAPE * unfinished
            self._held = data[cut:] + self._held
            data, decoded = data[:cut], decoded[:-unfinished]
        canonical = _encoded(decoded)
        self.canonical = self.canonical and canonical == data
        return self._count(len(data), decoded, len(canonical))

    def _count(self, read: int, decoded: bytes, canonical: int) -> bytes:
        self.encoded_size += read
        self.canonical_size += canonical
        return decoded


def _sliced(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, none of them big: a caller's one huge block must not double its memory."""
    for block in blocks:
        if len(block) <= _BLOCK_SIZE:
            yield block
        else:
            for start in range(0, len(block), _BLOCK_SIZE):
                yield block[start : start + _BLOCK_SIZE]


def _whole_characters(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, cut anew so that each ends with a whole character, or with the last block."""
    held = b""
    for block in _sliced(blocks):
        data = held + block
        whole = len(data) - _unfinished(data)
        held = data[whole:]
        if whole:
            yield data[:whole]
    if held:
        yield held


def _unfinished(data: bytes) -> int:
    """How many bytes at the end may be the beginning of a character that goes on."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            return 0
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if byte <= 0xF4 and back < length else 0
    return 0


def _is_valid(data: bytes) -> bool:
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
    return True


def _encoded_size(data: bytes) -> int:
    if not _is_valid(data):
        return len(_encoded(data))
    doubled = data.count(b"\\") + data.count(b'"') + data.count(b"\n")
    controls = data.translate(None, _PLAIN)
    return len(data) + doubled + sum(len(_CONTROL_ESCAPES[byte]) - 1 for byte in controls)


def _encoded(data: bytes) -> bytes:
    """The encoding of bytes that end with a whole character, or that nothing follows."""
    if not _is_valid(data):
        text = encode_basestring(data.decode("utf-8", "surrogateescape"))
        return text[1:-1].encode("utf-8", "backslashreplace")
    controls = data.translate(None, _PLAIN)
    data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    for control in set(controls):
        data = data.replace(bytes((control,)), _CONTROL_ESCAPES[control])
    return data


def _decoded_canonical(data: bytes) -> bytes | None:
    """What these bytes stand for if they are exactly as `encode` writes it, and quickly known."""
    for decode_escapes in (_escape_decode, _unicode_escape_decode):
        try:
            decoded = decode_escapes(data)
        except (ValueError, Warning):
            # A warning is an error where the interpreter was told so: an escape it doesn't know.
            continue
        if _encoded(decoded) == data:
            return decoded
    return None


def _escape_decode(data: bytes) -> bytes:
    """Escapes as in a bytes literal: at half the cost of the other, but ``\\u`` is none of them."""
    decoded, _ = codecs.escape_decode(data)
    return decoded


def _unicode_escape_decode(data: bytes) -> bytes:
    return data.decode("unicode_escape").encode("latin-1")


def _closing_quote(data: bytes) -> int:
    """Where the first quote stands that no backslash escapes, -1 where there is none."""
    return data.replace(rb"\\", b"..").replace(rb"\"", b"..").find(b'"')


def _cut_escape(data: bytes, end: int) -> int:
    """How many bytes before `end` are an escape, or half a pair of surrogates, that goes on."""
    start = max(0, end - _LONGEST_CUT)
    while found := _CUT_ESCAPE.search(data, start, end):
        before = data[: found.start()]
        if (len(before) - len(before.rstrip(b"\\"))) % 2 == 0:
            return end - found.start()
        start = found.start() + 1
    return 0
