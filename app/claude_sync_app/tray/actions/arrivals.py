"""Choosing what to pull, and where a project is on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from claude_sync.sync.context import Context
from claude_sync_app.desktop.dialogs import Row
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.actions.open_files import open_preferences
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.labels import machine_of, project_of, title_of
from claude_sync_app.tray.offers import pullable
from claude_sync_app.tray.sharing_summary import readable


def choose_arrivals(tray: TrayContext) -> None:
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


def add_project_folder(tray: TrayContext, key: str) -> None:
    """Ask where a project is on this machine; what waits for it can be pulled then."""
    dialogs = tray.dialogs
    if dialogs is None:
        open_preferences(tray)
        return
    folder = dialogs.choose_folder(f"Where is {project_of(key)} on this machine?", Path.home())
    if folder is None:
        return
    tray.wait(tray.service.call(_adding(folder, key)))
    tray.wait(tray.service.look_now())


def _adding(directory: Path, key: str) -> Callable[[Context], None]:
    def add(context: Context) -> None:
        context.registry.add(directory, key)
        # That the file changed is what tells the service to look for sessions of it.
        context.registry.save()

    return add


def push_older(tray: TrayContext) -> None:
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
