"""Whether what nobody without the key may read stands in an encrypted store all the same."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from pathlib import Path

# What looks the same in any JSON. Fewer bytes may stand among random ones by chance.
_PIECE = re.compile(rb'[^"\\\x00-\x1f\x7f-\xff]{6,}')
_LEAST_BYTES = 6


def told(folder: Path, secrets: Iterable[bytes]) -> list[bytes]:
    """Pieces of the secrets that stand in a folder, in any file's bytes or name."""
    paths = list(folder.rglob("*"))
    names = "\n".join(path.relative_to(folder).as_posix() for path in paths).encode()
    everything = b"\n".join([names, *(path.read_bytes() for path in paths if path.is_file())])
    pieces = {piece for secret in secrets for piece in _PIECE.findall(secret)}
    return sorted(piece for piece in pieces if any(one in everything for one in _spellings(piece)))


def _spellings(words: bytes) -> list[bytes]:
    """Words as they are, in hex, and in base64 whatever stands before them."""
    found = [words, words.hex().encode(), words.hex().upper().encode()]
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + words)
        # Of base64 what stands inside depends on the words alone.
        found.append(whole[4 if shift else 0 : -4])
    return [one for one in found if len(one) >= _LEAST_BYTES]
