"""Finding git repositories without starting git, and telling when one must be asked again.

A thousand sessions must not mean a thousand processes. So the walk from a directory up to its
repository only looks at names, as git does (gitrepository-layout(5)), and a *signature* of the
configuration files' sizes and times says whether git's last answer still holds.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from claude_sync.disk.resolved import resolved
from claude_sync.errors import ProjectKeyError
from claude_sync.values import NamedTuple

# Part of every signature: a program that reads remotes by other rules asks again.
_RULES = "1"
_MAX_POINTER_BYTES = 1 << 14
# With these a path isn't there; anything else (a permission, a dead mount) means "can't tell".
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL)


class Repository(NamedTuple):
    """A git repository as its files show it.

    Attributes:
        root: top of the working tree; of a bare repository, itself.
        git_dir: what belongs to this working tree alone.
        common_dir: what all working trees of the repository share; the same as git_dir but for
            linked ones.
        linked: made by ``git worktree add``, not the main working tree.
        problem: why git can't use it, "" where nothing is known against it.
    """

    root: str
    git_dir: str
    common_dir: str
    linked: bool = False
    problem: str = ""


class Found(NamedTuple):
    """A directory's repository, and where the directory lies in it ("" for the root)."""

    repository: Repository
    subpath: str


class Finder:
    """Finds repositories, and remembers what it saw: make a new one for every pass.

    Args:
        home: the home directory, None for the user's. A repository rooted there (dotfiles) counts
            for the home directory only, one rooted above it for nothing in it: else every
            directory without a repository of its own would be part of it.
    """

    def __init__(self, home: Path | None = None) -> None:
        text = os.path.abspath(home if home is not None else os.path.expanduser("~"))
        self.home = text
        self._homes = {os.path.normcase(text), os.path.normcase(os.path.realpath(text))}
        self._seen: dict[str, Repository | None] = {}
        self._stamps: dict[str, str] = {}
        self._general = ""

    def is_home(self, directory: str) -> bool:
        """Whether this is the home directory."""
        return os.path.normcase(directory) in self._homes

    def find(self, directory: str) -> Found | None:
        """The repository that a directory is in, None for none.

        Args:
            directory: absolute. It may be gone: what is left above it is looked at. Its links are
                resolved only if it isn't in a repository as it is written.

        Raises:
            ProjectKeyError: it can't be told, because something on the way can't be read.
        """
        found = self._find(directory)
        if found is None:
            try:
                real = resolved(directory)
            except (OSError, ValueError):
                return None
            if real != directory:
                found = self._find(real)
        return found

    def _find(self, directory: str) -> Found | None:
        repository = self._above(directory)
        if repository is None or not self._counts(repository.root, directory):
            return None
        subpath = (
            os.path.relpath(directory, repository.root) if directory != repository.root else ""
        )
        return Found(repository, subpath.replace(os.sep, "/"))

    def _counts(self, root: str, directory: str) -> bool:
        if self.is_home(root):
            return directory == root
        folded = os.path.normcase(root).rstrip(os.sep) + os.sep
        if not any(home.startswith(folded) for home in self._homes):
            return True
        here = os.path.normcase(directory) + os.sep
        return not any(here.startswith(home + os.sep) for home in self._homes)

    def _above(self, directory: str) -> Repository | None:
        passed: list[str] = []
        while directory not in self._seen:
            passed.append(directory)
            found = repository_at(directory)
            parent = os.path.dirname(directory)
            if found is not None and found.root == found.git_dir:
                found = self._around(found) or found
            if found is not None or parent == directory:
                self._seen[directory] = found
                break
            directory = parent
        found = self._seen[directory]
        for path in passed:
            self._seen[path] = found
        return found

    def _around(self, bare: Repository) -> Repository | None:
        """The working tree that a bare repository lies in, None where it lies in none.

        There it is a part of that tree, which anybody may have put there: no project, and no
        configuration to ask git about.
        """
        parent = os.path.dirname(bare.root)
        around = self._above(parent) if parent != bare.root else None
        if around is None or around.root == around.git_dir:
            return None
        if os.path.realpath(around.common_dir) == os.path.realpath(bare.common_dir):
            return None  # one repository, whose .git file leads to this part of it
        return around if self._counts(around.root, bare.root) else None

    def signature(
        self, repository: Repository, files: Iterable[str] = (), *, head_counts: bool = False
    ) -> str:
        """A short text that changes when git's answer about a repository's remotes may.

        Args:
            repository: which.
            files: further files that the last answer came from (included configurations).
            head_counts: whether the answer depends on the branch that is checked out.
        """
        common, own = repository.common_dir, repository.git_dir
        own_files = [os.path.join(common, "config"), os.path.join(own, "config.worktree")]
        if head_counts:
            own_files.append(os.path.join(own, "HEAD"))
            own_files.append(os.path.join(own, "reftable", "tables.list"))
        if not self._general:
            self._general = "\n".join(map(self._stamp, _general_configurations(self.home)))
        lines = [_RULES, own, common, repository.problem, self._general]
        lines += map(self._stamp, own_files)
        lines += map(self._stamp, files)
        text = "\n".join(lines).encode("utf-8", "surrogateescape")
        return hashlib.sha256(text).hexdigest()[:16]

    def _stamp(self, path: str) -> str:
        known = self._stamps.get(path)
        if known is None:
            try:
                status = os.stat(path)
                known = f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
            except (OSError, ValueError):
                known = f"{path} -"
            self._stamps[path] = known
        return known


