"""Becoming the client: the terminal, its signals and its exit status are the client's from here on.

Invariant: nothing of ours is left behind in it. Every file that Python opens is closed by the
system at that moment; locks and connections must have been given up before.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from claude_sync.claude.config_dir import VARIABLE
from claude_sync.disk.programs import full_command
from claude_sync.errors import ClaudeSyncError, UsageError
from claude_sync.values import NamedTuple

RESTARTED = "claude_sync_restarted"
"""The interpreter's option that says PYTHONIOENCODING is ours, not the person's."""

# What Python ignores and programs that it starts shouldn't, as `subprocess` has it.
_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")
# What cmd reads anew in the arguments of a batch file, even between quotation marks.
_READ_BY_CMD = frozenset('"%&|<>^!\r\n')


class Handover(NamedTuple):
    """What is started in this process's place.

    Attributes:
        command: the client's whole path, and what it gets.
        directory: where it starts.
        environment: what it gets.
        options: those of ours that are among what it gets.
    """

    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    options: tuple[str, ...] = ()


def plan_handover(
    client: str,
    session_id: str,
    directory: Path,
    *,
    options: Sequence[str],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    claude_home: Path,
    platform: str = sys.platform,
) -> Handover:
    """What resuming a session starts.

    Args:
        client: its whole path.
        session_id: the session.
        directory: where it is resumed.
        options: what we tell the client; the person's arguments take the place of their like.
        arguments: the person's own for the client.
        environment: of this process.
        claude_home: the folder that claude-sync works with, which the client has to use as well.
        platform: as `sys.platform` has it.

    Raises:
        UsageError: an argument can't be given to this client unharmed.
    """
    if platform == "win32" and client.lower().endswith((".cmd", ".bat")):
        for argument in arguments:
            if _READ_BY_CMD & set(argument):
                raise UsageError(
                    f"{os.path.basename(client)} can't be given an argument with one of "
                    '"%&|<>^! in it',
                    todo="resume without it, and type it there",
                )
    wanted = dict(environment)
    if RESTARTED in sys._xoptions:
        wanted.pop("PYTHONIOENCODING", None)
    if not wanted.get(VARIABLE) and claude_home != Path(os.path.expanduser("~")) / ".claude":
        wanted[VARIABLE] = str(claude_home)
    if platform == "win32":
        # A batch file's cmd would look for its programs in the project's folder first.
        wanted["NoDefaultCurrentDirectoryInExePath"] = "1"
    else:
        wanted["PWD"] = str(directory)
    ours = _without_overridden(options, arguments)
    command = (client, "--resume", session_id, *ours, *arguments)
    return Handover(command, directory, wanted, tuple(ours))


def _without_overridden(options: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Our options, pairs of a name and a value, but those that the person names as well.

    What stands behind a ``--`` of theirs is a prompt.
    """
    own = takewhile(lambda argument: argument != "--", arguments)
    named = {argument.partition("=")[0] for argument in own}
    pairs = zip(options[::2], options[1::2], strict=True)
    return [word for name, value in pairs if name not in named for word in (name, value)]


def hand_over(handover: Handover, platform: str = sys.platform) -> int:
    """Become the client. Where a process can't become another: run it, and wait for its end.

    Args:
        handover: what to start.
        platform: as `sys.platform` has it.

    Returns:
        the client's exit status; where the process becomes the client, it never returns.

    Raises:
        ClaudeSyncError: it can't be started.
    """
    try:
        os.chdir(handover.directory)
        command = full_command(handover.command)
        if platform == "win32":
            return wait_for(command, handover.environment)
        with _heard_again():
            os.execve(full_command(command)[0], command, handover.environment)  # noqa: S606
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ClaudeSyncError(
            f"Claude Code can't be started ({reason})",
            where=handover.command[0],
            todo="see whether `claude --version` works",
        ) from error


@contextmanager
def _heard_again() -> Iterator[None]:
    """Have the client end where nobody reads it; where it couldn't be started, we mustn't."""
    numbers = [getattr(signal, name) for name in _IGNORED_BY_PYTHON if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program in this one's place. Ctrl-C is for it: the console sends it to both."""
    import subprocess

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.run(full_command(command), env=environment, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
