"""Opening files and folders: a project, the preferences, the log, the help."""

from __future__ import annotations

import base64
import re

from claude_sync.state import preferences
from claude_sync_app.desktop import opening
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.icons.icons import assets
from claude_sync_app.tray.pages import show_page
from claude_sync_app.tray.verbs import Action

_ICON = re.compile(r'src="icons/([a-z-]+\.svg)"')


def open_preferences(tray: TrayContext, _: Action) -> None:
    """Open preferences.json in the user's editor; creates it if it isn't there yet."""
    path = tray.paths.preferences_file
    if not path.exists():
        preferences.change(tray.paths)
    opening.open_path(path)


def open_project(tray: TrayContext, action: Action) -> None:
    """Open a session's folder in the file manager."""
    opening.open_path(tray.directory_of(action.subject))


def show_log(tray: TrayContext, _: Action) -> None:
    """Open the log."""
    opening.open_path(tray.paths.log_file)


def show_help(tray: TrayContext, _: Action) -> None:
    """Open the page that says what the icon and the menu mean."""
    page = (assets() / "help.html").read_text(encoding="utf-8")
    show_page(tray.paths, "help", _ICON.sub(_embedded, page))


def _embedded(found: re.Match[str]) -> str:
    """An icon in the page itself: a browser in a sandbox reads no file beside it."""
    image = (assets() / "icons" / found[1]).read_bytes()
    return f'src="data:image/svg+xml;base64,{base64.b64encode(image).decode()}"'
