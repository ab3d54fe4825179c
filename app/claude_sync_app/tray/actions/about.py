"""What is only shown: about this program, and what waits where no window can be opened."""

from __future__ import annotations

import time

from claude_sync import __version__
from claude_sync.wording import replaces
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.labels import machine_of, title_of
from claude_sync_app.tray.offers import held_back, pullable, replacing
from claude_sync_app.tray.status_line import tooltip
from claude_sync_app.tray.verbs import Action, Verb

_MOST = 8


def show_about(tray: TrayContext, _: Action) -> None:
    """Which program this is, and what it is set up for."""
    status = tray.status
    lines = ["Moves Claude Code sessions between your machines."]
    if status.label:
        lines.append(f"Shared folder: {one_line(status.label)}")
    if status.machine:
        lines.append(f"This machine: {status.machine.name}")
    help_button = ("Help", Action(Verb.HELP))
    tray.notify("about", f"claude-sync {__version__}", "\n".join(lines), [help_button])


def say_what_waits(tray: TrayContext) -> None:
    """Everything that waits for a decision, in a dialog: what the window shows first."""
    status = tray.status
    lines = [tooltip(status, int(time.time() // 60), status.preferences, tray.environment), ""]
    lines += [f"Conflict: {tray.title_of(one.session_id)}" for one in status.conflicts[:_MOST]]
    lines += [
        f"Close it here: {tray.title_of(one.session_id)}" for one in held_back(status)[:_MOST]
    ]
    lines += [
        f"From {machine_of(one.machine)}: {title_of(one.state)}" for one in pullable(status)[:_MOST]
    ]
    lines += [
        f"{machine_of(one.machine)}'s {title_of(one.state)} {replaces(one.state.replaces)}"
        for one in replacing(status)[:_MOST]
    ]
    text = "\n".join(lines).strip()
    dialogs = tray.dialogs
    if dialogs is None:
        tray.notify("menu", "claude-sync", text)
        return
    waiting = len(pullable(status))
    labels = [f"Pull {waiting}"] if waiting else ["OK"]
    if dialogs.choose_button("claude-sync", text, labels) == 0 and waiting:
        tray.click(Action(Verb.PULL_ALL))
