"""Which directories of this machine belong to which project, and which to a session.

Invariants:

1. A directory counts for a session only if its encoded name is the session's folder: a transcript
   that came from another machine begins with that machine's directory.
2. What a person added, pinned or removed stands above what was found.
3. The directory for a session from elsewhere is in the project's, links included, or there is none;
   what may be below its root, `placement` says.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from claude_sync.claude.home import bucket, encode_directory
from claude_sync.disk.refusals import refusal
from claude_sync.disk.resolved import as_on_disk, resolved
from claude_sync.errors import PreferencesError, ProjectKeyError, SessionUnplaced, UsageError
from claude_sync.model import ProjectKey
from claude_sync.names import is_project_key, normal_key
from claude_sync.projects.directory import (
    HOME_KEY,
    ProjectDirectory,
    chosen,
    combined,
    in_order,
)
from claude_sync.projects.key_lookup import KeyLookup, is_below, nearest, repository_at_or_none
from claude_sync.projects.registry_file import ADDED, FOUND, REMOVED, DirectoryEntry, RegistryFile

# What looks for projects and for places in them is imported where that is done: most passes find
# every session's directory where it was.
if TYPE_CHECKING:
    from claude_sync.projects.placement import Placement

_MAX_PATH = 4096
_MEANT_AS_KEY = r"(git|name):(?!//)"
"""How a key begins; a host might be called so too, but would be given as ssh://."""


