"""A second implementation of the .ccsync file, written from core/FORMAT.md alone.

It imports nothing of claude-sync, and does nothing in a clever way, so that it shows what the page
says rather than what claude-sync does.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

FRONT = ["schema", "session_id", "project_key", "subpath", "machine", "machine_id"]
BACK = [
    "sidecar_sha256",
    "size",
    "sha256",
    "mtime_ns",
    "revision",
    "pushed_at",
    "title",
    "open",
    "supersedes",
    "decision",
    "encoded_size",
]
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def characters(data: bytes) -> str:
    """Bytes in strings, step 1."""
    text, at = "", 0
    while at < len(data):
        for length in (1, 2, 3, 4):
            try:
                text += data[at : at + length].decode("utf-8", "strict")
                break
            except UnicodeDecodeError:
                continue
        else:
            text, length = text + chr(0xDC00 + data[at]), 1
        at += length
    return text


def string(text: str) -> bytes:
    """Bytes in strings, step 2."""
    written = ""
    for character in text:
        code = ord(character)
        if character in _SHORT:
            written += _SHORT[character]
        elif code < 0x20 or 0xD800 <= code <= 0xDFFF:
            written += f"\\u{code:04x}"
        else:
            written += character
    return b'"' + written.encode() + b'"'


def value(what: Any) -> bytes:
    """A small value as canonical form has it."""
    if isinstance(what, dict):
        return b"{" + b",".join(string(k) + b":" + value(v) for k, v in what.items()) + b"}"
    if isinstance(what, list):
        return b"[" + b",".join(map(value, what)) + b"]"
    return string(what) if isinstance(what, str) else json.dumps(what).encode()


def write_bundle(label: dict[str, Any], transcript: bytes, files: dict[str, bytes]) -> bytes:
    """A bundle; `label` holds the members that don't follow from the bytes."""
    hashes = {path: sha256(files[path]).hexdigest() for path in sorted(files)}
    lines = "".join(f"{path}\0{digest}\n" for path, digest in hashes.items())
    text = characters(transcript)
    members = label | {
        "schema": 1,
        "sidecar_sha256": sha256(lines.encode()).hexdigest(),
        "size": len(transcript),
        "sha256": sha256(transcript).hexdigest(),
        "encoded_size": len(string(text)) - 2,
    }
    front, back = ({name: members[name] for name in names} for names in (FRONT, BACK))
    sidecar = [
        {"path": path, "data": characters(files[path]), "size": len(files[path]), "sha256": digest}
        for path, digest in hashes.items()
    ]
    check = sha256(value({**front, "sidecar": [], **back})).hexdigest()
    return value({**front, "transcript": text, "sidecar": sidecar, **back, "check": check})


def read_bundle(data: bytes) -> tuple[dict[str, Any], bytes, dict[str, bytes]]:
    """All members of a bundle that proves true, its transcript and its sidecar files."""
    members = json.loads(data, object_pairs_hook=_members)
    if members["schema"] != 1:
        raise ValueError("another schema")
    transcript = _bytes(members["transcript"])
    files = {one["path"]: _bytes(one["data"]) for one in members["sidecar"]}
    canonical = write_bundle(members, transcript, files)
    again = json.loads(canonical)
    if any(members[name] != what for name, what in again.items()):
        raise ValueError("the bundle isn't what it says")
    if data != canonical and len(data) == len(canonical) and list(members) == list(again):
        raise ValueError("damaged on the way")
    return members, transcript, files


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a member is repeated")
    return dict(pairs)


def _bytes(text: str) -> bytes:
    return b"".join(
        bytes([ord(one) - 0xDC00]) if 0xDC80 <= ord(one) <= 0xDCFF else one.encode() for one in text
    )