def _general_configurations(home: str) -> list[str]:
    """Where git keeps what holds for all repositories: git-config(1), FILES and ENVIRONMENT.

    The system's file lies elsewhere in some builds; git names it once it was asked.
    """
    environment = os.environ
    chosen = environment.get("GIT_CONFIG_GLOBAL")
    xdg = environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    files = [chosen] if chosen else [os.path.join(home, ".gitconfig"), f"{xdg}/git/config"]
    return [*files, environment.get("GIT_CONFIG_SYSTEM") or "/etc/gitconfig"]


# --- one directory -----------------------------------------------------------------------------


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except ValueError:
        return None
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        # Where nothing is refused, as nearly always, nobody waits for it at a client's start.
        from claude_sync.disk.privacy import how_to_allow, is_refusal

        if is_refusal(error, path):
            raise ProjectKeyError(
                "macOS gives this program no access there, so the project isn't known",
                where=os.path.dirname(path),
                todo=how_to_allow(),
                passing=True,
            ) from error
        raise ProjectKeyError(
            "the directory can't be read, so its project isn't known",
            where=os.path.dirname(path),
            todo="check its permissions, and whether its disk is there",
            passing=True,
        ) from error


def repository_at(directory: str) -> Repository | None:
    """The repository whose root a directory is, None if it is none.

    Raises:
        ProjectKeyError: the directory can't be read.
    """
    entry = os.path.join(directory, ".git")
    status = _status(entry)
    if status is not None and stat.S_ISREG(status.st_mode):
        return _by_pointer(directory, entry)
    if status is not None and stat.S_ISDIR(status.st_mode):
        return _checked(directory, entry)
    # Working trees of a bare clone often lie in it or beside it.
    return None if os.path.basename(directory) == ".git" else _checked(directory, directory)


def _by_pointer(directory: str, entry: str) -> Repository:
    """What a .git file leads to: a linked working tree's part, or a submodule's repository."""
    text = _first_line(entry)
    if not text.startswith("gitdir: "):
        return Repository(directory, entry, entry, problem="its .git file leads nowhere")
    git_dir = os.path.join(directory, text.removeprefix("gitdir: "))
    found = _checked(directory, os.path.normpath(git_dir))
    if found is None:
        # As git does, this ends the search: what lies above is another repository.
        return Repository(directory, git_dir, git_dir, problem="what its .git file names is gone")
    return found


def _checked(root: str, git_dir: str) -> Repository | None:
    """The repository, if this directory has what git wants to see in one."""
    if _status(os.path.join(git_dir, "HEAD")) is None and not os.path.islink(f"{git_dir}/HEAD"):
        return None
    common_dir = git_dir
    pointer = os.path.join(git_dir, "commondir")
    linked = _status(pointer) is not None
    if linked:
        common_dir = os.path.normpath(os.path.join(git_dir, _first_line(pointer)))
    for part in ("objects", "refs"):
        status = _status(os.path.join(common_dir, part))
        if status is None or not stat.S_ISDIR(status.st_mode):
            return None
    return Repository(root, git_dir, common_dir, linked)


def _first_line(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            data = os.read(descriptor, _MAX_POINTER_BYTES)
        finally:
            os.close(descriptor)
    except OSError:
        return ""
    return data.split(b"\n")[0].rstrip(b"\r").decode("utf-8", "surrogateescape")
