"""What sessions, projects, machines and the store are called in menus and notifications. Pure.

Titles, keys and names of machines are strangers' text: they come out on one line, short, and
without anything that acts on the text around them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from claude_sync.model import SessionState
from claude_sync.service.status import Status
from claude_sync_app.desktop.synced_folders import SyncedFolder
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.environment import Environment

TITLE_LENGTH = 50
_NAME_LENGTH = 30
_STORE_LENGTH = 40
_PRIVATE = "claude-sync"


def title_of(state: SessionState) -> str:
    """A session's title; the beginning of its id if it has none."""
    title = shortened(one_line(state.title), TITLE_LENGTH)
    return title or f"Untitled {state.session_id[:8]}"


def discreet_title_of(state: SessionState, *, show_titles: bool) -> str:
    """The same where others may see it: unless titles are allowed, only the project's name."""
    if show_titles:
        return title_of(state)
    project = project_of(state.project_key)
    return f"A session of {project}" if project else "A session"


def project_of(key: str) -> str:
    """A project's own name, the last part of its key; "" if there is none."""
    return shortened(one_line(key.rpartition("/")[2].rpartition(":")[2]), _NAME_LENGTH)


def machine_of(name: str) -> str:
    """A machine's name."""
    return shortened(one_line(name), _NAME_LENGTH) or "another machine"


def machines_of(names: Iterable[str]) -> str:
    """Several machines: desktop; desktop and laptop; 3 machines."""
    known = sorted({machine_of(name) for name in names})
    if len(known) > 2:
        return f"{len(known)} machines"
    return " and ".join(known)


def store_name(status: Status, environment: Environment) -> str:
    """What the store is called: the synced folder's name, the host's, or the folder itself."""
    folder = synced_folder_of(status, environment)
    if folder is not None:
        return shortened(one_line(folder.name), _NAME_LENGTH)
    return shortened(one_line(status.label or status.location), _STORE_LENGTH)


def synced_folder_of(status: Status, environment: Environment) -> SyncedFolder | None:
    """The synced folder that the store is in, None if it is in none that is known."""
    root = _store_folder(status, environment)
    if root is None:
        return None
    containing = [one for one in environment.synced_folders if root.is_relative_to(one.path)]
    return max(containing, key=lambda one: len(one.path), default=None)


def is_private(status: Status, environment: Environment) -> bool:
    """Whether the store is this machine's private folder, which no other machine sees."""
    if _store_folder(status, environment) != Path(environment.home) / _PRIVATE:
        return False
    if synced_folder_of(status, environment) is not None:
        return False
    # Another machine may reach the folder over ssh.
    own = status.machine.name if status.machine is not None else ""
    return all(name == own for state in status.sessions for name in state.machines)


def _store_folder(status: Status, environment: Environment) -> PurePath | None:
    location = status.location
    if not location or status.remote:
        return None
    if location == "~" or location.startswith(("~/", "~\\")):
        return Path(environment.home + location[1:])
    folder = Path(location)
    return folder if folder.is_absolute() else None
