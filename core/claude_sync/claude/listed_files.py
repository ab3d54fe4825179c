"""Which files a session has, from directory listings alone.

Invariants:

1. Links and special files are neither followed nor taken, wherever they stand; nor is anything
   whose name begins with a dot.
2. Each folder of companions is listed once for all sessions, and then only what is there.
3. Of companions, what can't be seen is left out and said; what can't be seen in a sidecar folder
   hides its session.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from claude_sync.claude.session_files import (
    CHECKPOINTS,
    PLANS,
    TASKS,
    TODOS,
    SessionFiles,
    checkpoint_version,
    companion_path,
    plan_path,
    todos_name,
)
from claude_sync.disk.snapshot import entry_status, is_link, may_be_there, stamp_of
from claude_sync.model import MAX_SIDECAR_FILES, Stamp
from claude_sync.names import folded, is_hidden, is_sidecar_path
from claude_sync.values import NamedTuple

MAX_CHECKPOINT_BYTES = 50_000_000
"""Of one session's checkpoints, as many as travel with it: the newest."""

Stamps = tuple[tuple[str, Stamp], ...]


class ListedFiles(NamedTuple):
    """The files of a session but its transcript.

    Attributes:
        stamps: of those that travel, by their path in a bundle, sorted.
        left_out: how many other regular files lie in the sidecar folder: they aren't a session's,
            their names mean nothing, or something else, on another system, or there are more than
            10,000 files in all.
        held_back: how many checkpoints there are beyond what travels.
    """

    stamps: Stamps
    left_out: int = 0
    held_back: int = 0


NO_FILES = ListedFiles(())


# --- the sidecar folder ------------------------------------------------------------------------


def sidecar_stamps(folder: Path, *, listed: bool = False) -> ListedFiles:
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
    return ListedFiles(stamps, regular - len(stamps))


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


# --- companions --------------------------------------------------------------------------------


class Companions:
    """What lies in the folders of companions, looked at once for many sessions.

    Args:
        home: Claude Code's folder.
        checkpoints: whether checkpoints count.
        slug_of: the last slug in a transcript, by its path and stamp.
        only: the one session that is asked for, as its transcript's name spells it; None for all.

    Attributes:
        unseen: folders that can't be seen, each with why: a clause.
    """

    def __init__(
        self,
        home: Path,
        *,
        checkpoints: bool,
        slug_of: Callable[[Path, Stamp], str],
        only: str | None = None,
    ) -> None:
        self.unseen: list[tuple[Path, str]] = []
        self._home = str(home)
        self._checkpoints = checkpoints
        self._slug_of = slug_of
        wanted = [TASKS, PLANS, TODOS, *([CHECKPOINTS] if checkpoints else [])]
        self._there = {kind: self._names(home / kind, kind, only) for kind in wanted}

    def _names(self, folder: Path, kind: str, only: str | None) -> frozenset[str]:
        """What lies in a folder of companions, of a folder that is none, or a link, nothing."""
        try:
            status = os.lstat(folder)
            if is_link(status):
                self.unseen.append((folder, "it is a link, and those aren't followed"))
                return frozenset()
            if not stat.S_ISDIR(status.st_mode):
                return frozenset()
            if kind in (TASKS, CHECKPOINTS):
                return _folders(folder, only)
            if only is None or kind == PLANS:
                return frozenset(os.listdir(folder))
            return frozenset((todos_name(only),))
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            self.unseen.append((folder, str(error.strerror)))
            return frozenset()

    def add_to(self, listed: ListedFiles, transcript: Path, stamp: Stamp) -> ListedFiles:
        """A session's files, its companions among them.

        Args:
            listed: those of its sidecar folder.
            transcript: the session's.
            stamp: the transcript's.
        """
        there = self._there
        if not any(there.values()):
            return listed
        where, stem = SessionFiles(transcript), transcript.stem
        found: list[tuple[str, Stamp]] = []
        if stem in there[TASKS]:
            found += self._in_folder(stem, TASKS)
        if todos_name(stem) in there[TODOS]:
            found += self._file(where, companion_path(TODOS, todos_name(stem)))
        if there[PLANS]:
            path = plan_path(self._slug_of(transcript, stamp))
            if path.rpartition("/")[2] in there[PLANS]:
                found += self._file(where, path)
        checkpoints: list[tuple[str, Stamp]] = []
        if self._checkpoints and stem in there[CHECKPOINTS]:
            checkpoints = self._in_folder(stem, CHECKPOINTS)
        if not (found or checkpoints):
            return listed
        stamps = [*listed.stamps, *found]
        left_out = listed.left_out + max(0, len(stamps) - MAX_SIDECAR_FILES)
        del stamps[MAX_SIDECAR_FILES:]
        newest = _newest(checkpoints, MAX_SIDECAR_FILES - len(stamps))
        held_back = len(checkpoints) - len(newest)
        return ListedFiles(tuple(sorted([*stamps, *newest])), left_out, held_back)

    def _in_folder(self, stem: str, kind: str) -> list[tuple[str, Stamp]]:
        """The files of one kind that lie in a folder of the session's own."""
        folder = os.path.join(self._home, kind, stem)
        found = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    path = companion_path(kind, entry.name)
                    if path and (status := _status(entry)) is not None:
                        found.append((path, stamp_of(status)))
        except FileNotFoundError:
            return []
        except OSError as error:
            self.unseen.append((Path(folder), str(error.strerror)))
            return []
        return found

    def _file(self, where: SessionFiles, path: str) -> list[tuple[str, Stamp]]:
        """One file, if it is there and a regular one."""
        if not path:
            return []
        try:
            status = os.lstat(where.path_of(path))
        except FileNotFoundError:
            return []
        except OSError as error:
            self.unseen.append((where.path_of(path), str(error.strerror)))
            return []
        return [(path, stamp_of(status))] if stat.S_ISREG(status.st_mode) else []


def _folders(folder: Path, only: str | None) -> frozenset[str]:
    """The folders in a folder that are no links; or the one that is asked for, if it is one."""
    if only is not None:
        status = os.lstat(folder / only)
        return frozenset((only,) if stat.S_ISDIR(status.st_mode) and not is_link(status) else ())
    with os.scandir(folder) as entries:
        return frozenset(
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False)
            and not (os.name == "nt" and is_link(os.lstat(entry.path)))
        )


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """The status of a regular file; None for anything else, and for what is gone by now."""
    try:
        status = entry_status(entry)
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _newest(checkpoints: list[tuple[str, Stamp]], most: int) -> list[tuple[str, Stamp]]:
    """As many checkpoints as travel: the newest, no more than 50 MB of them.

    Those that arrived together are of one moment: of these the greatest versions are the newest.
    """
    taken: list[tuple[str, Stamp]] = []
    size = 0
    for path, stamp in sorted(
        checkpoints, key=lambda one: (-one[1].mtime_ns, -checkpoint_version(one[0]), one[0])
    ):
        if len(taken) < most and size + stamp.size <= MAX_CHECKPOINT_BYTES:
            taken.append((path, stamp))
            size += stamp.size
    return taken
