"""Which project a directory belongs to, asking git only when its configuration has changed.

Invariants:

1. A key that can't be asked for now is the one last known, or an error; never another one.
2. A directory that is gone keeps the key it had.
3. Nothing that was asked before costs a process again until its configuration changes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path

from claude_sync.disk.resolved import resolved
from claude_sync.errors import ProjectKeyError
from claude_sync.model import ProjectKey
from claude_sync.projects.directory import safe_subpath
from claude_sync.projects.registry_file import (
    REMOVED,
    DirectoryEntry,
    RegistryFile,
    RepositoryEntry,
)
from claude_sync.projects.repository import Finder, Repository, repository_at
from claude_sync.values import NamedTuple

_LONG_SECONDS = 2.0
"""What git takes longer for in vain isn't asked for again at once."""
_ASKED_AGAIN_SECONDS = 900.0
_MAX_PATH = 4096


class Known(NamedTuple):
    """What is known of a directory.

    Attributes:
        key: its project, and where it lies in it.
        root: of its working tree; itself without a repository.
        repository: None where there is none, or it is gone.
    """

    key: ProjectKey
    root: str
    repository: Repository | None = None


class KeyLookup:
    """One pass over directories; make a new one for the next, since it remembers what it saw.

    Args:
        file: where keys are kept between passes; new ones go into it.
        home: the home directory, None for the user's.
    """

    def __init__(self, file: RegistryFile, home: Path | None) -> None:
        self.finder = Finder(home)
        self._file = file
        self._there: dict[str, bool] = {}
        self.forget()

    def forget(self) -> None:
        """Look up every key again: directories were pinned or removed."""
        entries = self._file.directories
        self._answers: dict[str, Known | ProjectKeyError] = {}
        self.pinned = {d for d, entry in entries.items() if entry.pinned}
        self.removed = {d for d, entry in entries.items() if entry.source == REMOVED}

    def is_there(self, directory: str) -> bool:
        """Whether a directory exists."""
        known = self._there.get(directory)
        if known is None:
            known = self._there[directory] = os.path.isdir(directory)
        return known

    def answer(self, directory: str) -> Known | None:
        """What was told of a directory in this pass already."""
        answer = self._answers.get(directory)
        return answer if isinstance(answer, Known) else None

    def known(self, directory: str) -> Known:
        """What is known of a directory; an absolute path.

        Raises:
            ProjectKeyError: its key can't be told now, and wasn't known before.
        """
        answer = self._answers.get(directory)
        if answer is None:
            try:
                answer = self._look_up(directory)
            except ProjectKeyError as error:
                answer = error
            self._answers[directory] = answer
        if isinstance(answer, ProjectKeyError):
            raise answer
        return answer

    def learnt(self, directory: str) -> None:
        """A directory has been registered: its key, known or not, is to be kept with it."""
        self._answers.pop(directory, None)

    def _look_up(self, directory: str) -> Known:
        entry = self._file.directories.get(directory)
        if entry is not None and entry.pinned:
            repository = repository_at_or_none(directory)
            return Known(ProjectKey(entry.key), directory, repository)
        try:
            known = self._ask(directory, entry)
        except ProjectKeyError:
            if entry is None or not entry.key:
                raise
            return _remembered(directory, entry)
        if entry is not None:
            key, subpath = known.key.key, known.key.subpath
            fresh = entry._replace(key=key, subpath=subpath, root=known.root)
            self._file.set_directory(directory, fresh)
        return known

    def _ask(self, directory: str, entry: DirectoryEntry | None) -> Known:
        found = self.finder.find(directory)
        root = found.repository.root if found else ""
        pinned = nearest(directory, self.pinned)
        if pinned and not is_below(root, pinned):
            subpath = os.path.relpath(directory, pinned).replace(os.sep, "/")
            key = self._file.directories[pinned].key
            repository = found.repository if found and root == pinned else None
            return Known(ProjectKey(key, safe_subpath(subpath)), pinned, repository)
        if entry is not None and entry.key and root != entry.root and not self.is_there(directory):
            # Gone, with the repository it was in: what lies above it now is something else.
            return _remembered(directory, entry)
        if found is None:
            from claude_sync.projects.key import name_key

            return Known(ProjectKey(name_key(directory, self.finder)), directory)
        key = self._repository_key(found.repository)
        return Known(ProjectKey(key, safe_subpath(found.subpath)), root, found.repository)

    def _repository_key(self, repository: Repository) -> str:
        last = self._file.repositories.get(repository.root)
        head_counts, paths = (last.head_counts, last.files) if last else (False, ())
        # Looked at before git is asked: what changes meanwhile is seen the next time.
        signature = self.finder.signature(repository, paths, head_counts=head_counts)
        if last is not None and last.key and last.signature == signature:
            return last.key
        if last is not None and last.failed == signature and _is_recent(last.failed_at):
            # It kept us waiting for nothing, and nothing that it reads has changed.
            return _last_key(last, repository)
        from claude_sync.projects.key import repository_key

        begun = time.monotonic()
        try:
            evidence = repository_key(repository, self.finder)
        except ProjectKeyError:
            if time.monotonic() - begun >= _LONG_SECONDS:
                failed = (last or RepositoryEntry("", ""))._replace(
                    failed=signature, failed_at=time.time()
                )
                self._file.set_repository(repository.root, failed)
            if last is None or not last.key:
                raise
            return last.key
        head_counts = evidence.head_counts
        signature = self.finder.signature(repository, evidence.files, head_counts=head_counts)
        fresh = RepositoryEntry(evidence.key, signature, evidence.files, head_counts)
        self._file.set_repository(repository.root, fresh)
        return evidence.key


def key_at(directory: str, file: Path, home: Path | None = None) -> str:
    """The key of the project that a person begins to work in; "" where it can't be told now.

    Nothing is kept, and nothing needs to be known of the directory. git is asked where its answer
    isn't known.

    Args:
        directory: absolute, else there is no key; not trusted.
        file: ``projects.json``.
        home: the home directory, None for the user's.
    """
    if not os.path.isabs(directory) or len(directory) > _MAX_PATH or "\0" in directory:
        return ""
    try:
        return KeyLookup(RegistryFile(file), home).known(resolved(directory)).key.key
    except (ProjectKeyError, OSError):
        return ""


def _is_recent(failed_at: float) -> bool:
    return 0 <= time.time() - failed_at < _ASKED_AGAIN_SECONDS


def _last_key(last: RepositoryEntry, repository: Repository) -> str:
    if not last.key:
        raise ProjectKeyError(
            "git didn't answer a while ago",
            where=repository.root,
            todo="run 'git remote -v' there to see why; a change of its configuration is noticed",
            passing=True,
        )
    return last.key


def repository_at_or_none(directory: str) -> Repository | None:
    """The repository whose root a directory is, None also where that can't be told."""
    try:
        return repository_at(directory)
    except ProjectKeyError:
        return None


def is_below(path: str, directory: str) -> bool:
    """Whether a path lies in a directory, and isn't the directory itself."""
    return path != directory and path.startswith(directory.rstrip(os.sep) + os.sep)


def nearest(directory: str, among: Collection[str]) -> str:
    """The directory or the nearest one above it that is among these, "" if none is."""
    if not among:
        return ""
    while directory not in among:
        parent = os.path.dirname(directory)
        if parent == directory:
            return ""
        directory = parent
    return directory


def _remembered(directory: str, entry: DirectoryEntry) -> Known:
    return Known(ProjectKey(entry.key, entry.subpath), entry.root or directory)
