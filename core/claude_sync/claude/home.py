"""Claude Code's folders: where a session lies, which are open, when the client cleans up.

The facts were seen on the client, version 2.1.330 for Linux. Nothing here writes.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from claude_sync.claude.config_dir import named_folder
from claude_sync.claude.listed_files import Companions, sidecar_stamps
from claude_sync.claude.session_files import (
    CHECKPOINTS,
    PLANS,
    TASKS,
    TODOS,
    TRANSCRIPT_SUFFIX,
    SessionFiles,
    session_of_companion,
)
from claude_sync.claude.slugs import Slugs
from claude_sync.claude.tree import Tree, look_at_tree, project_folders
from claude_sync.disk.home_directory import home_directory
from claude_sync.disk.resolved import resolved
from claude_sync.disk.snapshot import read_small, stamp_of
from claude_sync.errors import ClaudeHomeError
from claude_sync.model import LocalSession, Stamp
from claude_sync.spelling import extended, folds_case, same_case

DEFAULT_CLEANUP_DAYS = 30
ENCODED_LIMIT = 200
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


# --- the encoded directory name ----------------------------------------------------------------


def encode_directory(directory: str) -> str:
    """The name of the folder that the client keeps a working directory's sessions in.

    Every UTF-16 code unit outside ``[a-zA-Z0-9]`` becomes ``-``; beyond 200 of them the first
    200, ``-``, and a hash of the whole in base 36.
    """
    plain = re.sub(
        "[^a-zA-Z0-9]", lambda match: "-" * (1 + (ord(match.group()) > 0xFFFF)), directory
    )
    if len(plain) <= ENCODED_LIMIT:
        return plain
    units = directory.encode("utf-16-le", "surrogatepass")
    code = 0
    for index in range(0, len(units), 2):
        code = (code * 31 + units[index] + (units[index + 1] << 8)) & 0xFFFFFFFF
    code = abs(code - (1 << 32) if code >= 1 << 31 else code)
    digits = ""
    while code:
        code, digit = divmod(code, 36)
        digits = _DIGITS[digit] + digits
    return f"{plain[:ENCODED_LIMIT]}-{digits or '0'}"


def folder_matches(folder: str, directory: str, system: str = sys.platform) -> bool:
    """Whether a folder's name is the encoding of a directory, in whatever case it was typed.

    See `bucket`, which is the same as a look-up.
    """
    return bucket(folder, system) == bucket(encode_directory(directory), system)


def bucket(folder: str, system: str = sys.platform) -> str:
    """What the names of all folders that may be one directory's have in common.

    Beyond 200 characters only those are compared: the hash has changed between client versions.
    Where case doesn't count (`spelling.folds_case`), one folder is that of ``c:\\``, as an editor
    starts the client, and of ``C:\\``, as a terminal does; its name is as the first had it.

    Args:
        folder: a folder's name.
        system: as `sys.platform` has it.
    """
    return same_case(folder[: ENCODED_LIMIT + 1], system)


# --- the home ----------------------------------------------------------------------------------


class ClaudeHome:
    """The folder in which Claude Code keeps everything.

    Args:
        path: ``$CLAUDE_CONFIG_DIR``, or ``~/.claude``; `locate` finds it.
        system: as `sys.platform` has it.

    Attributes:
        checkpoints: whether checkpoints count among a session's files.
        slugs: which plan each transcript names.
    """

    def __init__(self, path: Path, system: str = sys.platform) -> None:
        self.path = path
        self._system = system
        # What lies below has names of 36 characters in folders of 200.
        self.projects = Path(extended(str(path / "projects")))
        self.live_folder = path / "sessions"
        self.checkpoints = True
        self.slugs = Slugs()

    @classmethod
    def locate(
        cls, environ: Mapping[str, str] | None = None, remembered: str | None = None
    ) -> ClaudeHome:
        """The home of this user.

        Args:
            environ: the environment, None for the process's own.
            remembered: the preference `claude_config_dir`: what the variable was at set-up, for
                programs that are started without the shell's environment.

        Raises:
            UsageError: neither says it, and the home directory is unknown; or the variable is
                relative, and the current directory is gone.
        """
        named = named_folder(environ)
        if named is None and remembered:
            named = Path(remembered).expanduser().absolute()
        return cls(named or home_directory() / ".claude")

    # -- sessions -----------------------------------------------------------------------------

    def look(self) -> Tree:
        """Every session in the tree, and what of it can't be seen.

        Raises:
            ClaudeHomeError: the tree is there and can't be listed.
        """
        return look_at_tree(self.projects, self._companions())

    def sessions(self) -> list[LocalSession]:
        """Every session in the tree that can be seen.

        Raises:
            ClaudeHomeError: the tree is there and can't be listed.
        """
        return list(self.look().sessions)

    def find(self, session_id: str) -> list[LocalSession]:
        """Every copy of one session that can be seen, looked up afresh."""
        try:
            folders = project_folders(self.projects).names
        except ClaudeHomeError:
            return []
        return [
            session
            for folder in folders
            if (session := self.session_in(folder, session_id)) is not None
        ]

    def session_in(self, folder: str, session_id: str) -> LocalSession | None:
        """One session in one folder as it is now, None where it isn't or can't be seen."""
        try:
            return self.session_now(folder, session_id)
        except OSError:
            return None

    def session_now(self, folder: str, session_id: str) -> LocalSession | None:
        """The same where it matters why it can't be seen; None where it isn't.

        Raises:
            OSError: it can't be seen.
        """
        base = self.projects / folder
        path = base / f"{session_id}{TRANSCRIPT_SUFFIX}"
        try:
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                path = base / _as_spelled(base, path.name)
                status = os.lstat(path)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        stamp = stamp_of(status)
        listed = sidecar_stamps(SessionFiles(path).folder)
        listed = self._companions(path.stem).add_to(listed, path, stamp)
        return LocalSession(session_id.lower(), path, folder, stamp, *listed)

    def files_without_transcript(
        self, where: SessionFiles, plans: Sequence[str]
    ) -> tuple[tuple[str, Stamp], ...]:
        """Stamps of the files of a session whose transcript is gone, by path in a bundle.

        Args:
            where: where they lie.
            plans: the paths of its plans, which only the transcript could tell.

        Raises:
            OSError: a part of its folder can't be seen.
        """
        found = Companions(
            self.path, checkpoints=True, slug_of=lambda *_: "", only=where.transcript.stem
        ).add_to(sidecar_stamps(where.folder), where.transcript, Stamp(0, 0, 0))
        stamps = list(found.stamps)
        for plan in plans:
            try:
                status = os.lstat(where.path_of(plan))
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                stamps.append((plan, stamp_of(status)))
        return tuple(stamps)

    def _companions(self, only: str | None = None) -> Companions:
        return Companions(self.path, checkpoints=self.checkpoints, slug_of=self.slugs.of, only=only)

    def folders_of_companions(self) -> list[Path]:
        """The folders in which companions of sessions lie, or folders of them."""
        return [self.path / kind for kind in (TASKS, PLANS, CHECKPOINTS, TODOS)]

    def watched_companions(self) -> dict[Path, bool]:
        """The folders whose changes tell that a companion of a session changed.

        Each with whether what lies in folders below it counts. Checkpoints aren't among them: with
        each comes a line of the transcript.
        """
        return {self.path / TASKS: True, self.path / PLANS: False, self.path / TODOS: False}

    def session_of_companion(self, path: str) -> str | None:
        """Whose companion lies at a path, as far as that tells.

        Returns:
            the session's id; "" where only a look at the sessions tells; None where none does.
        """
        for home in dict.fromkeys((str(self.path), os.path.realpath(self.path))):
            if path.startswith(home + os.sep):
                return session_of_companion(path[len(home) + 1 :])
        return None

    def folder_for(self, directory: Path) -> Path:
        """Where the client keeps, or will keep, the sessions of a working directory.

        Beyond 200 characters, and where case doesn't count, a folder that exists is preferred over
        the computed name. The directory may not exist; its links are resolved as far as it does.
        """
        encoded = encode_directory(resolved(directory))
        if len(encoded) > ENCODED_LIMIT or folds_case(self._system):
            try:
                names = sorted(os.listdir(self.projects))
            except OSError:
                names = []
            wanted = bucket(encoded, self._system)
            alike = [name for name in names if bucket(name, self._system) == wanted]
            for name in sorted(alike, key=lambda name: name != encoded):
                if (self.projects / name).is_dir():
                    return self.projects / name
        return self.projects / encoded

    # -- clean-up -----------------------------------------------------------------------------

    def cleanup_days(self) -> int:
        """After how many days without a change the client deletes a transcript, at its start."""
        try:
            value = json.loads(read_small(self.path / "settings.json")).get("cleanupPeriodDays")
        except (OSError, ValueError, AttributeError, RecursionError):
            return DEFAULT_CLEANUP_DAYS
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            return DEFAULT_CLEANUP_DAYS
        return value

    def mtime_to_restore(self, mtime_ns: int, now_ns: int | None = None) -> int:
        """The modification time to give a transcript that came from elsewhere.

        Its own, so that the client's picker shows its age; but no time in the future, and none
        so old that the client would delete it at its next start.
        """
        now_ns = time.time_ns() if now_ns is None else now_ns
        day = 86_400 * 10**9
        days = self.cleanup_days()
        if mtime_ns < now_ns - (days - 3) * day:
            mtime_ns = now_ns - (days - 7) * day
        return min(mtime_ns, now_ns)


def _as_spelled(folder: Path, name: str) -> str:
    """A transcript's name as its folder has it: session ids differ in more than case."""
    for other in os.listdir(folder):
        if other.lower() == name.lower():
            return other
    return name
