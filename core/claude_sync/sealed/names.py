"""What files and folders of an encrypted store are called (FORMAT.md, "Names").

A name tells nothing to whoever has no key, and to our machines which file it is.
"""

from __future__ import annotations

import base64
import json
import re

from claude_sync.names import normal_key, writers
from claude_sync.sealed.cuts import AFTER_FRONT
from claude_sync.sealed.keys import ID_BYTES, Master

_LENGTH = 26
_NAME = re.compile(r"[a-z2-7]{26}")


def sealed_folder(master: Master, project_key: str) -> str:
    """The folder of a project."""
    return _spelled(master.name_digest(normal_key(project_key).encode())[:ID_BYTES])


def sealed_file(master: Master, session_id: str, writer: str) -> str:
    """The file of a session and a writer, without its ending."""
    return _spelled(master.file_id(session_id, writer))


def is_sealed_folder(folder: str) -> bool:
    """Whether a folder may be a project's."""
    return _NAME.fullmatch(folder) is not None


def file_id_for(master: Master, name: str) -> bytes:
    """The id of the file that is written under a name; of a name that isn't ours, another one."""
    stem = name.rpartition("/")[2].partition(".")[0]
    if _NAME.fullmatch(stem):
        return base64.b32decode(stem.upper() + "======")[:ID_BYTES]
    return master.name_digest(b"\0" + name.encode("utf-8", "surrogatepass"))[:ID_BYTES]


def is_id_of(master: Master, file_id: bytes, front: bytes) -> bool:
    """Whether a file has the id that the session and the machine in its bundle's front give it.

    What is no bundle's front has none to compare with.
    """
    if not front.endswith(AFTER_FRONT):
        return True
    try:
        members = json.loads(front[: -len(AFTER_FRONT)] + b"}")
        session_id, machine = members["session_id"], members["machine"]
        labels = writers(session_id, machine, members["machine_id"])
        return file_id in [master.file_id(session_id, label) for label in labels]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return True


def _spelled(digest: bytes) -> str:
    return base64.b32encode(digest).decode().lower()[:_LENGTH]
