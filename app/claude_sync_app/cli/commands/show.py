"""``claude-sync show``"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from claude_sync.search.export import as_html, as_json, as_markdown, as_text, save_document
from claude_sync.search.reader import SessionReader
from claude_sync.search.reading import read_session
from claude_sync.wording import size
from claude_sync_app.cli.context import read_only_context
from claude_sync_app.cli.output import bold, print_line, print_raw
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE
from claude_sync_app.cli.selection import SESSION


def configure(parser: Parser) -> None:
    parser.add_argument("session", metavar="SESSION", help=SESSION)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as Markdown")
    form.add_argument("--html", action="store_true", help="as a page that needs nothing else")
    form.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--machine",
        metavar="MACHINE",
        help="that machine's copy (default: the one here, or the newest)",
    )
    parser.add_argument(
        "--agent",
        metavar="ID",
        help="what that subagent was told and said, by the id that the session's text names",
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="into a file")
    parser.describe(
        "Nothing is pulled, and nothing changes: what isn't here is read in the shared folder.\n"
        "What tools gave back isn't shown, and no picture is ever loaded. The subagents are\n"
        "listed at the end; what one said is read with --agent.",
        ("show 3f2a | less", "read it"),
        ("show 3f2a --html -o talk.html", "for a browser, or for somebody else"),
        ("show 3f2a --agent a22e", "one of its subagents"),
    )


def run(arguments: Namespace) -> int:
    with (
        read_only_context() as context,
        read_session(
            context, arguments.session, machine=arguments.machine, agent=arguments.agent
        ) as reader,
    ):
        pieces = _pieces(arguments, reader)
        if arguments.output is not None:
            written = save_document(arguments.output, pieces)
            print_line(f"Written to {arguments.output} ({size(written)}).")
            return DONE
        for piece in pieces:
            print_raw(piece)
    return DONE


def _pieces(arguments: Namespace, reader: SessionReader) -> Iterator[str]:
    """The session in the form that is wanted."""
    if arguments.json:
        return as_json(reader)
    if arguments.html:
        return as_html(reader)
    if arguments.markdown:
        return as_markdown(reader)
    return as_text(reader, bold if arguments.output is None else str)
