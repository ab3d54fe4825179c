"""Claude Code's folders: where a session lies, which are open, when the client cleans up.

The facts were seen on the client, version 2.1.330 for Linux. Nothing here writes.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from claude_sync.disk.home_directory import home_directory
from claude_sync.disk.snapshot import Snapshot, is_link, read_small, stamp_of
from claude_sync.errors import BundleUnsafe, ClaudeHomeError
from claude_sync.model import MAX_SIDECAR_FILES, LocalSession, SidecarFile, Stamp
from claude_sync.names import check_relative, folded, is_session_id, is_temporary

DEFAULT_CLEANUP_DAYS = 30
ENCODED_LIMIT = 200
_SUFFIX = ".jsonl"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


# --- the encoded directory name ----------------------------------------------------------------


def encode_directory(directory: str) -> str:
    """The name of the folder that the client keeps a working directory's sessions in.

    Every UTF-16 code unit outside ``[a-zA-Z0-9]`` becomes ``-``; beyond 200 of them the first
    200, ``-``, and a hash of the whole in base 36.
    """
    units = directory.encode("utf-16-le", "surrogatepass")
    plain = re.sub(
        "[^a-zA-Z0-9]", lambda match: "-" * (1 + (ord(match.group()) > 0xFFFF)), directory
    )
    if len(plain) <= ENCODED_LIMIT:
        return plain
    code = 0
    for index in range(0, len(units), 2):
        code = (code * 31 + units[index] + (units[index + 1] << 8)) & 0xFFFFFFFF
    code = abs(code - (1 << 32) if code >= 1 << 31 else code)
    digits = ""
    while code:
        code, digit = divmod(code, 36)
        digits = _DIGITS[digit] + digits
    return f"{plain[:ENCODED_LIMIT]}-{digits or '0'}"


def folder_matches(folder: str, directory: str) -> bool:
    """Whether a folder's name is the encoding of a directory.

    Beyond 200 characters only those are compared: the hash has changed between client versions.
    """
    encoded = encode_directory(directory)
    if len(encoded) <= ENCODED_LIMIT:
        return folder == encoded
    return folder[: ENCODED_LIMIT + 1] == encoded[: ENCODED_LIMIT + 1]


# --- the home ----------------------------------------------------------------------------------


class ClaudeHome:
    """The folder in which Claude Code keeps everything.

    Args:
        path: ``$CLAUDE_CONFIG_DIR``, or ``~/.claude``; `locate` finds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.projects = path / "projects"
        self.live_folder = path / "sessions"

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
            UsageError: neither says it, and the home directory is unknown.
        """
        environ = os.environ if environ is None else environ
        named = environ.get("CLAUDE_CONFIG_DIR") or remembered
        return cls(Path(named).expanduser().absolute() if named else home_directory() / ".claude")

    # -- sessions -----------------------------------------------------------------------------

    def sessions(self) -> list[LocalSession]:
        """Every session in the tree, from directory listings alone.

        Raises:
            ClaudeHomeError: the tree is there and can't be read.
        """
        try:
            with os.scandir(self.projects) as entries:
                folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise ClaudeHomeError(
                "Claude Code's sessions can't be read",
                where=str(self.projects),
                todo="check the folder's permissions",
            ) from error
        found: list[LocalSession] = []
        for folder in folders:
            found.extend(self._in_folder(folder.name))
        return found

    def find(self, session_id: str) -> list[LocalSession]:
        """Every copy of one session, looked up afresh."""
        try:
            with os.scandir(self.projects) as entries:
                folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            return []
        return [
            session
            for folder in folders
            if (session := self.session_in(folder, session_id)) is not None
        ]

    def session_in(self, folder: str, session_id: str) -> LocalSession | None:
        """One session in one folder as it is now, None where it isn't."""
        path = self.projects / folder / f"{session_id}{_SUFFIX}"
        try:
            status = os.lstat(path)
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        sidecar = sidecar_stamps(sidecar_folder(path))
        return LocalSession(session_id, path, folder, stamp_of(status), *sidecar)

    def _in_folder(self, folder: str) -> Iterator[LocalSession]:
        base = self.projects / folder
        files: list[tuple[str, Stamp]] = []
        directories: set[str] = set()
        try:
            with os.scandir(base) as entries:
                for entry in entries:
                    if entry.name.endswith(_SUFFIX):
                        status = _status(entry)
                        if stat.S_ISREG(status.st_mode):
                            files.append((entry.name[: -len(_SUFFIX)], stamp_of(status)))
                    elif entry.is_dir(follow_symlinks=False):
                        directories.add(entry.name)
        except FileNotFoundError:
            pass  # The client removed a folder, or a session of it, while we looked.
        except OSError as error:
            raise ClaudeHomeError(
                "a project's sessions can't be read",
                where=str(base),
                todo="check the folder's permissions",
            ) from error
        for session_id, stamp in files:
            if not is_session_id(session_id):
                continue
            path = base / f"{session_id}{_SUFFIX}"
            sidecar = sidecar_stamps(base / session_id) if session_id in directories else _NONE
            yield LocalSession(session_id, path, folder, stamp, *sidecar)

    def folder_for(self, directory: Path) -> Path:
        """Where the client keeps, or will keep, the sessions of a working directory.

        Beyond 200 characters a folder that exists is preferred over the computed name. The
        directory may not exist; its links are resolved as far as it does.
        """
        resolved = os.path.realpath(directory)
        encoded = encode_directory(resolved)
        if len(encoded) > ENCODED_LIMIT and not (self.projects / encoded).is_dir():
            try:
                names = sorted(os.listdir(self.projects))
            except OSError:
                names = []
            for name in names:
                if folder_matches(name, resolved) and (self.projects / name).is_dir():
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


# --- sidecars ----------------------------------------------------------------------------------


def sidecar_folder(transcript: Path) -> Path:
    """The folder of a session's further files, whether or not it exists."""
    return transcript.with_suffix("")


class SidecarStamps(NamedTuple):
    """What lies in a sidecar folder.

    Attributes:
        stamps: of the files that can travel, by relative path, sorted.
        left_out: how many regular files can't: their names mean nothing, or something else, on
            another system, or there are more than 10,000.
    """

    stamps: tuple[tuple[str, Stamp], ...]
    left_out: int


_NONE = SidecarStamps((), 0)


def sidecar_stamps(folder: Path) -> SidecarStamps:
    """The regular files of a sidecar folder; links, the like, and our own temporaries are none."""
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
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((entry.path, relative + "/"))
                    elif not is_temporary(relative):
                        status = _status(entry)
                        if not stat.S_ISREG(status.st_mode):
                            continue
                        regular += 1
                        if _travels(relative):
                            found.setdefault(folded(relative), (relative, stamp_of(status)))
        except OSError:
            continue
    stamps = tuple(sorted(found.values())[:MAX_SIDECAR_FILES])
    return SidecarStamps(stamps, regular - len(stamps))


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


def _status(entry: os.DirEntry[str]) -> os.stat_result:
    """A directory entry's status, links not followed.

    Windows keeps a copy in the directory that lacks the file's number and lags behind the file
    (https://docs.python.org/3/library/os.html#os.DirEntry.stat): a stamp of it would never be
    equal to one of the file itself.
    """
    return os.lstat(entry.path) if os.name == "nt" else entry.stat(follow_symlinks=False)


def _travels(relative: str) -> bool:
    try:
        check_relative(relative)
    except BundleUnsafe:
        return False
    return True
