"""The files of a session that lie in the folder beside its transcript."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from claude_sync.disk.snapshot import Snapshot, entry_status, is_link, stamp_of
from claude_sync.model import MAX_SIDECAR_FILES, LocalSession, SidecarFile, Stamp
from claude_sync.names import folded, is_hidden, is_sidecar_path
from claude_sync.values import NamedTuple


def sidecar_folder(transcript: Path) -> Path:
    """The folder of a session's further files, whether or not it exists."""
    return transcript.with_suffix("")


class SidecarStamps(NamedTuple):
    """What lies in a sidecar folder.

    Attributes:
        stamps: of the files that can travel, by relative path, sorted.
        left_out: how many other regular files there are that can't: they aren't a session's, their
            names mean nothing, or something else, on another system, or there are more than
            10,000.
    """

    stamps: tuple[tuple[str, Stamp], ...]
    left_out: int


NO_SIDECAR = SidecarStamps((), 0)


def sidecar_stamps(folder: Path) -> SidecarStamps:
    """The regular files of a sidecar folder.

    Links, other special files, and whatever has a name that begins with a dot, as our own
    temporaries' do, don't count, nor does what lies in folders of such names.

    Raises:
        OSError: a part of it can't be listed, so that it may hold more.
    """
    found: dict[str, tuple[str, Stamp]] = {}
    regular = 0
    pending = [(str(folder), "")]
    while pending:
        directory, prefix = pending.pop()
        try:
            # The folder itself may be a link, put there between listing and now.
            if is_link(os.lstat(directory)):
                continue
            with os.scandir(directory) as entries:
                for entry in entries:
                    relative = prefix + entry.name
                    if is_hidden(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((entry.path, relative + "/"))
                        continue
                    status = entry_status(entry)
                    if not stat.S_ISREG(status.st_mode):
                        continue
                    regular += 1
                    if is_sidecar_path(relative):
                        found.setdefault(folded(relative), (relative, stamp_of(status)))
        except (FileNotFoundError, NotADirectoryError):
            continue  # The client removed it while we looked.
    stamps = tuple(sorted(found.values())[:MAX_SIDECAR_FILES])
    return SidecarStamps(stamps, regular - len(stamps))


def signature_of(local: LocalSession) -> str:
    """What tells that none of a session's sidecar files has changed; "" where it has none."""
    if not local.sidecar:
        return ""
    return hashlib.sha256(repr(local.sidecar).encode()).hexdigest()


def read_sidecar(
    local: LocalSession, check: Callable[[], None] = lambda: None
) -> tuple[SidecarFile, ...]:
    """Size and hash of each file in a session's sidecar folder.

    Raises:
        OSError: one vanished or can't be read.
        SessionChanging: one is being rewritten.
    """
    found = []
    folder = sidecar_folder(local.path)
    for relative, _ in local.sidecar:
        check()
        with Snapshot(folder / relative) as snapshot:
            version = snapshot.settle()
        found.append(SidecarFile(relative, version.size, version.sha256))
    return tuple(found)
