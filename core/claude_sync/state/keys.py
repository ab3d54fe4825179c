"""The master keys of encrypted stores, as this machine keeps them: one file a store, mode 0600.

They lie beside transcripts that are plain text on the same disk. What a person keeps, the store
key, isn't kept here.
"""

from __future__ import annotations

import base64
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claude_sync.disk.refusals import refusal
from claude_sync.errors import RecordsError, StoreLocked
from claude_sync.state.paths import Paths

if TYPE_CHECKING:
    from claude_sync.sealed.keys import Master

SCHEMA = 1


def key_file(paths: Paths, store_id: str) -> Path:
    """Where the key of a store lies, if there is one."""
    return paths.keys_directory / f"{store_id}.json"


def load_master(paths: Paths, store_id: str) -> Master | None:
    """The master key of a store, None where this machine has none.

    Raises:
        StoreLocked: there is one, and it can't be read or used.
    """
    path = key_file(paths, store_id)
    if not os.path.lexists(path):
        return None
    from claude_sync.disk.json_object import NoObject, read_object

    try:
        document = read_object(path)
        _refuse_newer(path, document)
        return _master(document, store_id)
    except OSError as error:
        raise _unusable(path, f"can't be read ({error.strerror})", "make it readable") from error
    except (NoObject, ValueError, TypeError, KeyError) as error:
        todo = "run `claude-sync init` with the shared folder and --encrypt, and give its key"
        raise _unusable(path, "is damaged, or another store's", todo) from error


def keep_master(paths: Paths, store_id: str, master: Master) -> None:
    """Keep the master key of a store.

    Raises:
        RecordsError: it can't be written.
        StoreLocked: a newer claude-sync keeps one there, and maybe more than the key.
    """
    from claude_sync.disk.json_object import NoObject, read_object, write_object

    path = key_file(paths, store_id)
    with suppress(OSError, NoObject):  # there is none, or a damaged one
        _refuse_newer(path, read_object(path))
    document = {
        "schema": SCHEMA,
        "store_id": store_id,
        "master": base64.b64encode(master.key).decode(),
    }
    try:
        write_object(path, document)
    except OSError as error:
        why, todo = refusal(error, "make its folder writable")
        raise RecordsError(
            f"the store's key can't be kept ({why})", where=str(path), todo=todo
        ) from error


def _refuse_newer(path: Path, document: dict[str, Any]) -> None:
    if type(document.get("schema")) is int and document["schema"] > SCHEMA:
        raise _unusable(path, "is a newer claude-sync's", "upgrade this one")


def _master(document: dict[str, Any], store_id: str) -> Master:
    from claude_sync.sealed.keys import Master

    if document["schema"] != SCHEMA or document["store_id"] != store_id:
        raise ValueError
    return Master(base64.b64decode(document["master"], validate=True))


def _unusable(path: Path, why: str, todo: str) -> StoreLocked:
    return StoreLocked(f"the shared folder's key on this machine {why}", where=str(path), todo=todo)
