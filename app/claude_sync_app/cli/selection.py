"""Which sessions a command is about: those that are named, a directory's project, or all."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from claude_sync.errors import ProjectKeyError
from claude_sync.sync.context import Context
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import WrongArguments

SESSION = "a session's id, or the beginning of it"


def add_project(parser: Parser, everything: str) -> None:
    """The options for a project, or all of them.

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
    """The arguments for sessions by name, and the options for those of a project or all."""
    parser.add_argument("sessions", nargs="*", metavar="SESSION", help=SESSION)
    add_project(parser, everything)


def named(arguments: Namespace) -> list[str] | None:
    """The sessions that were named, None where none was.

    Raises:
        Misuse: that makes no sense, or there is no such directory; before anything is opened.
    """
    sessions: list[str] = arguments.sessions
    if sessions and (arguments.all or arguments.project is not None):
        raise WrongArguments(
            "sessions were named, and a project or all of them too", todo="choose one way"
        )
    if not sessions and not arguments.all:
        _directory(arguments.project)
    return sessions or None


def project(context: Context, arguments: Namespace) -> str | None:
    """The key of the project that is meant, None for all or for sessions by name.

    Raises:
        Misuse: there is no such directory.
        ProjectKeyError: its project can't be told.
    """
    if arguments.all or getattr(arguments, "sessions", None):
        stand_here(context)
        return None
    return context.registry.stand(_directory(arguments.project)).key


def stand_here(context: Context) -> None:
    """Let the directory that the person stands in be known as a project's, if it is one."""
    try:
        context.registry.stand(Path(os.getcwd()))
    except (FileNotFoundError, ProjectKeyError):
        pass  # it is no help, but wasn't asked for either


def _directory(given: str | None) -> Path:
    if given is None:
        try:
            return Path(os.getcwd())
        except FileNotFoundError:
            raise WrongArguments(
                "the current directory is no longer there", todo="go to another, or use --all"
            ) from None
    if not os.path.isdir(given):
        raise WrongArguments("there is no such directory", where=given, todo="mend --project")
    return Path(given)
