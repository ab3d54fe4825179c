"""Terminals of macOS. Pure: says what to start and starts nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import PurePath, PurePosixPath

from claude_sync_app.desktop.terminals.launch import Launch

# Both applications take a line and type it into a shell, so AppleScript quotes it for one. The
# first argument is ours, so that none of the others can begin the line as an option.
_LINE = (
    'set line_ to "cd " & quoted form of (item 2 of argv)'
    ' & " && claude --resume " & quoted form of (item 3 of argv)'
)
_TERMINAL = (
    "on run argv",
    _LINE,
    'tell application "Terminal"',
    "activate",
    "do script line_",
    "end tell",
    "end run",
)
_ITERM = (
    "on run argv",
    _LINE,
    'tell application "iTerm"',
    "activate",
    "set window_ to (create window with default profile)",
    "tell current session of window_ to write text line_",
    "end tell",
    "end run",
)
_ITERM_NAMES = frozenset({"iterm", "iterm2", "iterm.app"})


def launch(
    directory: PurePath,
    session_id: str,
    preference: Sequence[str],
    environment: Mapping[str, str],
    options: Sequence[str] = (),
) -> Launch | None:
    """What to start; None if the folder's name can't be typed.

    Args:
        directory: absolute.
        session_id: the session.
        preference: "Terminal", "iTerm", or another terminal's program with its arguments, up to
            where the command follows.
        environment: TERM_PROGRAM is used, the terminal that started this program.
        options: for the client; each of letters and dashes only.
    """
    name = PurePosixPath(preference[0]).name.lower() if preference else ""
    if name and name not in _ITERM_NAMES and name not in ("terminal", "terminal.app"):
        from claude_sync_app.desktop.terminals import linux

        return linux.launch(
            directory, session_id, preference, environment={}, options=options, has=lambda _: True
        )
    if any(unicodedata.category(character) == "Cc" for character in str(directory)):
        # A terminal would take it for a pressed key.
        return None
    wants_iterm = name in _ITERM_NAMES or (
        not name and environment.get("TERM_PROGRAM") == "iTerm.app"
    )
    lines = [
        f'{line} & " {" ".join(options)}"' if options and line == _LINE else line
        for line in (_ITERM if wants_iterm else _TERMINAL)
    ]
    statements = [part for line in lines for part in ("-e", line)]
    return Launch(("osascript", *statements, "claude-sync", str(directory), session_id))
