"""Which sessions a command is about: those that are named, a directory's project, or all."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from claude_sync.errors import ProjectKeyError
from claude_sync.sync.context import Context
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import WrongArguments

SESSION = "a session's id, or its beginning"


def add_project(parser: Parser, everything: str) -> None:
    """Add the options for a project, or all of them.

    Args:
        parser: the command's.
        everything: help for ``--all``.
    """
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help=everything)
    which.add_argument(
        "--project", metavar="DIR", help="the project of this directory (default: the current one)"
    )


def add_sessions(parser: Parser, everything: str) -> None:
    """Add the arguments for sessions by name, a project's sessions, or all."""
    parser.add_argument("sessions", nargs="*", metavar="SESSION", help=SESSION)
    add_project(parser, everything)


def named(arguments: Namespace) -> list[str] | None:
    """The sessions that were named, None where none was.

    Raises:
        Misuse: they can't be combined, or there is no such directory.
    """
    sessions: list[str] = arguments.sessions
    if sessions and (arguments.all or arguments.project is not None):
        raise WrongArguments(
            "sessions can't be combined with --all or --project", todo="use one of them"
        )
    if not sessions and not arguments.all:
        directory(arguments.project)
    return sessions or None


def project(context: Context, arguments: Namespace) -> str | None:
    """The key of the project that is meant, None for all or for sessions by name.

    Raises:
        Misuse: there is no such directory.
        ProjectKeyError: its project isn't known.
    """
    if arguments.all or getattr(arguments, "sessions", None):
        register_current_directory(context)
        return None
    return context.registry.stand(directory(arguments.project)).key


def register_current_directory(context: Context) -> None:
    """Register the current directory as a project's, if it is one."""
    try:
        context.registry.stand(Path(os.getcwd()))
    except (FileNotFoundError, ProjectKeyError):
        pass  # it wasn't asked for


def directory(given: str | None) -> Path:
    """The directory that is meant: the one that was named, else the current one.

    Raises:
        WrongArguments: it isn't there.
    """
    if given is None:
        try:
            return Path(os.getcwd())
        except FileNotFoundError:
            raise WrongArguments(
                "the current directory no longer exists", todo="go to another, or use --all"
            ) from None
    if not os.path.isdir(given):
        raise WrongArguments("there is no such directory", where=given, todo="correct --project")
    return Path(given)
