"""Browsers that can show a page in a window of its own, without tabs and address.

Chrome, Chromium, Edge and their kin take ``--app=ADDRESS``; where they lie differs by system.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from claude_sync.disk.programs import find_program
from claude_sync_app.desktop.browser import folder_of_snap

if sys.platform == "win32":
    from claude_sync_app.desktop.app_windows.windows import candidates
elif sys.platform == "darwin":
    from claude_sync_app.desktop.app_windows.macos import candidates
else:
    from claude_sync_app.desktop.app_windows.linux import candidates

_SNAPS = ("/snap/bin", "/var/lib/snapd/snap/bin")


def find_program_for_windows(environment: Mapping[str, str] = os.environ) -> str | None:
    """The whole path of such a browser; None where there is none.

    Args:
        environment: where programs are.
    """
    found = (find_program(name, environment=environment) for name in candidates(environment))
    return next((program for program in found if program is not None), None)


def folder_it_can_read(program: str, home: Path) -> Path | None:
    """The one folder for pages that such a browser can read; None if it can read any.

    Args:
        program: its whole path.
        home: the user's home directory.
    """
    name = os.path.basename(program)
    # Ubuntu's chromium-browser is a script that starts the snap.
    names = {name, "chromium"} if name == "chromium-browser" else {name}
    for snap in names:
        if any(os.path.lexists(os.path.join(folder, snap)) for folder in _SNAPS):
            return folder_of_snap(home, snap)
    return None
