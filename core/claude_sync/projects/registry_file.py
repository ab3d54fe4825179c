"""projects.json: what this machine knows of projects and directories, and what git said of them.

Invariants:

1. Written only if something changed, and whole (files.replace); what another process wrote
   meanwhile is taken over first, so nobody's directories are lost.
2. Members that this version doesn't know, or can't read, are kept as they are.
3. A file that is no JSON object is kept under another name before a new one takes its place; one
   that a newer version wrote is read as far as it can be, and never written.

Callers save under their lock between processes: reading and replacing is two steps.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from claude_sync.disk import files
from claude_sync.disk.snapshot import read_small, stamp_of
from claude_sync.model import Stamp
from claude_sync.names import is_project_key
from claude_sync.values import NamedTuple

SCHEMA = 1
FOUND = "found"
ADDED = "added"
REMOVED = "removed"
_MAX_BYTES = 64 << 20

_Value = TypeVar("_Value")


class DirectoryEntry(NamedTuple):
    """One directory.

    Attributes:
        source: FOUND by itself, ADDED by hand, or REMOVED by hand: then it isn't found again.
        pinned: whether the key was given by hand and stands above what git says.
        key: the last one known, "" for none. For a directory that is gone it still holds.
        subpath: where it lies in `root`, as bundles spell it.
        root: of its repository; itself without one; "" where the key isn't known.
    """

    source: str = FOUND
    pinned: bool = False
    key: str = ""
    subpath: str = ""
    root: str = ""


class RepositoryEntry(NamedTuple):
    """What git said about one working tree's root, and when it must be asked again.

    Attributes:
        key: the project's key.
        signature: Finder.signature when git was asked, over `files` and `head_counts`.
        failed: the same when git last kept us waiting for nothing, "" where it didn't since.
        failed_at: seconds since the epoch, when that was.
    """

    key: str
    signature: str
    files: tuple[str, ...] = ()
    head_counts: bool = False
    failed: str = ""
    failed_at: float = 0.0


class RegistryFile:
    """The file's content in memory.

    Args:
        path: the file; it may be a link (to a folder of dotfiles), which then stays one.

    Attributes:
        problem: what is wrong with the file, a sentence, "" if nothing is.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        self.problem = ""
        self.directories: dict[str, DirectoryEntry] = {}
        self.repositories: dict[str, RepositoryEntry] = {}
        self.scanned: dict[str, int] = {}
        self._document: dict[str, Any] = {}
        self._stamp: Stamp | None = None
        self._garbage = False
        self._unread: OSError | None = None
        self._changed_directories: set[str] = set()
        self._changed_repositories: set[str] = set()
        self._scan_changed = False
        self._read()

    def set_directory(self, directory: str, entry: DirectoryEntry) -> None:
        """Remember a directory."""
        if self.directories.get(directory) != entry:
            self.directories[directory] = entry
            self._changed_directories.add(directory)

    def set_repository(self, root: str, entry: RepositoryEntry) -> None:
        """Remember what git said about a repository."""
        if self.repositories.get(root) != entry:
            self.repositories[root] = entry
            self._changed_repositories.add(root)

    def set_scanned(self, visited: Mapping[str, int]) -> None:
        """Remember the directories that a search for projects went through, with their times."""
        if self.scanned != visited:
            self.scanned = dict(visited)
            self._scan_changed = True

    @property
    def changed(self) -> bool:
        """Whether there is anything to save."""
        return bool(self._changed_directories or self._changed_repositories or self._scan_changed)

    def reload(self) -> None:
        """Take over what another process wrote; our own unsaved changes stay."""
        try:
            stamp = stamp_of(os.stat(self.path))
        except OSError:
            stamp = None
        if stamp == self._stamp:
            return
        directories, repositories, scanned = self.directories, self.repositories, self.scanned
        self._read()
        for directory in self._changed_directories:
            entry, theirs = directories[directory], self.directories.get(directory)
            if theirs is not None and entry.source == FOUND != theirs.source:
                # What a person did meanwhile stands above what we found.
                entry = theirs if theirs.pinned else entry._replace(source=theirs.source)
            self.directories[directory] = entry
        for root in self._changed_repositories:
            self.repositories[root] = repositories[root]
        if self._scan_changed:
            self.scanned = scanned

    def save(self) -> bool:
        """Write what changed since the file was read; whether anything was written.

        Raises:
            OSError: it can't be written; or it can't be read, and what a person put in stands in
                it. Nothing is lost but the work of finding it again.
        """
        if not self.changed:
            return False
        self.reload()
        if self._unread is not None:
            raise self._unread
        if self._document.get("schema", SCHEMA) > SCHEMA:
            return False
        files.make_private(self.path.parent)
        if self._garbage:
            files.move_new(self.path, files.damaged_name(self.path))
        self._merge()
        text = json.dumps(self._document, indent=1, sort_keys=True)
        self._stamp = files.replace(self.path, text.encode("ascii") + b"\n")
        self._changed_directories.clear()
        self._changed_repositories.clear()
        self._scan_changed = False
        self._garbage = False
        self.problem = ""
        return True

    def _merge(self) -> None:
        self._document.setdefault("schema", SCHEMA)
        sections: tuple[tuple[str, set[str], Callable[[str], dict[str, Any]]], ...] = (
            (
                "directories",
                self._changed_directories,
                lambda name: _directory_members(self.directories[name]),
            ),
            (
                "repositories",
                self._changed_repositories,
                lambda name: _repository_members(self.repositories[name]),
            ),
        )
        for title, changed, members in sections:
            section = self._document.get(title)
            if not isinstance(section, dict):
                section = self._document[title] = {}
            for name in changed:
                old = section.get(name)
                section[name] = {**(old if isinstance(old, dict) else {}), **members(name)}
        if self._scan_changed:
            self._document["scanned"] = self.scanned

    def _read(self) -> None:
        self._document, self._stamp, self.problem = {}, None, ""
        self._garbage, self._unread = False, None
        try:
            self._stamp = stamp_of(os.stat(self.path))
            document = json.loads(read_small(self.path, _MAX_BYTES))
        except FileNotFoundError:
            document = {}
        except OSError as error:
            document = {}
            self._stamp, self._unread = None, error
            self.problem = "the list of projects can't be read"
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or type(document.get("schema", SCHEMA)) is not int:
            self._garbage = True
            self.problem = "the list of projects is damaged, and will be kept under another name"
            document = {}
        elif document.get("schema", SCHEMA) > SCHEMA:
            self.problem = "a newer claude-sync wrote the list of projects: it isn't changed here"
        self._document = document
        self.directories = _section(document.get("directories"), _directory_entry)
        self.repositories = _section(document.get("repositories"), _repository_entry)
        visited = document.get("scanned")
        self.scanned = {
            path: time
            for path, time in (visited.items() if isinstance(visited, dict) else ())
            if type(time) is int
        }


