"""Terminals of Linux and its relatives. Pure: says what to start and starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath, PurePosixPath

from claude_sync_app.desktop.terminals.launch import Launch

# What comes between the terminal and the command that it runs, with the command's arguments
# separate. A terminal that takes the command as one string isn't here: a shell would read it.
_BEFORE_COMMAND: dict[str, tuple[str, ...]] = {
    "xdg-terminal-exec": (),
    "x-terminal-emulator": ("-e",),  # Debian Policy 11.8.3
    "ptyxis": ("--",),
    "kgx": ("--",),
    "gnome-terminal": ("--",),
    "konsole": ("-e",),
    "xfce4-terminal": ("-x",),
    "mate-terminal": ("-x",),
    "terminator": ("-x",),
    "qterminal": ("-e",),
    "ghostty": ("-e",),
    "kitty": (),
    "alacritty": ("-e",),
    "foot": (),
    "wezterm": ("start", "--"),
    "rio": ("-e",),
    "st": ("-e",),
    "urxvt": ("-e",),
    "xterm": ("-e",),
}
_OF_THE_DESKTOP: dict[str, tuple[str, ...]] = {
    "GNOME": ("ptyxis", "kgx", "gnome-terminal"),
    "KDE": ("konsole",),
    "XFCE": ("xfce4-terminal",),
    "MATE": ("mate-terminal",),
    "LXQT": ("qterminal",),
    "X-CINNAMON": ("gnome-terminal",),
}
_ENDS_OPTIONS = frozenset({"-e", "-x", "--"})

# Folder and session are arguments and then variables of the environment: neither is ever read as
# script. The user's own shell runs the client, since its start-up files may be what finds it, and
# stays when the client ends. Only shells that take a line as this one is written are asked to.
_OPTIONS = "@OPTIONS@"  # words of our own
_SCRIPT = """\
CLAUDE_SYNC_SESSION=$2 CLAUDE_SYNC_SHELL=${SHELL:-/bin/sh}
export CLAUDE_SYNC_SESSION CLAUDE_SYNC_SHELL
cd -- "$1" || exec "$CLAUDE_SYNC_SHELL"
case ${CLAUDE_SYNC_SHELL##*/} in
bash|dash|fish|ksh|mksh|sh|zsh) runner=$CLAUDE_SYNC_SHELL ;;
*) runner=/bin/sh ;;
esac
exec "$runner" -i -c 'claude --resume "$CLAUDE_SYNC_SESSION"@OPTIONS@; exec "$CLAUDE_SYNC_SHELL"'
"""


def launch(
    directory: PurePath,
    session_id: str,
    preference: Sequence[str],
    environment: Mapping[str, str],
    options: Sequence[str] = (),
    *,
    has: Callable[[str], bool],
) -> Launch | None:
    """What to start, None if there is no terminal.

    Args:
        directory: absolute.
        session_id: the session.
        preference: the user's terminal with its arguments, or nothing.
        environment: TERMINAL and XDG_CURRENT_DESKTOP are used.
        options: for the client; each of letters and dashes only.
        has: whether a program can be found.
    """
    script = _SCRIPT.replace(_OPTIONS, "".join(f" {option}" for option in options))
    command = ("/bin/sh", "-c", script, "claude-sync", str(directory), session_id)
    for candidate in _candidates(preference, environment):
        if has(candidate[0]):
            return Launch((*_with_separator(candidate), *command), directory)
    return None


def _candidates(
    preference: Sequence[str], environment: Mapping[str, str]
) -> Iterator[Sequence[str]]:
    """The user's choice, else what the session names, else what belongs to the desktop."""
    if preference:
        yield preference
        return
    if environment.get("TERMINAL"):
        yield [environment["TERMINAL"]]
    for desktop in environment.get("XDG_CURRENT_DESKTOP", "").upper().split(":"):
        for name in _OF_THE_DESKTOP.get(desktop, ()):
            yield [name]
    for name in _BEFORE_COMMAND:
        yield [name]


def _with_separator(terminal: Sequence[str]) -> tuple[str, ...]:
    if terminal[-1] in _ENDS_OPTIONS:
        return tuple(terminal)
    name = PurePosixPath(terminal[0]).name
    return (*terminal, *_BEFORE_COMMAND.get(name, ("-e",)))
