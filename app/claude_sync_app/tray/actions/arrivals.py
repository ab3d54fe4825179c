"""Choosing what to pull, and where a project is on this machine."""

from __future__ import annotations

from claude_sync_app.desktop.dialogs import Row
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.labels import machine_of, project_of, title_of
from claude_sync_app.tray.offers import pullable
from claude_sync_app.tray.sharing_summary import readable
from claude_sync_app.tray.verbs import Action


def choose_arrivals(tray: TrayContext, _: Action) -> None:
    """Ask which of the waiting sessions to pull."""
    dialogs = tray.dialogs
    arrivals = pullable(tray.status)
    if not arrivals:
        return
    if dialogs is None:
        tray.notify("choose", "Choose in the menu", "There they stand under “From other machines”.")
        return
    rows = [
        Row(
            one.session_id,
            " — ".join(
                part
                for part in (
                    title_of(one.state),
                    project_of(one.state.project_key),
                    machine_of(one.machine),
                )
                if part
            ),
        )
        for one in arrivals
    ]
    chosen = dialogs.choose_rows("claude-sync", "Which sessions are to be pulled?", rows)
    if chosen:
        tray.service.pull(chosen)


def push_older(tray: TrayContext, _: Action) -> None:
    """Push also what was last used more than seven days ago, once that is agreed to."""
    dialogs = tray.dialogs
    older = frozenset(tray.status.older)
    found = readable(
        [one for one in tray.status.sessions if one.session_id in older], tray.preferences.ignore
    )
    where = one_line(tray.status.label)
    text = f"{found}, last used more than a week ago, will be copied to {where}."
    if dialogs is None or dialogs.choose_button("Push older sessions", text, ["Push them"]) == 0:
        tray.service.push_older()
