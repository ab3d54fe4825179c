"""A session's files: the only place that knows which there are, and where each of them lies.

| here | in a bundle |
| --- | --- |
| `projects/<folder>/<id>.jsonl` | the transcript |
| `projects/<folder>/<id>/…`, the sidecar folder | by its path there |
| `tasks/<id>/<n>.json`, the task list | `@tasks/<n>.json` |
| `plans/<slug>.md`, of the last slug in the transcript | `@plans/<slug>.md` |
| `file-history/<id>/<16 hex digits>@v<n>`, checkpoints | `@file-history/<16 hex digits>@v<n>` |
| `todos/<id>-agent-<id>.json`, what older clients keep tasks in | `@todos/<id>-agent-<id>.json` |

The last four are the session's companions: the client changes them in place. Whatever isn't in the
table stays where it is, and what a bundle holds of that kind is never placed. As seen with versions
2.1.2 and 2.1.332. Nothing here writes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from claude_sync.disk import files
from claude_sync.disk.snapshot import Snapshot
from claude_sync.errors import SessionChanging
from claude_sync.model import LocalSession, SidecarFile
from claude_sync.names import is_session_id, is_sidecar_path, is_windows_device
from claude_sync.values import NamedTuple

TRANSCRIPT_SUFFIX = ".jsonl"

TASKS, PLANS, CHECKPOINTS, TODOS = "tasks", "plans", "file-history", "todos"
"""The folders of companions, in Claude Code's own."""

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_MAX_SLUG = 100
_NAMES = {
    TASKS: r"[0-9]{1,9}\.json",
    PLANS: rf"{_SLUG}\.md",
    CHECKPOINTS: r"[0-9a-f]{16}@v[0-9]{1,9}",
    TODOS: rf"({_ID})-agent-\1\.json",
}
_PLAN_SUFFIX = ".md"


def is_slug(text: str) -> bool:
    """Whether a text may be the name of a plan, and so of a file on every system."""
    return (
        len(text) <= _MAX_SLUG
        and re.fullmatch(_SLUG, text) is not None
        and not is_windows_device(text)
    )


def is_companion(path: str) -> bool:
    """Whether a path in a bundle is that of a companion, rather than of a sidecar folder's file."""
    return path.startswith("@")


def is_checkpoint(path: str) -> bool:
    """Whether a path in a bundle is that of a checkpoint."""
    return path.startswith(f"@{CHECKPOINTS}/")


def checkpoint_version(path: str) -> int:
    """The number of a checkpoint among those of its file, by its path in a bundle."""
    return int(path.rpartition("@v")[2])


def is_plan(path: str) -> bool:
    """Whether a path in a bundle is that of a plan."""
    return path.startswith(f"@{PLANS}/")


def companion_path(kind: str, name: str) -> str:
    """The path in a bundle of a file in a folder of companions; "" where it is none of a session's.

    Args:
        kind: which folder.
        name: the file's name.
    """
    if re.fullmatch(_NAMES[kind], name) is None:
        return ""
    if kind == PLANS and not is_slug(name.removesuffix(_PLAN_SUFFIX)):
        return ""
    return f"@{kind}/{name}"


def plan_path(slug: str) -> str:
    """The path in a bundle of the plan with a name."""
    return f"@{PLANS}/{slug}{_PLAN_SUFFIX}"


def todos_name(stem: str) -> str:
    """The name of a session's file among the to-do lists of older clients."""
    return f"{stem}-agent-{stem}.json"


def is_session_file(path: str) -> bool:
    """Whether a path in a bundle is that of a session's file, of whatever session."""
    if not is_companion(path):
        return is_sidecar_path(path)
    kind, _, name = path[1:].partition("/")
    return kind in _NAMES and companion_path(kind, name) == path


def belongs_to(path: str, session_id: str, slug: Callable[[], str]) -> bool:
    """Whether a session's file in a bundle belongs to this very session.

    Args:
        path: its path there.
        session_id: the session.
        slug: tells the last slug in the session's transcript.
    """
    if not is_session_file(path):
        return False
    if path.startswith(f"@{TODOS}/"):
        return path == f"@{TODOS}/{todos_name(session_id.lower())}"
    return not is_plan(path) or path == plan_path(slug())


