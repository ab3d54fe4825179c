"""``claude-sync report``"""

from __future__ import annotations

import os
import time
from argparse import Namespace
from pathlib import Path

from claude_sync.disk import files
from claude_sync.errors import UsageError
from claude_sync.wording import short_path
from claude_sync_app.cli.context import read_only_context
from claude_sync_app.cli.output import print_line, print_raw
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE

_FILE = "claude-sync-report.txt"


def configure(parser: Parser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help=f"the file, or a directory for it (default: {_FILE} here); -: print it",
    )
    parser.describe(
        "It has versions, the system, counts, and the codes of what went wrong; no titles,\n"
        "paths, projects, machines, hosts or keys. Nothing is sent anywhere.",
        ("report", "write it into the current directory"),
        ("report -o -", "look at it"),
    )


def run(arguments: Namespace) -> int:
    from claude_sync_app.desktop.checks import checks
    from claude_sync_app.report import report

    with read_only_context() as context:
        text = report(context, checks=checks(), now=time.time())
    if str(arguments.output) == "-":
        print_raw(text)
        return DONE
    path = _written(text, arguments.output or Path())
    print_line(f"Written to {short_path(path)}.")
    print_line("Read it, then attach it to your bug report. Nothing was sent anywhere.")
    return DONE


def _written(text: str, target: Path) -> Path:
    """Write the report; its path.

    Raises:
        UsageError: it can't be written there.
    """
    if target.is_dir():
        target = target / _FILE
    path = Path(os.path.abspath(target))
    try:
        files.replace(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"the report can't be written ({error.strerror})",
            where=str(path),
            todo="name another file with -o",
        ) from error
    return path
