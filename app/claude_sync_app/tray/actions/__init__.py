"""What a click begins that takes more than one command of the service, each in its own file.

All of it may wait, so it runs in an errand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from claude_sync.errors import ClaudeSyncError
from claude_sync_app.tray.menu.model import Action
from claude_sync_app.tray.verbs import Verb

if TYPE_CHECKING:
    from claude_sync_app.tray.context import Desk
    from claude_sync_app.tray.environment import Surroundings


def do(desk: Desk, action: Action, surroundings: Surroundings) -> None:
    """Do what an action asks for.

    Raises:
        ClaudeSyncError: it can't be done; nobody was told yet.
    """
    flow = _flow(action, surroundings)
    if flow is None:
        raise ClaudeSyncError(f"nothing is done for {action.verb}", todo="please report it")
    flow(desk)


def _flow(action: Action, surroundings: Surroundings) -> Callable[[Desk], object] | None:
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
    synced = tuple(folder.path for folder in surroundings.synced_folders)
    flows: dict[str, Callable[[Desk], object]] = {
        Verb.PUSH_OLDER: arrivals.push_older,
        Verb.CHOOSE_ARRIVALS: arrivals.choose_arrivals,
        Verb.ADD_PROJECT_FOLDER: lambda desk: arrivals.add_project_folder(desk, subject),
        Verb.PULL_AND_RESUME: lambda desk: resume.pull_and_resume(desk, subject),
        Verb.RESUME: lambda desk: resume.resume(desk, subject),
        Verb.COPY_COMMAND: lambda desk: resume.copy_command(desk, subject),
        Verb.OPEN_PROJECT: lambda desk: resume.open_project(desk, subject),
        Verb.PACK: lambda desk: pack.pack_to_file(desk, subject),
        Verb.COMPARE: lambda desk: compare.compare(desk, subject),
        Verb.STOP_SHARING: lambda desk: projects.stop_sharing(desk, subject),
        Verb.SHARE_AGAIN: lambda desk: projects.share_again(desk, subject),
        Verb.SHOW_FINDING: lambda desk: findings.show_finding(desk, subject, detail),
        Verb.FIX_FINDING: lambda desk: findings.fix_finding(desk, subject, detail),
        Verb.IGNORE_FINDING: lambda desk: findings.set_ignored(desk, subject, ignored=True),
        Verb.HEED_FINDING: lambda desk: findings.set_ignored(desk, subject, ignored=False),
        Verb.START_AT_LOGIN: lambda _: autostart.start_at_login(on=detail == "on"),
        Verb.CHOOSE_PLACE: lambda desk: store.choose_place(desk, detail, synced),
        Verb.LEAVE_PLACE: store.leave_place,
        Verb.OPEN_PREFERENCES: open_files.open_preferences,
        Verb.OPEN_STORE: open_files.open_store,
        Verb.SHOW_LOG: open_files.show_log,
        Verb.HELP: open_files.show_help,
        Verb.ABOUT: about.about,
        Verb.SHOW_MENU: lambda desk: about.what_the_menu_says(desk, surroundings),
    }
    return flows.get(action.verb)
