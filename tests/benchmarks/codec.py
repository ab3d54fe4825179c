"""How fast a bundle is packed and unpacked: ``python tests/benchmarks/codec.py [MiB]``.

Prints a table. Each figure is the best of three runs over the same made-up transcript, in memory,
so that no disk takes part; memory is the growth of the process's peak over a streamed gigabyte.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))

from claude_sync.bundle.codec import decode, encode
from claude_sync.bundle.head import HEAD_SIZE, TAIL_SIZE, read_head
from claude_sync.bundle.pack import Label, Packer
from claude_sync.bundle.unpack import read_whole
from claude_sync.disk.snapshot import BLOCK_SIZE

WORDS = [
    "the",
    "of",
    "def",
    "return",
    "import",
    "class",
    "self",
    "path",
    "error",
    "file",
    "session",
    "tool",
    "result",
    "content",
    "assistant",
    "user",
    "message",
    '"quoted"',
    "a\\b",
    "line\\n",
    "\\t",
    "data",
    "中文",
    "é",
    "value",
    "12345",
    "{}",
    "[]",
    "::",
    "->",
    "/home/me/code",
]
LABEL = Label(
    session_id="0f4c1d9e",
    project_key="git:github.com/you/app",
    subpath="",
    machine="laptop",
    machine_id="12345678-1234-5123-8123-123456789abc",
    revision=1,
    pushed_at="2026-11-22T10:00:00Z",
    mtime_ns=1763822400123456789,
)


def transcript(size: int) -> bytes:
    """Lines such as the client writes them: JSON, text within JSON, some of it not ASCII."""
    chance = random.Random(1)
    lines = []
    for _ in range(2000):
        text = " ".join(chance.choices(WORDS, k=chance.randint(20, 400))).replace(r"\n", "\n")
        event = {"type": "assistant", "uuid": f"{chance.getrandbits(128):032x}", "text": text}
        lines.append(json.dumps(event, ensure_ascii=False).encode() + b"\n")
    once = b"".join(lines)
    return (once * (size // len(once) + 1))[:size]


def blocks(data: bytes) -> list[bytes]:
    return [data[start : start + BLOCK_SIZE] for start in range(0, len(data), BLOCK_SIZE)]


def best(work: Callable[[], object]) -> float:
    figures = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        figures.append(time.perf_counter() - start)
    return min(figures)


def drain(items: Iterable[object]) -> None:
    for _ in items:
        pass


def packed(source: list[bytes]) -> bytes:
    return b"".join(piece.data for piece in Packer(LABEL, source).pieces())


def peak_megabytes() -> float:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def streamed_gigabyte() -> Iterator[bytes]:
    """A bundle of a gigabyte of transcript, made while it is read."""
    block = transcript(BLOCK_SIZE)
    packer = Packer(LABEL, (block for _ in range((1 << 30) // BLOCK_SIZE)))
    return (piece.data for piece in packer.pieces())


def main() -> None:
    if sys.platform != "win32":
        start = time.perf_counter()
        read_whole(streamed_gigabyte())
        seconds = time.perf_counter() - start
        print(f"{'1 GiB packed and unpacked, whole process':45} {peak_megabytes():8.1f} MB peak")
        print(f"{'':45} {seconds:8.2f} s")
    size = (int(sys.argv[1]) if len(sys.argv) > 1 else 50) << 20
    source = blocks(transcript(size))
    bundle = packed(source)
    inside = list(encode(source))
    pieces = blocks(bundle)
    escaped = blocks(json.dumps(json.loads(bundle), indent=1).encode())
    work: dict[str, Callable[[], object]] = {
        "SHA-256 alone": lambda: [hashlib.sha256(block) for block in source],
        "encode": lambda: drain(encode(source)),
        "decode": lambda: drain(decode(inside)),
        "pack (encode and hash)": lambda: drain(Packer(LABEL, source).pieces()),
        "unpack (decode, hash, check)": lambda: read_whole(pieces),
        "unpack, other spelling, all ASCII": lambda: read_whole(escaped),
        "1,000 heads from both ends": lambda: [
            read_head(bundle[:HEAD_SIZE], bundle[-TAIL_SIZE:], len(bundle)) for _ in range(1000)
        ],
    }
    for name, run in work.items():
        print(f"{f'{name}, {size >> 20} MiB':45} {best(run):8.3f} s")


if __name__ == "__main__":
    main()