def _section(members: object, read: Callable[[dict[str, Any]], _Value | None]) -> dict[str, _Value]:
    if not isinstance(members, dict):
        return {}
    found = {}
    for path, value in members.items():
        if os.path.isabs(path) and isinstance(value, dict):
            entry = read(value)
            if entry is not None:
                found[path] = entry
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _key(value: object) -> str:
    text = _text(value)
    return text if is_project_key(text) else ""


def _directory_entry(members: dict[str, Any]) -> DirectoryEntry | None:
    source, key = members.get("source"), _key(members.get("key"))
    if source not in (FOUND, ADDED, REMOVED):
        return None
    return DirectoryEntry(
        source=str(source),
        pinned=members.get("pinned") is True and bool(key),
        key=key,
        subpath=_text(members.get("subpath")),
        root=_text(members.get("root")),
    )


def _directory_members(entry: DirectoryEntry) -> dict[str, Any]:
    members: dict[str, Any] = {"source": entry.source, "key": entry.key, "root": entry.root}
    return members | {"subpath": entry.subpath, "pinned": entry.pinned}


def _repository_entry(members: dict[str, Any]) -> RepositoryEntry | None:
    key, paths = _key(members.get("key")), members.get("files")
    failed, failed_at = _text(members.get("failed")), members.get("failed_at")
    if not (key or failed) or not isinstance(paths, list):
        return None
    return RepositoryEntry(
        key,
        _text(members.get("signature")),
        tuple(path for path in paths if isinstance(path, str)),
        members.get("head_counts") is True,
        failed,
        failed_at if isinstance(failed_at, float) else 0.0,
    )


def _repository_members(entry: RepositoryEntry) -> dict[str, Any]:
    members: dict[str, Any] = {"key": entry.key, "signature": entry.signature}
    members |= {"failed": entry.failed, "failed_at": entry.failed_at}
    return members | {"files": list(entry.files), "head_counts": entry.head_counts}
