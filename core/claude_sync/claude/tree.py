"""One look at Claude's tree: which sessions lie there, and what couldn't be seen.

Invariants:

1. What can't be read costs itself: the rest of the tree is seen.
2. What couldn't be seen is said to be unseen; nobody may take it for absent.
3. A folder is looked at once, however many links lead to it, and as the client does: a project's
   folder may be a link, a transcript or anything in a session's own folder may not.

Order of steps: list the projects · settle which names lead to which folder · list each folder.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from claude_sync.claude.listed_files import NO_FILES, Companions, sidecar_stamps
from claude_sync.claude.session_files import TRANSCRIPT_SUFFIX, SessionFiles
from claude_sync.disk.snapshot import entry_status, is_link, may_be_there, stamp_of
from claude_sync.errors import ClaudeHomeError
from claude_sync.model import LocalSession, Stamp
from claude_sync.names import is_session_id
from claude_sync.values import NamedTuple

# The desktop app's copies of what runs on other hosts: a cache, and no directory of this machine.
_MIRROR = "ssh-"
_CONFLICT_COPY = r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}[^0-9a-f].*"


class Unseen(NamedTuple):
    """Something in the tree that can't be seen, so that what it holds is unknown.

    Attributes:
        path: a project's folder, or a transcript.
        problem: why, in the system's words or ours; a clause.
        session_id: whose transcript it is, "" for a folder.
    """

    path: Path
    problem: str
    session_id: str = ""


class Tree(NamedTuple):
    """What lies in Claude's tree.

    Attributes:
        sessions: every transcript that can be seen.
        unseen: what can't be.
        names: of each folder that bears further names, these: links beside it that lead to it.
        conflict_copies: transcripts that a sync tool doubled; they are no sessions.
        mirrors: folders in which the desktop app keeps copies of what runs on other hosts.
        unseen_companions: folders outside the projects in which files of sessions lie that can't
            be seen, and so are left out.
    """

    sessions: tuple[LocalSession, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    names: Mapping[str, tuple[str, ...]] = {}
    conflict_copies: tuple[Path, ...] = ()
    mirrors: tuple[Path, ...] = ()
    unseen_companions: tuple[Unseen, ...] = ()


def look_at_tree(projects: Path, companions: Companions) -> Tree:
    """Look at all of it, from directory listings alone.

    Args:
        projects: Claude Code's folder of projects.
        companions: what lies beside that.

    Raises:
        ClaudeHomeError: the tree is there and can't be listed.
    """
    folders = project_folders(projects)
    looks = [_Folder(projects, name, companions) for name in folders.names]
    unseen = [*folders.unseen, *(one for look in looks for one in look.unseen)]
    return Tree(
        tuple(session for look in looks for session in look.sessions),
        tuple(unseen),
        {name: others for name, others in folders.names.items() if others},
        tuple(path for look in looks for path in look.conflict_copies),
        tuple(projects / name for name in folders.mirrors),
        tuple(Unseen(*unseen) for unseen in companions.unseen),
    )


class Folders(NamedTuple):
    """The folders of projects: each once, with its further names; and links that lead nowhere.

    The desktop app's mirrors are none of them.
    """

    names: Mapping[str, tuple[str, ...]]
    unseen: tuple[Unseen, ...] = ()
    mirrors: tuple[str, ...] = ()


def project_folders(projects: Path) -> Folders:
    """The folders below the projects, each once, as itself or as a link.

    Raises:
        ClaudeHomeError: they can't be listed.
    """
    try:
        with os.scandir(projects) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not may_be_there(projects):
            return Folders({})
        raise ClaudeHomeError(
            f"Claude Code's sessions can't be read ({error.strerror})",
            where=str(projects),
            todo="`claude-sync doctor` says how to make it readable",
        ) from error
    names: dict[str, tuple[str, ...]] = {}
    links: list[str] = []
    mirrors = tuple(entry.name for entry in entries if entry.name.startswith(_MIRROR))
    for entry in entries:
        if entry.name.startswith(_MIRROR):
            continue
        if _leads_elsewhere(entry):
            links.append(entry.name)
        elif _is_directory(entry):
            names[entry.name] = ()
    if not links:
        return Folders(names, mirrors=mirrors)
    return _with_links(projects, names, links)._replace(mirrors=mirrors)


def _with_links(projects: Path, names: dict[str, tuple[str, ...]], links: list[str]) -> Folders:
    first: dict[tuple[int, int], str] = {}
    unseen: list[Unseen] = []
    for name in [*names, *links]:
        try:
            status = os.stat(projects / name)
        except OSError as error:
            if name not in names:
                unseen.append(Unseen(projects / name, f"a link: {error.strerror}"))
            continue
        known = first.setdefault((status.st_dev, status.st_ino), name)
        if name in names or not stat.S_ISDIR(status.st_mode):
            continue
        if known == name:
            names[name] = ()
        else:
            names[known] = (*names[known], name)
    return Folders(names, tuple(unseen))


def _leads_elsewhere(entry: os.DirEntry[str]) -> bool:
    if entry.is_symlink():
        return True
    return os.name == "nt" and is_link(os.lstat(entry.path))


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return True  # listing it says why it can't be seen


class _Folder:
    """One project's folder: what lies in it that concerns us."""

    def __init__(self, projects: Path, name: str, companions: Companions) -> None:
        self.name = name
        self._companions = companions
        self.path = projects / name
        self.sessions: list[LocalSession] = []
        self.unseen: list[Unseen] = []
        self.conflict_copies: list[Path] = []
        self._directories: set[str] = set()
        self._files: list[tuple[str, Stamp]] = []
        self._vanished: list[str] = []
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    self._look_at(entry)
            self._look_for_vanished()
        except OSError as error:
            # Or the client removed the folder while we looked.
            if not isinstance(error, FileNotFoundError) or may_be_there(self.path):
                self.unseen.append(Unseen(self.path, str(error.strerror)))
        for stem, stamp in self._files:
            self._add(stem, stamp)

    def _look_at(self, entry: os.DirEntry[str]) -> None:
        """Note what it is: a transcript, a session's own folder, or what else concerns us."""
        stem = entry.name.removesuffix(TRANSCRIPT_SUFFIX)
        if stem == entry.name:
            if is_session_id(stem) and _is_directory(entry):
                self._directories.add(stem)
        elif is_session_id(stem):
            try:
                status = entry_status(entry)
            except FileNotFoundError:
                self._vanished.append(stem)
                return
            except OSError as error:
                self._hide(stem, str(error.strerror))
                return
            if stat.S_ISREG(status.st_mode):
                self._files.append((stem, stamp_of(status)))
            else:
                self._hide(stem, "a link" if is_link(status) else "not a regular file")
        elif re.fullmatch(_CONFLICT_COPY, stem):
            self.conflict_copies.append(Path(entry.path))

    def _look_for_vanished(self) -> None:
        """Tell transcripts that were removed while we looked from those that can't be reached."""
        if self._vanished:
            still = {*os.listdir(self.path)}
            for stem in self._vanished:
                if f"{stem}{TRANSCRIPT_SUFFIX}" in still:
                    self._hide(stem, os.strerror(errno.ENOENT))

    def _add(self, stem: str, stamp: Stamp) -> None:
        path = self.path / f"{stem}{TRANSCRIPT_SUFFIX}"
        try:
            known = stem in self._directories
            listed = NO_FILES
            if known:
                listed = sidecar_stamps(SessionFiles(path).folder, listed=True)
        except OSError as error:
            self._hide(stem, f"its folder: {error.strerror}")
            return
        listed = self._companions.add_to(listed, path, stamp)
        self.sessions.append(LocalSession(stem.lower(), path, self.name, stamp, *listed))

    def _hide(self, stem: str, problem: str) -> None:
        self.unseen.append(Unseen(self.path / f"{stem}{TRANSCRIPT_SUFFIX}", problem, stem.lower()))
