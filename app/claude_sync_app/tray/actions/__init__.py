"""What a click begins that takes more than one command of the service, each in its own file.

All of it may wait, so it runs in a background task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from claude_sync.errors import ClaudeSyncError
from claude_sync_app.tray.menu.model import Action
from claude_sync_app.tray.verbs import Verb

if TYPE_CHECKING:
    from claude_sync_app.tray.context import TrayContext
    from claude_sync_app.tray.environment import Environment


def do(tray: TrayContext, action: Action, environment: Environment) -> None:
    """Do what an action asks for.

    Raises:
        ClaudeSyncError: it can't be done; nobody was told yet.
    """
    flow = _flow(action, environment)
    if flow is None:
        raise ClaudeSyncError(f"nothing is done for {action.verb}", todo="please report it")
    flow(tray)


def _flow(action: Action, environment: Environment) -> Callable[[TrayContext], object] | None:
    from claude_sync_app.tray.actions import (
        about,
        arrivals,
        autostart,
        compare,
        findings,
        open_files,
        pack,
        projects,
        resume,
        store,
    )

    _, subject, detail = action
    synced = tuple(folder.path for folder in environment.synced_folders)
    flows: dict[str, Callable[[TrayContext], object]] = {
        Verb.PUSH_OLDER: arrivals.push_older,
        Verb.CHOOSE_ARRIVALS: arrivals.choose_arrivals,
        Verb.ADD_PROJECT_FOLDER: lambda tray: arrivals.add_project_folder(tray, subject),
        Verb.PULL_AND_RESUME: lambda tray: resume.pull_and_resume(tray, subject),
        Verb.RESUME: lambda tray: resume.resume(tray, subject),
        Verb.COPY_COMMAND: lambda tray: resume.copy_command(tray, subject),
        Verb.OPEN_PROJECT: lambda tray: resume.open_project(tray, subject),
        Verb.PACK: lambda tray: pack.pack_to_file(tray, subject),
        Verb.COMPARE: lambda tray: compare.compare(tray, subject),
        Verb.STOP_SHARING: lambda tray: projects.stop_sharing(tray, subject),
        Verb.SHARE_AGAIN: lambda tray: projects.share_again(tray, subject),
        Verb.SHOW_FINDING: lambda tray: findings.show_finding(tray, subject, detail),
        Verb.FIX_FINDING: lambda tray: findings.fix_finding(tray, subject, detail),
        Verb.IGNORE_FINDING: lambda tray: findings.set_ignored(tray, subject, ignored=True),
        Verb.HEED_FINDING: lambda tray: findings.set_ignored(tray, subject, ignored=False),
        Verb.START_AT_LOGIN: lambda _: autostart.start_at_login(on=detail == "on"),
        Verb.CHOOSE_PLACE: lambda tray: store.choose_place(tray, detail, synced),
        Verb.LEAVE_PLACE: store.leave_place,
        Verb.OPEN_PREFERENCES: open_files.open_preferences,
        Verb.OPEN_STORE: open_files.open_store,
        Verb.SHOW_LOG: open_files.show_log,
        Verb.HELP: open_files.show_help,
        Verb.ABOUT: about.about,
        Verb.SHOW_MENU: lambda tray: about.what_the_menu_says(tray, environment),
    }
    return flows.get(action.verb)