def under_id(path: str, session_id: str) -> str:
    """The path in a bundle of a session's file, once the session has another id."""
    if path.startswith(f"@{TODOS}/"):
        return f"@{TODOS}/{todos_name(session_id.lower())}"
    return path


class SessionFiles(NamedTuple):
    """Where the files of one session lie.

    Attributes:
        transcript: the session's, in a project's folder of Claude Code's.
    """

    transcript: Path

    @property
    def folder(self) -> Path:
        """The sidecar folder, whether or not it exists."""
        return self.transcript.with_suffix("")

    @property
    def home(self) -> Path:
        """Claude Code's folder."""
        return self.transcript.parents[2]

    def path_of(self, path: str) -> Path:
        """Where a file lies, or would lie, that has this path in a bundle."""
        root, relative = self._root_and_rest(path)
        return root / relative

    def to_write(self, path: str) -> Path:
        """The same, once it is sure that no link leads anywhere else.

        Raises:
            BundleUnsafe: one does, or a file lies where a folder is needed.
        """
        return files.descend(*self._root_and_rest(path))

    def _root_and_rest(self, path: str) -> tuple[Path, str]:
        """The folder below which nothing may be a link, it included, and what comes below it."""
        if not is_companion(path):
            return self.folder, path
        kind, _, name = path[1:].partition("/")
        stem = self.transcript.stem
        if kind == TODOS:
            name = todos_name(stem)
        elif kind != PLANS:
            name = f"{stem}/{name}"
        return self.home / kind, name


def session_of_companion(path: str) -> str | None:
    """Whose companion a path is, as far as the path tells.

    Args:
        path: of a file or a folder, relative to Claude Code's folder.

    Returns:
        the session's id; "" where only a look at the sessions tells, as of a plan; None where it is
        no companion.
    """
    kind, _, rest = path.partition(os.sep)
    name, _, file = rest.partition(os.sep)
    if kind == PLANS:
        return "" if companion_path(PLANS, name) else None
    if kind == TODOS:
        stem = name[:36]
        return stem.lower() if is_session_id(stem) and name == todos_name(stem) else None
    if kind != TASKS or not is_session_id(name) or (file and not companion_path(kind, file)):
        return None
    return name.lower()


def signature_of(local: LocalSession) -> str:
    """What tells that none of a session's files but the transcript has changed; "" without any."""
    if not local.sidecar:
        return ""
    return hashlib.sha256(repr(local.sidecar).encode()).hexdigest()


def snapshot_of(local: LocalSession, path: str, *, marks: Sequence[int] = ()) -> Snapshot:
    """One of a session's files but the transcript, open to be read.

    Args:
        local: the session.
        path: the file's path in a bundle.
        marks: sizes at which to note the hash as well.

    Raises:
        OSError: it can't be read.
        SessionChanging: it was removed since the session was looked at.
    """
    where = SessionFiles(local.path).path_of(path)
    try:
        return Snapshot(where, marks=marks)
    except FileNotFoundError as error:
        raise SessionChanging(
            "one of the session's files was removed since it was looked at",
            where=str(where),
            todo="it is tried again next time",
        ) from error


def read_sidecar(
    local: LocalSession,
    check: Callable[[], None] = lambda: None,
    known: Mapping[str, SidecarFile] = MappingProxyType({}),
) -> tuple[SidecarFile, ...]:
    """Size and hash of each of a session's files but the transcript.

    Args:
        local: the session.
        check: called between files; raises to stop.
        known: files that needn't be read, by path: their stamps are what they were.

    Raises:
        OSError: one can't be read.
        SessionChanging: one is being rewritten, or was removed.
    """
    found = []
    for path, _ in local.sidecar:
        check()
        if path in known:
            found.append(known[path])
            continue
        with snapshot_of(local, path) as snapshot:
            version = snapshot.settle()
        found.append(SidecarFile(path, version.size, version.sha256))
    return tuple(found)
