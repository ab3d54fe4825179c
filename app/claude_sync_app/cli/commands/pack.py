"""``claude-sync pack``"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from claude_sync.sync.pack import pack
from claude_sync.wording import quoted, size
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.output import print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.selection import SESSION


def configure(parser: Parser) -> None:
    parser.add_argument("session", metavar="SESSION", help=SESSION)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="the file, or a directory for it (default: the current directory)",
    )
    parser.add_json()
    parser.describe(
        "No set-up is needed. Whoever has the file can read the session.",
        ("pack 3f2a", "into SESSION-MACHINE.ccsync here"),
        ("pack 3f2a -o /media/stick/", "onto a USB stick"),
    )


def run(arguments: Namespace) -> int:
    with command_context(store=False) as context:
        file = pack(context, arguments.session, arguments.output)
    length = file.stat().st_size
    if arguments.json:
        print_json({"file": str(file.absolute()), "bytes": length})
    else:
        print_line(f"Packed into {file} ({size(length)}).")
        print_line(f"Where it is to go: `claude-sync unpack {quoted(file.name)}`.")
    return 0
