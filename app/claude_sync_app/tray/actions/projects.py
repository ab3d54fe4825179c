"""Which projects are shared, and where a project is on this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from claude_sync.errors import ClaudeSyncError
from claude_sync.sync.bundles.naming import ignore_pattern, is_ignored
from claude_sync.sync.context import Context
from claude_sync.sync.forget import bundles_of_this_machine
from claude_sync.wording import count, short_path
from claude_sync_app.desktop.dialogs import Dialogs, Row
from claude_sync_app.shown_text import one_line, without_controls
from claude_sync_app.tray.actions.open_files import open_preferences
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.labels import project_of
from claude_sync_app.tray.verbs import Action, Verb


def choose_projects(tray: TrayContext, dialogs: Dialogs) -> None:
    """Ask which projects are shared; the others are never pushed by themselves."""
    sessions = Counter(
        one.project_key for one in tray.status.sessions if one.path is not None and one.project_key
    )
    patterns = tray.preferences.ignore
    rows = [
        Row(key, f"{one_line(key)} — {count(number, 'session')}", not is_ignored(key, patterns))
        for key, number in sorted(sessions.items())
    ]
    chosen = dialogs.choose_rows("Projects", "Which projects should be shared?", rows)
    if chosen is None:
        return
    shared = frozenset(chosen)
    # A pattern that fits none of them stays as it was written.
    kept = [one for one in patterns if not any(is_ignored(key, [one]) for key in shared)]
    others = [key for key in sessions if key not in shared and not is_ignored(key, kept)]
    tray.wait(tray.service.change(ignore=[*kept, *map(ignore_pattern, others)]))


def stop_sharing(tray: TrayContext, action: Action) -> None:
    """Never push a project by itself again; asks what becomes of its bundles."""
    dialogs, key = tray.dialogs, action.subject
    name = project_of(key)
    pressed: int | None = 0
    if dialogs is not None:
        text = (
            f"Sessions of {name} will no longer be pushed by themselves.\n"
            "Remove those that this machine already pushed from the shared folder?"
        )
        labels = ["Only stop", "Stop and remove them"]
        pressed = dialogs.choose_button(f"Stop sharing {name}", text, labels)
    if pressed is None:
        return
    tray.wait(tray.service.change(ignore=[*tray.preferences.ignore, ignore_pattern(key)]))
    removed: int | None = 0
    if pressed == 1:
        removed = tray.wait_or_none(
            tray.service.forget(lambda context: bundles_of_this_machine(context, key))
        )
    if removed is not None:
        what = "What this machine pushed of it stays in the shared folder."
        if pressed == 1:
            what = f"{count(removed, 'session')} removed from the shared folder."
        tray.notify(f"sharing {key}", f"{name} is no longer shared", what)


def share_again(tray: TrayContext, action: Action) -> None:
    """Take that back, and push the project's sessions now."""
    key = action.subject
    patterns = [one for one in tray.preferences.ignore if one not in (key, ignore_pattern(key))]
    for pattern in patterns:
        if is_ignored(key, [pattern]):
            raise ClaudeSyncError(
                f"{project_of(key)} also fits a pattern in the preferences",
                where=f"ignore: {pattern}",
                todo="take it out of the preferences file",
            )
    tray.wait(tray.service.change(ignore=patterns))
    # By name: that is what brings back sessions whose bundles were removed.
    here = [
        one.session_id
        for one in tray.status.sessions
        if one.project_key == key and one.path is not None
    ]
    if here:
        tray.service.push(here)


def add_project_folder(tray: TrayContext, action: Action) -> None:
    """Ask where a project is on this machine; then its sessions that wait can be pulled."""
    dialogs, key = tray.dialogs, action.subject
    if dialogs is None:
        open_preferences(tray, action)
        return
    folder = dialogs.choose_folder(f"Where is {project_of(key)} on this machine?", Path.home())
    if folder is None:
        return
    tray.wait(tray.service.call(adding(folder, key)))
    tray.wait(tray.service.look_now())
    waiting = " ".join(
        one.session_id
        for one in tray.status.sessions
        if one.project_key == key and one.path is None
    )
    tray.notify(
        f"folder {key}",
        f"{project_of(key)} is in {short_path(without_controls(str(folder)))}",
        "Its sessions can be pulled now.",
        [("Pull", Action(Verb.PULL, waiting))] if waiting else [],
    )


def adding(directory: Path, key: str) -> Callable[[Context], None]:
    """What notes that a project is in a folder of this machine.

    Args:
        directory: the folder.
        key: the project's.
    """

    def add(context: Context) -> None:
        context.registry.add(directory, key)
        # The changed file is what makes the service look for its sessions.
        context.registry.save()

    return add