class Registry:
    """What this machine knows of its projects. Used by one thread at a time.

    Args:
        path: ``projects.json``; see `registry_file`.
        home: the home directory, None for the user's.
        roots: folders to look for projects in (the preference `projects_roots`); looked into only
            when a project or a session's directory isn't known otherwise.
        system: whose rules hold for case, as `sys.platform` has it.

    What it saw of the disk is remembered until `refresh`; what it learnt is kept by `save`.
    """

    def __init__(
        self,
        path: Path,
        *,
        home: Path | None = None,
        roots: Sequence[Path] = (),
        system: str = sys.platform,
    ) -> None:
        self._system = system
        self._file = RegistryFile(path)
        self._home = home
        self._roots = tuple(roots)
        self._standing: set[str] = set()
        self.refresh()

    @property
    def problem(self) -> str:
        """What is wrong with the file, a sentence for the doctor; "" if nothing is."""
        return self._file.problem

    def refresh(
        self, used: Mapping[str, int] | None = None, *, roots: Sequence[Path] | None = None
    ) -> None:
        """Begin a new pass: look at the disk again, and take over what other processes saved.

        Args:
            used: name of each folder of Claude's tree → mtime in ns of the newest session in it.
            roots: the preference `projects_roots`, None if it is what it was.
        """
        self._file.reload()
        self._keys = KeyLookup(self._file, self._home)
        self._used: dict[str, int] = {}
        for folder, mtime_ns in (used or {}).items():
            shared = bucket(folder, self._system)
            self._used[shared] = max(mtime_ns, self._used.get(shared, 0))
        if roots is not None:
            self._roots = tuple(roots)
        self._searched = False
        self._buckets: dict[str, str] = {}
        self._tracked: dict[str, frozenset[str]] = {}
        self._forget()

    def _forget(self) -> None:
        self._keys.forget()
        self._projects: dict[str, list[ProjectDirectory]] | None = None
        self._by_folder: dict[str, list[str]] | None = None
        self._directories: dict[tuple[str, tuple[str, ...], str | None], Path | None] = {}

    def save(self) -> bool:
        """Keep what was learnt, if anything was; whether the file was written.

        Raises:
            PreferencesError: it can't be written.
        """
        try:
            return self._file.save()
        except OSError as error:
            why, todo = refusal(error, "make its folder writable")
            raise PreferencesError(
                f"the list of projects can't be written ({why})",
                where=str(self._file.path),
                todo=todo,
            ) from error

    # -- which directory a session belongs to -------------------------------------------------

    def directory_of(
        self, folder: str, cwds: Sequence[str], installed: str | None = None
    ) -> Path | None:
        """The working directory of a session that lies in Claude's tree, None where none fits.

        The first that is there of: where the records say it was installed, the directories its
        transcript names, the registered ones; else the first of them that isn't there any more.
        All of them only if they encode to the folder. One that is there is learnt.

        Args:
            folder: name of the folder that the transcript lies in.
            cwds: directories named in its head and tail, the likeliest first; unchecked.
            installed: where the records say that it was installed.
        """
        question = (folder, tuple(cwds), installed)
        if question not in self._directories:
            # After the look: what is learnt by it makes older answers doubtful, not this one.
            found = self._directory_of(*question)
            self._directories[question] = found
        return self._directories[question]

    def _directory_of(
        self, folder: str, cwds: tuple[str, ...], installed: str | None
    ) -> Path | None:
        named = [cwd for cwd in dict.fromkeys(cwds) if self._fits(folder, cwd)]
        candidates = [*named, *self._registered(folder)]
        if installed and self._fits(folder, installed):
            # Its transcript is another machine's: of two directories that share the folder's name
            # it must not choose the one that it wasn't put into.
            candidates.insert(0, installed)
        if not candidates and self.search_roots():
            candidates = self._registered(folder)
        for directory in candidates:
            if self._keys.is_there(directory):
                self.learn(Path(directory))
                return Path(as_on_disk(directory, self._system))
        return Path(candidates[0]) if candidates else None

    def _registered(self, folder: str) -> list[str]:
        if self._by_folder is None:
            self._by_folder = {}
            for directory in self._current():
                shared = self._bucket_of(directory)
                self._by_folder.setdefault(shared, []).append(directory)
        return self._by_folder.get(bucket(folder, self._system), [])

    def _fits(self, folder: str, directory: str) -> bool:
        usable = len(directory) <= _MAX_PATH and "\0" not in directory and os.path.isabs(directory)
        return usable and self._bucket_of(directory) == bucket(folder, self._system)

    def _bucket_of(self, directory: str) -> str:
        known = self._buckets.get(directory)
        if known is None:
            known = bucket(encode_directory(directory), self._system)
            self._buckets[directory] = known
        return known

    def _current(self) -> Iterator[str]:
        """The directories that count: those that weren't removed, and those a person stands in."""
        yield from self._standing
        for directory in self._file.directories:
            if directory not in self._standing and not self._is_removed(directory):
                yield directory

    # -- which project a directory belongs to -------------------------------------------------

    def key_of(self, directory: Path) -> ProjectKey:
        """The project of a directory, and where it lies in it.

        A key given by hand, for the directory or one above it in the same repository, stands
        above git's. A directory that is gone keeps the key it had.

        Raises:
            ProjectKeyError: it can't be told now, and wasn't known before.
        """
        text = os.fspath(directory)
        answer = self._keys.answer(text)
        return (answer or self._keys.known(os.path.abspath(text))).key

    # -- where a session from elsewhere goes --------------------------------------------------

    def placement(
        self,
        key: str,
        subpath: str = "",
        *,
        was_used: Callable[[Path], bool] | None = None,
        ask: bool = True,
    ) -> Placement:
        """The directory here for a session of a project; nothing is made.

        The main working tree before linked ones, then the one used last. A ``name:`` key is weak:
        it counts only if one repository or directory here has it, or just one was given it by
        hand. Where `subpath` isn't followed, the root.

        Args:
            key: the project's.
            subpath: where in it the session was elsewhere.
            was_used: whether a directory was worked in here, beside those that are registered.
            ask: whether git may be asked; without it, a directory that only git would know of
                isn't followed.

        Raises:
            SessionUnplaced: there is none, and why.
        """
        if not is_project_key(key):
            raise SessionUnplaced("its bundle names no usable project", todo="it was left there")
        if key == HOME_KEY:
            return self._below(self._keys.finder.home, subpath, was_used, ask=False)
        known = self._of_project(key)
        if not any(directory.exists for directory in known) and self.search_roots():
            known = self._of_project(key)
        root = os.fspath(chosen(key, known).path)
        return self._below(root, subpath, was_used, ask=ask)

    def _below(
        self, root: str, subpath: str, was_used: Callable[[Path], bool] | None, *, ask: bool
    ) -> Placement:
        def is_known(directory: Path) -> bool:
            text = os.fspath(directory)
            registered = text in self._file.directories and not self._is_removed(text)
            return registered or (was_used is not None and was_used(directory))

        from claude_sync.projects.placement import placement_below

        return placement_below(
            root,
            subpath,
            was_used=is_known,
            tracked=lambda: self._tracked_in(root) if ask else (),
        )

    def _tracked_in(self, root: str) -> frozenset[str]:
        """The directories below a root that git tracks files in; none where it can't be asked."""
        if root not in self._tracked:
            from claude_sync.projects.git import tracked_directories

            repository = repository_at_or_none(root)
            try:
                found = tracked_directories(repository) if repository else frozenset[str]()
            except ProjectKeyError:
                found = frozenset()
            self._tracked[root] = found
        return self._tracked[root]

    def projects(self) -> tuple[ProjectDirectory, ...]:
        """Every directory of every project, by key, each project's in the order of `in_order`.

        Those whose key can't be told come first, under "".
        """
        by_key = self._by_key()
        return tuple(directory for key in sorted(by_key) for directory in by_key[key])

    def _of_project(self, key: str) -> list[ProjectDirectory]:
        return self._by_key().get(key, [])

    def _by_key(self) -> dict[str, list[ProjectDirectory]]:
        if self._projects is None:
            found: dict[tuple[str, str], ProjectDirectory] = {}
            for path in list(self._current()):
                directory = self._project_directory(path)
                root = (directory.key, str(directory.path))
                known = found.get(root)
                found[root] = directory if known is None else combined(known, directory)
            self._projects = {}
            for directory in sorted(found.values(), key=in_order):
                self._projects.setdefault(directory.key, []).append(directory)
        return self._projects

    def _project_directory(self, directory: str) -> ProjectDirectory:
        entry = self._file.directories.get(directory, DirectoryEntry())
        key, root, problem, repository = "", directory, "", None
        try:
            known = self._keys.known(directory)
            key, root, repository = known.key.key, known.root, known.repository
        except ProjectKeyError as error:
            problem = str(error)
        is_root = root == directory
        return ProjectDirectory(
            key=key,
            path=Path(root),
            exists=self._keys.is_there(root),
            linked=repository is not None and repository.linked,
            last_used_ns=self._used.get(self._bucket_of(directory), 0),
            added=is_root and entry.source == ADDED,
            pinned=root in self._keys.pinned,
            repository=os.path.realpath(repository.common_dir if repository else root),
            problem=problem,
        )

    # -- what is known ------------------------------------------------------------------------

    def learn(self, directory: Path, *, installed: bool = False) -> bool:
        """Register a directory that was found by itself; whether it is new.

        One that was removed by hand, or lies below such a one, isn't learnt again.

        Args:
            directory: where a session belongs.
            installed: a session was just put there, so it counts though it is missing still.
        """
        text = as_on_disk(os.path.abspath(directory), self._system)
        if text in self._file.directories or self._is_removed(text):
            return False
        if not installed and not self._keys.is_there(text):
            return False
        self._file.set_directory(text, DirectoryEntry(FOUND))
        self._keys.learnt(text)
        self._projects = None
        self._directories.clear()
        if self._by_folder is not None:
            self._by_folder.setdefault(self._bucket_of(text), []).append(text)
        return True

    def stand(self, directory: Path) -> ProjectKey:
        """The project a person stands in, which counts as known from now on.

        A directory without a repository counts only as long as this object lives: who asks for
        a list in /tmp doesn't mean it to be a project.

        Raises:
            ProjectKeyError: its key can't be told now.
        """
        text = resolved(directory)
        self._standing.add(text)
        self._projects = self._by_folder = None
        self._directories.clear()
        known = self._keys.known(text)
        if known.repository is not None and not self._keys.finder.is_home(text):
            self.learn(Path(text))
        return known.key

    def add(self, directory: Path, key: str | None = None) -> ProjectKey:
        """Register a directory by hand.

        Args:
            directory: it must be there.
            key: its key from now on, or a remote's URL that gives it; None: what git says.

        Raises:
            UsageError: it is no directory, or the key is none.
            ProjectKeyError: git can't be asked for the key; the directory is registered.
        """
        text = resolved(directory)
        if not os.path.isdir(text):
            raise UsageError("there is no such directory", where=str(directory))
        given = _given_key(key) if key is not None else ""
        entry = DirectoryEntry(
            source=ADDED, pinned=bool(given), key=given, root=text if given else ""
        )
        self._file.set_directory(text, entry)
        for below, known in list(self._file.directories.items()):
            if known.source == REMOVED and is_below(below, text):
                self._file.set_directory(below, known._replace(source=FOUND))
        self._forget()
        return self.key_of(Path(text))

    def remove(self, directory: Path) -> bool:
        """Take a directory, and those below it, out of the registry; whether any was in it.

        No session is installed there by itself any more, and nothing there is learnt again, until
        it is added. The sessions that lie there stay what they are.
        """
        removed = False
        for text in {os.path.abspath(directory), resolved(directory)}:
            known = [
                d
                for d, entry in self._file.directories.items()
                if (d == text or entry.root == text or is_below(d, text))
                and not self._is_removed(d)
            ]
            for below in known:
                entry = self._file.directories[below]._replace(source=REMOVED, pinned=False)
                self._file.set_directory(below, entry)
            if known and text not in known:
                self._file.set_directory(text, DirectoryEntry(REMOVED))
            self._standing.discard(text)
            removed = removed or bool(known)
        self._forget()
        return removed

    def _is_removed(self, directory: str) -> bool:
        above = nearest(directory, self._keys.removed)
        entry = self._file.directories.get(directory)
        return bool(above) and (above == directory or entry is None or entry.source != ADDED)

    def search_roots(self) -> bool:
        """Look for repositories below `projects_roots`, once a pass; whether there are new ones.

        Costs a look at each folder's time if nothing changed there since the last search.
        """
        if self._searched or not self._roots:
            return False
        self._searched = True
        from claude_sync.projects.roots import search, still_holds

        if self._file.scanned and still_holds(self._file.scanned, self._roots):
            return False
        found = search(self._roots)
        self._file.set_scanned(found.visited)
        new = [self.learn(Path(repository)) for repository in found.repositories]
        return any(new)


# --- pure --------------------------------------------------------------------------------------


def _given_key(key: str) -> str:
    text = normal_key(key.strip())
    if is_project_key(text):
        return text
    wrong = UsageError("that isn't a project key", todo="give git:<host>/<path> or name:<name>")
    if re.match(_MEANT_AS_KEY, text):
        raise wrong
    from claude_sync.projects.key import project_key_from_remote

    try:
        return project_key_from_remote(key)
    except ProjectKeyError as error:
        raise wrong from error
