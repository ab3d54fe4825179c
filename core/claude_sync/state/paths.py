"""Where claude-sync keeps its things."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from claude_sync.disk.home_directory import home_directory
from claude_sync.values import NamedTuple

APPLICATION = "claude-sync"
SEARCH_FILE, SQLITE_SUFFIX = "search", ".sqlite"
"""How the names of the indexes of what was said begin and end."""


class Paths(NamedTuple):
    """The directories of this user on this machine; none of them need exist.

    Attributes:
        config: what people edit and copy between machines.
        state: what belongs to this machine alone.
        runtime: for sockets; nobody else can write there.
    """

    config: Path
    state: Path
    runtime: Path

    @property
    def preferences_file(self) -> Path:
        return self.config / "preferences.json"

    @property
    def projects_file(self) -> Path:
        return self.config / "projects.json"

    @property
    def decisions_file(self) -> Path:
        """What a person decided about sessions; nothing else brings it back."""
        return self.config / "decisions.json"

    @property
    def machine_file(self) -> Path:
        return self.state / "machine.json"

    @property
    def records_directory(self) -> Path:
        return self.state / "records"

    @property
    def keys_directory(self) -> Path:
        """The keys of encrypted stores."""
        return self.state / "keys"

    @property
    def vault_directory(self) -> Path:
        return self.state / "vault"

    @property
    def client_file(self) -> Path:
        """What the installed Claude Code was found to know."""
        return self.state / "client.json"

    @property
    def opening_file(self) -> Path:
        """Which sessions are about to be opened."""
        return self.state / "opening.json"

    @property
    def newer_version_file(self) -> Path:
        """When was asked last whether a newer version was published."""
        return self.state / "newer_version.json"

    @property
    def activity_file(self) -> Path:
        """What was done here, for a month."""
        return self.state / "activity.sqlite"

    def search_file_of(self, folder_mark: str) -> Path:
        """The index of what was said in the sessions of one of Claude Code's folders.

        Args:
            folder_mark: which of them, as `machine.folder_mark` says.
        """
        return self.state / f"{SEARCH_FILE}{folder_mark}{SQLITE_SUFFIX}"

    @property
    def log_file(self) -> Path:
        return self.state / "claude-sync.log"

    @property
    def lock_file(self) -> Path:
        """Held by whoever looks, writes and records."""
        return self.state / "lock"

    @property
    def service_lock_file(self) -> Path:
        """Held by the one service of this user's folder of Claude Code's, as long as it runs."""
        return self.service_lock_file_of("")

    def service_lock_file_of(self, folder_mark: str) -> Path:
        """The same where there are several such folders, each with a service of its own.

        Args:
            folder_mark: which of them, as `machine.folder_mark` says.
        """
        return self.state / f"service{folder_mark}.lock"

    def inlet_file_of(self, home_mark: str) -> Path:
        """Where the service of one of Claude Code's folders can be reached, beside its lock.

        Args:
            home_mark: which folder, as `inlet_address.home_mark` says.
        """
        return self.state / f"service-{home_mark}.inlet"

    def inlet_socket_of(self, home_mark: str) -> Path:
        """The socket that it listens on, where the system has such."""
        return self.runtime / f"service-{home_mark}.sock"


if sys.platform.startswith("linux"):

    def paths() -> Paths:
        """Where this user's things are, as platformdirs says: XDG_* are honoured.

        Raises:
            UsageError: the home directory can't be told.
        """
        # platformdirs' own answer, without the 8 ms that its import takes; a test compares them.
        home = home_directory()
        state = _xdg("XDG_STATE_HOME", home / ".local/state")
        return Paths(_xdg("XDG_CONFIG_HOME", home / ".config"), state, _runtime() or state / "run")

    def _xdg(variable: str, otherwise: Path) -> Path:
        base = os.environ.get(variable, "")
        return Path(base if os.path.isabs(base) else otherwise, APPLICATION)

    def _runtime() -> Path | None:
        """In the session's runtime directory; not in /tmp, where others could be first."""
        base = os.environ.get("XDG_RUNTIME_DIR", "")
        try:
            status = os.lstat(base) if os.path.isabs(base) else None
        except OSError:
            return None
        if status is None or status.st_uid != os.getuid() or status.st_mode & 0o077:
            return None
        return Path(base, APPLICATION) if stat.S_ISDIR(status.st_mode) else None

else:

    def paths() -> Paths:
        """Where this user's things are, as platformdirs says: XDG_* are honoured.

        Raises:
            UsageError: the home directory can't be told.
        """
        from platformdirs import PlatformDirs

        home_directory()  # nothing goes on without one
        directories = PlatformDirs(APPLICATION, appauthor=False)
        return Paths(
            directories.user_config_path,
            directories.user_state_path,
            directories.user_runtime_path,
        )
