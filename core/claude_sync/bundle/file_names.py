"""What bundles and the directories of their projects are called in a store (FORMAT.md)."""

from __future__ import annotations

import hashlib

from claude_sync.names import normal_key

SUFFIX = ".ccsync"

_KEY_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789._-")
_LONGEST_KEY, _KEPT_OF_LONG_KEY = 120, 100


def encoded_key(project_key: str) -> str:
    """The name of a project's directory in the store (FORMAT.md, "Names"); safe on every system.

    Args:
        project_key: as `project_key` gives it.
    """
    key = normal_key(project_key).encode()
    name = "".join(
        chr(byte) if byte in _KEY_BYTES else "+" if byte in b":/" else f"%{byte:02X}"
        for byte in key
    )
    if name.endswith("."):
        name = name[:-1] + "%2E"
    if len(name) > _LONGEST_KEY:
        name = f"{name[:_KEPT_OF_LONG_KEY]}-{hashlib.sha256(key).hexdigest()[:16]}"
    return name


def is_encoded_key(folder: str) -> bool:
    """Whether a directory of a store bears a project's name, as `encoded_key` spells it."""
    return folder.startswith(("git+", "name+"))


def bundle_file_name(session_id: str, machine: str) -> str:
    """The name of a bundle in its project's directory (FORMAT.md, "Names").

    For writing only: a reader knows a bundle by its contents, since sync tools rename files.

    Args:
        session_id: whose bundle.
        machine: the writer's name.
    """
    return f"{session_id}-{machine}{SUFFIX}"
