"""Which commands there are.

A command is a module of this package with two functions: ``configure(parser)`` adds its arguments,
description and examples; ``run(arguments)`` does the work and returns the exit status. To add a
command, add its module, and its line here.
"""

from __future__ import annotations

from claude_sync.values import NamedTuple


class Command(NamedTuple):
    """One command.

    Attributes:
        name: as it is typed, and its module's name.
        summary: one line of help, a verb first.
        changes: whether it changes something; an error that stops it is then logged.
    """

    name: str
    summary: str
    changes: bool = False


GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "Every day",
        (
            Command("push", "copy what changed here to the shared folder", True),
            Command("pull", "copy what is newer on other machines to this one", True),
            Command("resume", "go on with a session, wherever it was used last", True),
            Command("status", "show what to push, what to pull, and what needs you"),
            Command("sessions", "list sessions, newest first"),
            Command("open", "show the window: every session, and all that can be done", True),
            Command("search", "find what was said, in any session on any machine"),
            Command("show", "read a session, on whatever machine it is"),
            Command("watch", "push on change and pull at an interval, until Ctrl-C", True),
            Command("tray", "show the icon, which pushes and pulls by itself"),
        ),
    ),
    (
        "When a session has diverged, or lost something",
        (
            Command("resolve", "choose which side to keep", True),
            Command("undo", "bring back what the last pull or resolve replaced", True),
            Command("restore", "bring back any earlier version", True),
        ),
    ),
    (
        "Setting up",
        (
            Command("init", "choose the shared folder, and this machine's name", True),
            Command("projects", "show or change which directory is which project", True),
            Command("config", "show or change preferences", True),
            Command("key", "show or change the key of an encrypted shared folder", True),
            Command("autostart", "start the icon at login, or not"),
            Command("plugin", "put claude-sync inside Claude Code, or not"),
            Command("completion", "have your shell complete what you type"),
        ),
    ),
    (
        "Now and then",
        (
            Command("doctor", "check everything, and say how to fix what is wrong"),
            Command("pack", "write one session into a file", True),
            Command("unpack", "read a session from a packed file", True),
            Command("forget", "remove what was pushed from the shared folder", True),
            Command("report", "write a file for a bug report, with nothing private in it"),
        ),
    ),
)

COMMANDS = {command.name: command for _, group in GROUPS for command in group}
