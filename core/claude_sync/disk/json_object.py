"""Small files of ours that hold one JSON object and that people may edit."""

from __future__ import annotations

import json
import os
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

from claude_sync.disk.files import make_private, replace
from claude_sync.disk.snapshot import read_small

_LIMIT = 1 << 20


class NoObject(ValueError):
    """The file holds something else. ``str()`` is a clause: "isn't valid JSON"."""


def read_object(path: Path) -> dict[str, Any]:
    """The object in a file. A link is followed: people keep their configuration elsewhere.

    Raises:
        NoObject: it holds no JSON object, or more than 1 MiB.
        OSError: it can't be read.
    """
    data = read_small(Path(os.path.realpath(path)), _LIMIT)
    try:
        document = json.loads(data.removeprefix(BOM_UTF8).decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NoObject("isn't valid JSON") from None
    if not isinstance(document, dict):
        raise NoObject("isn't a JSON object")
    return document


def write_object(path: Path, document: dict[str, Any], *, new: bool = False) -> None:
    """Write an object atomically, in a form that people can edit; a link stays a link.

    Args:
        path: the file.
        document: what is to stand in it.
        new: whether there was no file: one that is there all the same isn't written over.

    Raises:
        OSError: it can't be written.
    """
    path = Path(os.path.realpath(path))
    try:
        data = json.dumps(document, indent=2, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a path with bytes that are no Unicode
        data = json.dumps(document, indent=2).encode()
    make_private(path.parent)
    replace(path, data + b"\n", new=new)


def _refuse(_: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError
