"""The window at one of its pages; where no browser opens it, a dialog about the same."""

from __future__ import annotations

import time

from claude_sync.model import SessionState
from claude_sync.wording import replaces, sentence
from claude_sync_app.desktop.launching import DesktopError
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.actions.about import say_what_waits
from claude_sync_app.tray.actions.arrivals import choose_arrivals
from claude_sync_app.tray.actions.dialog_buttons import choose
from claude_sync_app.tray.actions.findings import ask_about_findings
from claude_sync_app.tray.actions.open_files import open_preferences
from claude_sync_app.tray.actions.store import choose_store
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.dialog_choices import conflict_choices, session_choices, side_lines
from claude_sync_app.tray.labels import machine_of, project_of, title_of
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import (
    CONFLICTS,
    DOCTOR,
    SETTINGS,
    STORE,
    WAITING,
    WELCOME,
    session_of,
)


def open_page(tray: TrayContext, action: Action) -> None:
    """Open the window; without a browser ask in dialogs, as far as there are any."""
    try:
        tray.window.open(action.subject)
    except DesktopError:
        if action.subject == WELCOME:
            tray.welcome()
        else:
            _ask_instead(tray, action)


def _ask_instead(tray: TrayContext, action: Action) -> None:
    page = action.subject
    session_id = session_of(page)
    if page == WAITING:
        choose_arrivals(tray)
    elif page == DOCTOR:
        ask_about_findings(tray)
    elif page == SETTINGS:
        open_preferences(tray, action)
    elif page == STORE:
        choose_store(tray, Action(Verb.CHOOSE_STORE, detail="menu"))
    elif tray.dialogs is not None and page == CONFLICTS:
        for state in tray.status.conflicts:
            if not _ask_about(tray, state):
                break
    elif tray.dialogs is not None and session_id:
        _ask_about(tray, tray.session(session_id))
    else:
        say_what_waits(tray)


def _ask_about(tray: TrayContext, state: SessionState) -> bool:
    """Ask what to do with one session, and have it done; whether anything was chosen."""
    waiting = {one.session_id: one for one in tray.status.arrivals}
    is_conflict = any(one.session_id == state.session_id for one in tray.status.conflicts)
    if is_conflict:
        choices = conflict_choices(state)
    else:
        choices = session_choices(state, waiting.get(state.session_id))
    return choose(tray, title_of(state), _about(state), choices)


def _about(state: SessionState) -> str:
    lines = [project_of(state.project_key)]
    if state.detail:
        lines.append(sentence(one_line(state.detail)))
    if state.replaces:
        machine = machine_of(state.rivals[0]) if state.rivals else "another machine"
        lines.append(f"{machine}'s version {replaces(state.replaces)}.")
    lines += side_lines(state, int(time.time() // 60))
    if state.open and state.path is not None:
        lines.append("It is open here: close it before you choose.")
    return "\n".join(filter(None, lines))
