"""``claude-sync projects``"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from claude_sync.disk.log import Log
from claude_sync.projects.directory import ProjectDirectory
from claude_sync.sync.states import states
from claude_sync.wording import short_path
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.output import print_error, print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE, FAILED, WrongArguments
from claude_sync_app.cli.tables import Column, print_table


def configure(parser: Parser) -> None:
    parser.add_argument("action", nargs="?", choices=("add", "remove"), help="default: list them")
    parser.add_argument("directory", nargs="?", metavar="DIR", type=Path)
    parser.add_argument("--key", help="the project's key, or the remote URL it is made from")
    parser.add_json()
    parser.describe(
        "Directories are found by themselves from sessions, and when you run a command in\n"
        "one. In a pipe: key, directory and remarks, separated by tabs.",
        ("projects", "list all projects"),
        ("projects add ~/code/app", "sessions of its project from other machines go there"),
        ("projects add . --key git:github.com/you/app", "where git has no remote"),
        ("projects remove ~/code/old", "nothing goes there any more"),
    )


def run(arguments: Namespace) -> int:
    if arguments.action is None:
        return _list(arguments)
    if arguments.directory is None:
        raise WrongArguments(
            "no directory was given", todo=f"type `claude-sync projects {arguments.action} DIR`"
        )
    if arguments.action == "add":
        return _add(arguments)
    if arguments.key is not None:
        raise WrongArguments("--key has no meaning for remove", todo="leave it out")
    return _remove(arguments)


def _add(arguments: Namespace) -> int:
    with command_context(store=False) as context:
        key = context.registry.add(arguments.directory, arguments.key)
        Log(context.paths.log_file).write([f"projects add {key.key}"])
    if arguments.json:
        print_json({"project_key": key.key, "subpath": key.subpath})
    else:
        below = f" ({key.subpath} in it)" if key.subpath else ""
        print_line(f"{short_path(str(arguments.directory.resolve()))} is {key.key}{below}.")
    return DONE


def _remove(arguments: Namespace) -> int:
    with command_context(store=False) as context:
        removed = context.registry.remove(arguments.directory)
        Log(context.paths.log_file).write(["projects remove"] if removed else [])
    if arguments.json:
        print_json({"removed": removed})
    elif removed:
        print_line("Sessions no longer go there by themselves; those that are there stay.")
    if not removed:
        print_error(
            f"that directory isn't known ({arguments.directory}): see `claude-sync projects`"
        )
        return FAILED
    return DONE


def _list(arguments: Namespace) -> int:
    with command_context(store=False) as context:
        states(context, store=False)  # so that directories named by sessions are known
        known = context.registry.projects()
    if arguments.json:
        print_json({"projects": [_project_json(one) for one in known]})
    elif not known:
        print_line("No project is known yet. They are found from sessions, or can be added:")
        print_line("  claude-sync projects add DIR")
    else:
        print_table(
            (Column("project", least=20), Column("directory", least=20), Column("", least=10)),
            [(one.key or "(unknown)", short_path(str(one.path)), _remarks(one)) for one in known],
        )
    return DONE


def _project_json(one: ProjectDirectory) -> dict[str, object]:
    return {
        "project_key": one.key,
        "directory": str(one.path),
        "exists": one.exists,
        "linked": one.linked,
        "added": one.added,
        "pinned": one.pinned,
        "problem": one.problem,
    }


def _remarks(one: ProjectDirectory) -> str:
    remarks = (
        (not one.exists, "missing"),
        (one.linked, "worktree"),
        (one.pinned, "key given by hand"),
        (one.added and not one.pinned, "added"),
        (bool(one.problem), one.problem),
    )
    return ", ".join(words for holds, words in remarks if holds)
