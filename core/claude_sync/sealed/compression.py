"""zstd, from Python's own library or its backport, with a bound on what comes out."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LEVEL = 1
# A frame that wants a greater window than a cut can need is none of ours.
_WINDOW_LOG_MAX = 24


class Compressor:
    """Compresses pieces, each into a frame of its own."""

    def __init__(self) -> None:
        self._zstd = zstd.ZstdCompressor(level=_LEVEL)

    def compress(self, data: bytes) -> bytes:
        """One frame."""
        frame: bytes = self._zstd.compress(data, mode=zstd.ZstdCompressor.FLUSH_FRAME)
        return frame


def decompress(data: bytes, most: int) -> bytes:
    """What one frame holds.

    Args:
        data: the frame, and nothing else.
        most: bytes that may come out of it.

    Raises:
        ValueError: it is no frame, not only one, or holds more.
    """
    frame = zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX}
    )
    try:
        plain: bytes = frame.decompress(data, max_length=most + 1)
    except zstd.ZstdError as error:
        raise ValueError("no zstd frame") from error
    if len(plain) > most or not frame.eof or frame.unused_data:
        raise ValueError("not one zstd frame of the expected size")
    return plain
