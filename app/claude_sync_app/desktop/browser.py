"""Which folder a page has to be in for the user's browser to read it.

A browser from a snap, as on Ubuntu, can read neither hidden folders of the home directory nor files
outside it; it can always read its own folder.
https://snapcraft.io/docs/home-interface, https://snapcraft.io/docs/data-locations
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from claude_sync.disk.programs import full_command

_ASKED_SECONDS = 10.0
_MOST_CHARACTERS = 200_000
_FOLDERS = "/usr/local/share:/usr/share"
_OF_SNAPS = "/var/lib/snapd/desktop"
# snapd writes it into every entry that it installs.
_INSTANCE = re.compile(r"^X-SnapInstanceName=([a-z0-9][a-z0-9_-]*)$", re.MULTILINE)


def folder_of_browser(home: Path, environment: Mapping[str, str]) -> Path | None:
    """The folder for pages of the user's browser; None if it can read any. Runs a program.

    Args:
        home: the user's home directory.
        environment: where programs are told to look for entries.
    """
    if not sys.platform.startswith("linux"):
        return None
    entry = _entry_for_pages()
    if not entry or "/" in entry:
        return None
    for applications in _applications(home, environment):
        try:
            with (applications / entry).open(encoding="utf-8", errors="replace") as file:
                found = _INSTANCE.search(file.read(_MOST_CHARACTERS))
        except OSError:
            continue
        return folder_of_snap(home, found[1]) if found is not None else None
    return None


def folders_of_browsers(home: Path) -> list[Path]:
    """All existing folders that `folder_of_browser` may have returned."""
    return sorted(home.glob(str(folder_of_snap(Path(), "*"))))


def folder_of_snap(home: Path, snap: str) -> Path:
    """Our folder where a browser from a snap can read it."""
    return home / "snap" / snap / "common" / "claude-sync"


def _entry_for_pages() -> str:
    """The name of the entry of the program that opens pages; "" if none is known."""
    try:
        done = subprocess.run(
            full_command(["xdg-mime", "query", "default", "text/html"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_ASKED_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip()


def _applications(home: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """Where entries are, in order of precedence.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    data = environment.get("XDG_DATA_HOME", "")
    yield Path(data if os.path.isabs(data) else home / ".local" / "share", "applications")
    folders = environment.get("XDG_DATA_DIRS") or _FOLDERS
    # The environment of a program that the session didn't start may lack snapd's folder.
    for folder in (*folders.split(":"), _OF_SNAPS):
        if os.path.isabs(folder):
            yield Path(folder, "applications")
