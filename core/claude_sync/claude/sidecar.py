"""The files of a session that lie in the folder beside its transcript."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from claude_sync.disk.snapshot import Snapshot, entry_status, is_link, may_be_there, stamp_of
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


def sidecar_stamps(folder: Path, *, listed: bool = False) -> SidecarStamps:
    """The regular files of a sidecar folder.

    Links, other special files, and whatever has a name that begins with a dot, as our own
    temporaries' do, don't count, nor does what lies in folders of such names.

    Args:
        folder: the folder.
        listed: whether the folder above it says that it is there.

    Raises:
        OSError: a part of it can't be seen, so that it may hold more.
    """
    found: dict[str, tuple[str, Stamp]] = {}
    regular = 0
    pending = [(str(folder), "")]
    while pending:
        directory, prefix = pending.pop()
        for name, status in _entries(directory, listed=listed or prefix != ""):
            relative = prefix + name
            if stat.S_ISDIR(status.st_mode):
                pending.append((os.path.join(directory, name), relative + "/"))
                continue
            regular += 1
            if is_sidecar_path(relative):
                found.setdefault(folded(relative), (relative, stamp_of(status)))
    stamps = tuple(sorted(found.values())[:MAX_SIDECAR_FILES])
    return SidecarStamps(stamps, regular - len(stamps))


def _entries(directory: str, *, listed: bool) -> list[tuple[str, os.stat_result]]:
    """The regular files and folders in a folder that count, each with its status.

    What the client removed while we looked isn't there; what can't be reached all at once is
    another thing, and only the folder above tells the two apart.
    """
    entries: list[tuple[str, os.stat_result]] = []
    vanished: list[tuple[str, OSError]] = []
    try:
        # The folder itself may be a link, put there between listing and now.
        if is_link(os.lstat(directory)):
            return []
        with os.scandir(directory) as found:
            for entry in found:
                if is_hidden(entry.name):
                    continue
                try:
                    status = entry_status(entry)
                except FileNotFoundError as error:
                    vanished.append((entry.name, error))
                    continue
                if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
                    entries.append((entry.name, status))
        still = {*os.listdir(directory)} if vanished else ()
    except (FileNotFoundError, NotADirectoryError):
        if listed and may_be_there(directory) and not _is_file(directory):
            raise
        return []
    for name, why in vanished:
        if name in still:
            raise why
    return entries


def _is_file(path: str) -> bool:
    """Whether what was a folder is something else by now."""
    return not stat.S_ISDIR(os.lstat(path).st_mode)


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
