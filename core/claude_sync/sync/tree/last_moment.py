"""Replacing or removing a file that a client may be writing at this very moment.

Invariant: what the file held, and what is written to it even while it loses its name, is in the new
file or in the vault.

Order of steps: the file is in the vault (the caller) · open it · look again · rename or remove ·
see whether it was written to even then, and take that into the vault too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.snapshot import open_regular, stamp_of
from claude_sync.errors import SessionChanging
from claude_sync.model import Stamp
from claude_sync.state.vault import Vault

_OPEN_FILES_CAN_BE_REPLACED = os.name != "nt"


@contextmanager
def watched(path: Path, seen: Stamp, vault: Vault, kept: Path | None) -> Iterator[None]:
    """Hold a file open that loses its name inside; what is written to it even then is kept.

    Args:
        path: the file.
        seen: what it was when it went into the vault.
        vault: the vault.
        kept: the file there, None where it had to go into none.
    """
    with _held_open(path) as old:
        yield
        if old is not None and kept is not None and stamp_of(os.fstat(old.fileno())) != seen:
            vault.catch_up(kept, old)


def swap(
    session_id: str, staged: Staged | None, path: Path, *, seen: Stamp, vault: Vault, kept: Path
) -> None:
    """Replace a file that is in the vault by a staged one, or just remove it.

    Raises:
        SessionChanging: it isn't what was seen any more; it is left alone.
    """
    try:
        with watched(path, seen, vault, kept):
            if stamp_of(os.lstat(path)) != seen:
                raise changed(session_id)
            if staged is not None:
                files.commit(staged, path)
            else:
                files.remove(path)
    except FileNotFoundError as error:
        raise changed(session_id) from error


def install_where_nothing_was(session_id: str, staged: Staged, path: Path) -> None:
    """Give a staged file a name that was free.

    Raises:
        SessionChanging: it is taken by now; what has it is left alone.
    """
    files.make_private(path.parent)
    try:
        files.commit_new(staged, path)
    except FileExistsError as error:
        raise changed(session_id) from error


def changed(session_id: str) -> SessionChanging:
    """The error for a session that isn't what it was when it was looked at."""
    return SessionChanging(
        "the session changed while it was being replaced",
        where=session_id,
        todo="it is tried again next time",
    )


def _held_open(path: Path) -> AbstractContextManager[IO[bytes] | None]:
    """Not where an open file can't be replaced; there its second name in the vault must do."""
    return open_regular(path) if _OPEN_FILES_CAN_BE_REPLACED else nullcontext()
