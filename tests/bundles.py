"""Bundles for tests: good ones, and ones that a hostile hand made with every hash right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from claude_sync.bundle.members import BACK, FRONT, MEMBERS, SIDECAR_MEMBERS, check_of
from claude_sync.bundle.pack import Label, Packed, Packer

MACHINE_ID = "12345678-1234-5123-8123-123456789abc"


class _Absent:
    """Says the same of itself in every process, so that tests are called the same in each."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()
"""Given for a member: leave it out."""
_PLAIN = (",", ":")

TRANSCRIPTS = {
    "empty": b"",
    "one line": b'{"type":"user","uuid":"1","text":"say \\"hi\\"\\n"}\n',
    "cut last line": b'{"a":1}\n{"a":',
    "no final newline": b'{"a":1}\n{"a":2}',
    "NUL runs": b'{"a":1}\n' + bytes(5000) + b"\n",
    "two records on one line": b'{"a":1}{"a":2}\n',
    "CRLF": b'{"a":1}\r\n{"a":2}\r\n',
    "BOM": b'\xef\xbb\xbf{"a":1}\n',
    "lone surrogate escapes": b'{"a":"\\ud800 \\udc80 \\udfff"}\n',
    "invalid UTF-8": b'{"a":"\xff\xfe\x80\xc3"}\n\xf5',
    "overlong UTF-8": b"\xc0\x80 \xe0\x80\x80 \xf0\x80\x80\x80",
    "surrogates in UTF-8": b"\xed\xa0\x80\xed\xb2\x80",
    "cut characters": b"\xe4\xb8\xad \xe4\xb8 \xf0\x9f\x98\x80 \xf0\x9f\x98",
    "a character cut at the end": b"abc\xf0\x9f\x98",
    "control characters": bytes(range(32)) + b"\x7f\xc2\x80\xc2\x85",
    "backslashes": b"\\" * 4097 + b'"' + b"\\u0041\\n\\/" + b"\\" * 3,
    "what looks like a bundle's end": b'","sidecar":[],"sidecar_sha256":"","check":""}',
    "separators": "\u2028\u2029\ufeff\ufffe\uffff\U0010ffff".encode(),
    "not JSON at all": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)),
}


def label(**changes: Any) -> Label:
    """What to say of a session."""
    members: dict[str, Any] = {
        "session_id": "0f4c1d9e-1111-4222-8333-444455556666",
        "project_key": "git:github.com/you/app",
        "subpath": "",
        "machine": "laptop",
        "machine_id": MACHINE_ID,
        "revision": 3,
        "pushed_at": "2026-11-22T10:00:00Z",
        "mtime_ns": 1763822400123456789,
        "title": "Mend the roof",
    }
    return Label(**{**members, **changes})


def packed(
    transcript: bytes = b"", sidecar: dict[str, bytes] | None = None, **changes: Any
) -> tuple[bytes, Packed]:
    """A bundle's bytes, and what its packer said of them."""
    sources = [(path, lambda data=data: [data]) for path, data in (sidecar or {}).items()]
    packer = Packer(label(**changes), [transcript], sources)
    data = b"".join(piece.data for piece in packer.pieces())
    return data, packer.packed


def crafted(base: bytes | None = None, **changes: Any) -> bytes:
    """A canonical bundle with members changed, and its ``check`` made to fit them."""
    values = json.loads(base or packed(b"x")[0]) | changes
    values = {name: value for name, value in values.items() if value is not ABSENT}
    if "check" not in changes and values.keys() >= {*FRONT, *BACK}:
        values["check"] = check_of(values)
    order = [name for name in MEMBERS if name in values]
    order += sorted(values.keys() - set(order))
    text = json.dumps({name: values[name] for name in order}, ensure_ascii=False, separators=_PLAIN)
    return text.encode("utf-8", "backslashreplace")


def sidecar_entry(path: str, data: bytes = b"") -> dict[str, object]:
    """An element of ``sidecar`` with any path at all."""
    made = json.loads(packed(b"", {"a": data})[0])["sidecar"][0]
    made["path"] = path
    return {name: made[name] for name in SIDECAR_MEMBERS}


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """The bytes in blocks of one size."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
