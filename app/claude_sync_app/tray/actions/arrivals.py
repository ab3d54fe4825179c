"""Choosing what to pull of all that waits, and pushing what is old."""

from __future__ import annotations

from claude_sync_app.desktop.dialogs import Row
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.labels import machine_of, project_of, title_of
from claude_sync_app.tray.offers import pullable
from claude_sync_app.tray.sharing_summary import describe
from claude_sync_app.tray.verbs import Action


def choose_arrivals(tray: TrayContext) -> None:
    """Ask which of the waiting sessions to pull, where no window can be opened."""
    dialogs = tray.dialogs
    arrivals = pullable(tray.status)
    if not arrivals:
        return
    if dialogs is None:
        tray.notify("choose", "Choose in a terminal", "Type: claude-sync pull")
        return
    rows = []
    for one in arrivals:
        state = one.state
        parts = (title_of(state), project_of(state.project_key), machine_of(one.machine))
        rows.append(Row(one.session_id, " — ".join(filter(None, parts))))
    chosen = dialogs.choose_rows("claude-sync", "Which sessions should be pulled?", rows)
    if chosen:
        tray.service.pull(chosen)


def push_older(tray: TrayContext, _: Action) -> None:
    """Push also what was last used more than seven days ago, if the answer is yes."""
    dialogs = tray.dialogs
    older = frozenset(tray.status.older)
    summary = describe([one for one in tray.status.sessions if one.session_id in older])
    where = one_line(tray.status.label)
    text = f"{summary}, last used more than a week ago, will be copied to {where}."
    if dialogs is None or dialogs.choose_button("Push older sessions", text, ["Push them"]) == 0:
        tray.service.push_older()
