"""What a click, in the menu or on a notification, can ask for. Values only."""

from __future__ import annotations

from enum import Enum


class Verb(str, Enum):
    """The verbs of `Action`. Its subject, where not said otherwise: a session's id.

    Attributes:
        PUSH, PULL, UNDO: subject: ids of sessions, with a space between two.
        PUSH_ALL, PULL_ALL, PUSH_OLDER: what `offers` says can be; PUSH_OLDER asks first.
        PULL_AND_RESUME, RESUME, COPY_COMMAND, OPEN_PROJECT, PACK, COMPARE: one session.
        KEEP: settle a conflict; detail: as `keeping` makes and reads it.
        STOP_SHARING, SHARE_AGAIN: subject: a project's key.
        ADD_PROJECT_FOLDER: ask where a project is on this machine; subject: its key.
        CHOOSE_ARRIVALS: ask which of the waiting sessions to pull.
        LATER: nothing now; `notices.answered` remembers until when.
        SHOW_FINDING, FIX_FINDING: subject: the finding's code; detail: its title, "" for the first
            one of that code.
        IGNORE_FINDING, HEED_FINDING: subject: the finding's code.
        RUN_DOCTOR: let the doctor look again.
        PAUSE: detail: "hour", or "" for until resumed by hand. CONTINUE ends it.
        SET: subject: a preference's name; detail: JSON of its new value.
        START_AT_LOGIN: detail: "on" or "off".
        CHOOSE_PLACE: where sessions meet; detail: "" asks for a folder, "ssh" for a host,
            "menu" for which of these; else the path of a synced folder.
        LEAVE_PLACE: no longer meet where sessions meet now.
        RETRY: do again what failed last, and look at once.
        SHOW_MENU: open the menu, or say in a window what it says where no panel can.
    """

    PUSH = "push"
    PUSH_ALL = "push-all"
    PUSH_OLDER = "push-older"
    PULL = "pull"
    PULL_ALL = "pull-all"
    PULL_AND_RESUME = "pull-and-resume"
    RESUME = "resume"
    COPY_COMMAND = "copy-command"
    OPEN_PROJECT = "open-project"
    PACK = "pack"
    UNDO = "undo"
    STOP_SHARING = "stop-sharing"
    SHARE_AGAIN = "share-again"
    ADD_PROJECT_FOLDER = "add-project-folder"
    CHOOSE_ARRIVALS = "choose-arrivals"
    LATER = "later"
    COMPARE = "compare"
    KEEP = "keep"
    SHOW_FINDING = "show-finding"
    FIX_FINDING = "fix-finding"
    IGNORE_FINDING = "ignore-finding"
    HEED_FINDING = "heed-finding"
    RUN_DOCTOR = "run-doctor"
    PAUSE = "pause"
    CONTINUE = "continue"
    SET = "set"
    START_AT_LOGIN = "start-at-login"
    CHOOSE_PLACE = "choose-place"
    LEAVE_PLACE = "leave-place"
    OPEN_PREFERENCES = "open-preferences"
    OPEN_STORE = "open-store"
    SHOW_LOG = "show-log"
    HELP = "help"
    ABOUT = "about"
    QUIT = "quit"
    RETRY = "retry"
    SHOW_MENU = "show-menu"

    def __str__(self) -> str:
        return self.value
