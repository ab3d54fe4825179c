"""The pages of the window that clicks lead to, as `OPEN_WINDOW` names them. Pure."""

from __future__ import annotations

from claude_sync_app.tray.verbs import Action, Verb

SESSIONS = ""
WELCOME = "welcome"
WAITING = "sessions?state=waiting"
UNPLACED = "sessions?state=unplaced"
CONFLICTS = "sessions?state=conflict"
DOCTOR = "doctor"
SETTINGS = "settings"
STORE = "settings/store"
_SESSION, _CONFLICT = "session", "conflict"


def open_window(page: str = SESSIONS) -> Action:
    """The action that opens the window at a page."""
    return Action(Verb.OPEN_WINDOW, page)


def session_page(session_id: str) -> str:
    """The page on which a session is read."""
    return f"{_SESSION}/{session_id}"


def conflict_page(session_id: str) -> str:
    """The page on which the sides of a session are compared, and one is chosen."""
    return f"{_CONFLICT}/{session_id}"


def session_of(page: str) -> str:
    """The session that a page is about, "" if it is about none."""
    kind, _, session_id = page.partition("/")
    return session_id if kind in (_SESSION, _CONFLICT) else ""
