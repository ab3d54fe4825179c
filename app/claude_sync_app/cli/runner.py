"""Runs one command; the one place where errors become a sentence and an exit status."""

from __future__ import annotations

import os
from collections.abc import Sequence

from claude_sync.errors import ClaudeSyncError, NotSetUp, Stopped, UsageError
from claude_sync_app.cli.commands import COMMANDS, Command
from claude_sync_app.cli.interrupts import clear_stop_request, no_interrupts
from claude_sync_app.cli.output import PROGRAM, flush, print_error, print_line, replace_unencodable
from claude_sync_app.shown_text import with_short_ids

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses. Sessions skipped in a bulk run (open, unplaced, still arriving) count as done."""

DEBUG = "CLAUDE_SYNC_DEBUG"
"""The variable that makes a bug show its traceback, if it is 1."""

# A usage error of these is about the arguments; of others, about a session or a file.
_ABOUT_ARGUMENTS = {"init", "key", "projects", "config"}


class WrongArguments(UsageError):
    """The arguments of a command make no sense together."""


def run(arguments: Sequence[str]) -> int:
    """Run what was typed, and return the exit status."""
    replace_unencodable()
    try:
        try:
            return _run(arguments)
        finally:
            flush()
    except SystemExit as ended:  # argparse: help was asked for, or couldn't be understood
        return ended.code if isinstance(ended.code, int) else WRONG_USAGE
    except OSError as error:
        return _report_system_error(error)


def _run(arguments: Sequence[str]) -> int:
    first = arguments[0] if arguments else "--help"
    if first in ("--version", "-V"):
        from claude_sync_app.version import full_version

        print_line(f"{PROGRAM} {full_version()}")
        return DONE
    if first == "help" and len(arguments) > 1:
        return _run([arguments[1], "--help"])
    if first in ("--help", "-h", "help"):
        from claude_sync_app.cli.help import overview

        for line in overview().splitlines():
            print_line(line)
        return DONE
    command = COMMANDS.get(first)
    if command is None:
        print_error(_unknown_command(first))
        return WRONG_USAGE
    return _run_command(command, arguments[1:])


def _run_command(command: Command, arguments: Sequence[str]) -> int:
    clear_stop_request()
    try:
        return _call(command, arguments)
    except ClaudeSyncError as error:
        print_error(with_short_ids(str(error)))
        if command.changes and not isinstance(error, (UsageError, Stopped)):
            _log([f"{command.name} failed: {error}"])
        return _exit_status(command, error)
    except KeyboardInterrupt:
        with no_interrupts():
            print_error("interrupted")
        return INTERRUPTED
    except OSError as error:
        return _report_system_error(error)
    except Exception as error:  # noqa: BLE001 -- the one of this thread: a bug is reported
        return _report_bug(command, error)


def _call(command: Command, arguments: Sequence[str]) -> int:
    from importlib import import_module

    from claude_sync.claude.config_dir import make_absolute
    from claude_sync_app.cli.parser import Parser

    make_absolute()
    module = import_module(f"claude_sync_app.cli.commands.{command.name}")
    parser = Parser(command)
    module.configure(parser)
    status: int = module.run(parser.read(arguments))
    return status


def _exit_status(command: Command, error: ClaudeSyncError) -> int:
    if isinstance(error, Stopped):
        return INTERRUPTED
    if isinstance(error, (WrongArguments, NotSetUp)):
        return WRONG_USAGE
    if isinstance(error, UsageError) and command.name in _ABOUT_ARGUMENTS:
        return WRONG_USAGE
    return FAILED


def _unknown_command(name: str) -> str:
    from claude_sync_app.cli.mistyped import nearest_command

    near = nearest_command(name, COMMANDS)
    if name.startswith("-") and not near:
        return f"there is no option {name} here: options come after a command; see `{PROGRAM} help`"
    what = "option" if name.startswith("-") else "command"
    todo = f"did you mean `{PROGRAM} {near}`?" if near else f"see `{PROGRAM} help`"
    return f"there is no {what} {name!r}: {todo}"


def _report_system_error(error: OSError) -> int:
    where = f" ({os.fsdecode(error.filename)})" if isinstance(error.filename, (str, bytes)) else ""
    try:
        print_error(
            f"the system reported an error: {error.strerror or type(error).__name__}{where}"
        )
    except OSError:
        pass  # not even the error can be printed
    return FAILED


def _report_bug(command: Command, error: Exception) -> int:
    from claude_sync.disk.log import trail_of

    written = _log([f"{command.name} stopped on {type(error).__name__} at {trail_of(error)}"])
    if os.environ.get(DEBUG) == "1":
        import traceback

        traceback.print_exception(error)
    else:
        todo = f"the log has the details ({written})" if written else f"set {DEBUG}=1 to see it"
        print_error(
            f"{command.name} stopped because of a bug in {PROGRAM}, {type(error).__name__}: {todo}"
        )
    return FAILED


def _log(lines: Sequence[str]) -> str:
    """Write into the log; returns its path, "" if it can't be written."""
    from claude_sync.disk.log import Log
    from claude_sync.state.paths import paths

    try:
        log = Log(paths().log_file)
    except UsageError:  # Without a home directory there is no log.
        return ""
    return str(log.path) if log.write(lines) else ""
