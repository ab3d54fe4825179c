"""The registry of verbs: all that a click can ask for, in the menu, on a notification, in a dialog.

A verb is declared here once, with the function that handles it. To add one: its line here, its
function in `tray/actions`, and the row or the button that asks for it.
"""

from __future__ import annotations

from enum import Enum

from claude_sync.values import NamedTuple

_IN_LOOP = True


class Verb(str, Enum):
    """What can be asked for: a name, the handler as ``module.function`` of `tray/actions`.

    A handler gets the `TrayContext` and the `Action`. Marked `_IN_LOOP`, it runs in the loop's
    thread at once, may not wait, and so does no more than submit commands to the service. Any
    other runs as a background task, which also imports its module: nothing that only a click
    needs costs memory before.

    Attributes:
        handler: where its handler is.
        in_loop: whether that runs in the loop's thread.
    """

    handler: str
    in_loop: bool

    def __new__(cls, name: str, handler: str, in_loop: bool = False) -> Verb:
        verb = str.__new__(cls, name)
        verb._value_ = name
        verb.handler = handler
        verb.in_loop = in_loop
        return verb

    def __str__(self) -> str:
        return str.__str__(self)

    # Sessions. Subject: ids, with a space between two.
    PUSH = "push", "immediate.push", _IN_LOOP
    PULL = "pull", "immediate.pull", _IN_LOOP
    # Only a dialog asks for it, where its label says what it costs.
    REPLACE = "replace", "immediate.replace", _IN_LOOP
    UNDO = "undo", "immediate.undo", _IN_LOOP
    LATER = "later", "immediate.later", _IN_LOOP

    # All sessions that `offers` names.
    PUSH_ALL = "push-all", "immediate.push_all", _IN_LOOP
    PULL_ALL = "pull-all", "immediate.pull_all", _IN_LOOP
    PUSH_OLDER = "push-older", "arrivals.push_older"

    # One session. Subject: its id. KEEP settles a conflict; detail: as `conflict_choice` makes it.
    # RESUME pulls first where another machine is ahead; detail: "", or as its handler sets it.
    RESUME = "resume", "resume.resume_session"
    PULL_AND_RESUME = "pull-and-resume", "resume.resume_session"
    COPY_COMMAND = "copy-command", "resume.copy_command"
    OPEN_PROJECT = "open-project", "open_files.open_project"
    PACK = "pack", "pack.pack_to_file"
    KEEP = "keep", "immediate.keep", _IN_LOOP

    # A project. Subject: its key.
    STOP_SHARING = "stop-sharing", "projects.stop_sharing"
    SHARE_AGAIN = "share-again", "projects.share_again"
    ADD_PROJECT_FOLDER = "add-project-folder", "projects.add_project_folder"

    # The doctor. Subject: a finding's code; detail: its title, "" for the first of that code.
    FIX_FINDING = "fix-finding", "findings.fix_finding"
    IGNORE_FINDING = "ignore-finding", "findings.ignore_finding"
    STOP_IGNORING_FINDING = "stop-ignoring-finding", "findings.stop_ignoring_finding"

    # Syncing by itself. PAUSE's detail: "hour", or "" for until UNPAUSE.
    PAUSE = "pause", "immediate.pause", _IN_LOOP
    UNPAUSE = "unpause", "immediate.unpause", _IN_LOOP
    RETRY = "retry", "immediate.retry", _IN_LOOP

    # The shared folder. Detail: "" asks for a folder, "ssh" for a host, "rclone" for a cloud,
    # "menu" for which of them; else the path of a synced folder.
    CHOOSE_STORE = "choose-store", "store.choose_store"
    LEAVE_STORE = "leave-store", "store.leave_store"

    # Preferences. SET's subject: a preference; detail: JSON. The others': "on" or "off".
    SET = "set", "immediate.set_preference", _IN_LOOP
    START_AT_LOGIN = "start-at-login", "autostart.switch_start_at_login"
    INSIDE_CLIENT = "inside-client", "plugin.switch_inside_client"

    # What there is to look at. OPEN_WINDOW's subject: a page, as `window_pages` has them.
    OPEN_WINDOW = "open-window", "window.open_page"
    OPEN_PREFERENCES = "open-preferences", "open_files.open_preferences"
    SHOW_LOG = "show-log", "open_files.show_log"
    HELP = "help", "open_files.show_help"
    ABOUT = "about", "about.show_about"
    QUIT = "quit", "immediate.quit_tray", _IN_LOOP


class Action(NamedTuple):
    """What a click asks for.

    Attributes:
        verb: what to do.
        subject: what to do it to: a session's id, a project's key, a preference, a finding's code.
        detail: what else it takes: a machine's name, a preference's new value.
    """

    verb: Verb
    subject: str = ""
    detail: str = ""
