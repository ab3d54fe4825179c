"""Which projects are shared: choosing among all, ending one, and taking that back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from claude_sync.errors import ClaudeSyncError
from claude_sync.sync.context import Context
from claude_sync.sync.forget import bundles_of_this_machine
from claude_sync.wording import count
from claude_sync_app.desktop.dialogs import Dialogs, Row
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.actions.open_files import open_preferences
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.labels import project_of
from claude_sync_app.tray.sharing_summary import matches, pattern_of
from claude_sync_app.tray.verbs import Action


def choose_projects(tray: TrayContext, dialogs: Dialogs) -> None:
    """Ask which projects are shared; the others are never pushed by themselves."""
    sessions = Counter(
        one.project_key for one in tray.status.sessions if one.path is not None and one.project_key
    )
    ignored = tray.preferences.ignore
    rows = [
        Row(key, f"{one_line(key)} — {count(number, 'session')}", not matches(key, ignored))
        for key, number in sorted(sessions.items())
    ]
    chosen = dialogs.choose_rows("Projects", "Which projects are to be shared?", rows)
    if chosen is None:
        return
    shared = frozenset(chosen)
    # What no longer fits any project that is to be shared stays; the rest is said one by one.
    kept = [one for one in ignored if not any(matches(key, [one]) for key in sessions)]
    kept += [
        one for one in ignored if one not in kept and not any(matches(k, [one]) for k in shared)
    ]
    left = [key for key in sessions if key not in shared and not matches(key, kept)]
    tray.wait(tray.service.change(ignore=[*kept, *map(pattern_of, left)]))


def stop_sharing(tray: TrayContext, action: Action) -> None:
    """Never push a project by itself any more; asks what becomes of the bundles of it."""
    dialogs, key = tray.dialogs, action.subject
    name = project_of(key)
    pressed: int | None = 0
    if dialogs is not None:
        text = (
            f"Sessions of {name} will no longer be pushed by themselves.\n"
            "Should the ones that this machine pushed before be removed from where sessions meet?"
        )
        labels = ["Only stop", "Stop and remove them"]
        pressed = dialogs.choose_button(f"Stop sharing {name}", text, labels)
    if pressed is None:
        return
    ignored = [*tray.preferences.ignore, pattern_of(key)]
    tray.wait(tray.service.change(ignore=ignored))
    if pressed == 1:
        tray.wait_or_none(
            tray.service.forget(lambda context: bundles_of_this_machine(context, key))
        )


def share_again(tray: TrayContext, action: Action) -> None:
    """Take that back, and push what there is of the project now."""
    key, ignored = action.subject, tray.preferences.ignore
    left = [one for one in ignored if one not in (key, pattern_of(key))]
    others = [one for one in left if matches(key, [one])]
    if others:
        raise ClaudeSyncError(
            f"{project_of(key)} is also left out by a pattern in the preferences",
            where=f"ignore: {others[0]}",
            todo="take it out of the preferences file",
        )
    tray.wait(tray.service.change(ignore=left))
    # By name: that is what brings back sessions whose bundles were removed.
    here = [
        one.session_id
        for one in tray.status.sessions
        if one.project_key == key and one.path is not None
    ]
    if here:
        tray.service.push(here)


def add_project_folder(tray: TrayContext, action: Action) -> None:
    """Ask where a project is on this machine; what waits for it can be pulled then."""
    dialogs, key = tray.dialogs, action.subject
    if dialogs is None:
        open_preferences(tray, action)
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
