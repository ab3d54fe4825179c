"""Which commands there are.

A command is a module of this package with two functions: ``configure(parser)`` adds its arguments,
description and examples; ``run(arguments)`` does it and returns the exit status. To add one, add
its module and its line here.
"""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """One command.

    Attributes:
        name: as it is typed, and its module's name.
        summary: one line of help, a verb first.
        changes: whether it changes something, so that what stopped it goes into the log.
    """

    name: str
    summary: str
    changes: bool = False


GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "Every day",
        (
            Command("push", "copy what changed here to where sessions meet", True),
            Command("pull", "take what is newer elsewhere", True),
            Command("status", "what to push, what waits, and what needs you"),
            Command("sessions", "list sessions, newest first"),
            Command("watch", "push on change and pull on interval, until interrupted", True),
            Command("tray", "show the icon that does all this with a click"),
        ),
    ),
    (
        "When two machines disagree",
        (
            Command("resolve", "choose a side where two machines went on apart", True),
            Command("undo", "bring back what the last pull or resolve replaced", True),
        ),
    ),
    (
        "Setting up",
        (
            Command("init", "choose where sessions meet, and this machine's name there", True),
            Command("projects", "which directory here is which project", True),
            Command("config", "see and change preferences", True),
            Command("autostart", "show the icon at login, or not"),
        ),
    ),
    (
        "Now and then",
        (
            Command("doctor", "check everything, and say how to mend what is wrong"),
            Command("pack", "write one session into one file", True),
            Command("unpack", "take the session out of such a file", True),
            Command("forget", "remove what was pushed from where sessions meet", True),
        ),
    ),
)

COMMANDS = {command.name: command for _, group in GROUPS for command in group}
