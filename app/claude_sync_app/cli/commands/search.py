"""``claude-sync search``"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentTypeError, Namespace
from contextlib import suppress

from claude_sync.errors import SearchError
from claude_sync.model import IndexProgress
from claude_sync.search.searching import (
    MOST_HITS,
    SearchAnswer,
    SearchHit,
    check_wanted,
    search_sessions,
    update_index,
)
from claude_sync.wording import ago, read_so_far, rfc3339
from claude_sync_app.cli import selection
from claude_sync_app.cli.context import read_only_context
from claude_sync_app.cli.output import (
    bold,
    is_terminal,
    print_json,
    print_line,
    print_note,
    print_raw,
)
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE
from claude_sync_app.shown_text import one_line, without_controls

_LIMIT = 10
_READING_SECONDS = 30.0


def configure(parser: Parser) -> None:
    parser.add_argument("words", nargs="+", metavar="WORDS", help="what was said")
    parser.add_argument("--project", metavar="DIR", help="only in the project of this directory")
    parser.add_argument("--machine", metavar="MACHINE", help="only in what that machine has")
    parser.add_argument(
        "--limit", metavar="N", type=_number, default=_LIMIT, help=f"the newest N ({_LIMIT})"
    )
    parser.add_json()
    parser.describe(
        "Finds the sessions, on any machine, in which all the words were said in one place, by\n"
        "you or by Claude. The last word may be a beginning; words that stand between quotation\n"
        "marks must follow one another.\n"
        "\n"
        "For that there is an index of the words on this machine, as private as the transcripts;\n"
        "`claude-sync config set search false` removes it.\n"
        "\n"
        "In a pipe: id, when, machines, project, title and line, separated by tabs.",
        ("search login cookie", "in any project"),
        ("search --project . '\"login cookie\"'", "one after the other, in this project"),
    )


def run(arguments: Namespace) -> int:
    with read_only_context() as context:
        check_wanted(context)
        project = None
        if arguments.project is not None:
            directory = selection.directory(arguments.project)
            project = context.registry.stand(directory).key
        progress = None
        with suppress(SearchError):  # the icon's may be at it: then it has what there is
            progress = update_index(context, seconds=_READING_SECONDS)
        answer = search_sessions(
            context,
            " ".join(arguments.words),
            project=project,
            machine=arguments.machine,
            limit=arguments.limit,
        )
    complete = progress is not None and progress.complete
    if arguments.json:
        hits = [_json(hit) for hit in answer.hits]
        print_json({"hits": hits, "more": answer.more, "complete": complete})
    else:
        _print(answer)
    if not complete:
        print_note(_incomplete(progress))
    return DONE


def _incomplete(progress: IndexProgress | None) -> str:
    """What is said where not everything can be found yet."""
    if progress is None or progress.read == progress.total:
        return "Not everything could be read yet: search again in a moment."
    return read_so_far(progress.read, progress.total)


def _print(answer: SearchAnswer) -> None:
    on_terminal = is_terminal(sys.stdout)
    for number, hit in enumerate(answer.hits):
        if on_terminal:
            print_raw("\n" if number else "")
            _print_hit(hit)
        else:
            cells = (hit.session_id, rfc3339(hit.time * 10**9), ",".join(hit.machines))
            rest = (hit.project_key, hit.title, hit.line.text)
            print_raw("\t".join(map(one_line, (*cells, *rest))) + "\n")
    if not answer.hits:
        print_line("Nothing was found.")
    elif answer.more and on_terminal:
        more = min(2 * len(answer.hits), MOST_HITS)
        print_note(
            f"(there are more: {f'--limit {more}' if more > len(answer.hits) else 'add a word'})"
        )


def _print_hit(hit: SearchHit) -> None:
    """A session, and the line with the words in bold."""
    title = one_line(hit.title) or "(no title)"
    print_raw(f"{bold(title)}  {hit.session_id[:8]}\n")
    facts = [hit.project_key, ago(hit.time * 10**9, time.time_ns()), ", ".join(hit.machines)]
    if hit.places > 1:
        facts.append(f"{hit.places} places")
    print_line("  " + " · ".join(one_line(fact) for fact in facts if fact))
    if hit.line.text:
        pieces = (
            bold(text) if marked else without_controls(text) for text, marked in hit.line.pieces()
        )
        print_raw("  " + "".join(pieces) + "\n")


def _json(hit: SearchHit) -> dict[str, object]:
    return {
        "session_id": hit.session_id,
        "title": hit.title,
        "project_key": hit.project_key,
        "directory": str(hit.directory) if hit.directory is not None else None,
        "machines": list(hit.machines),
        "modified": rfc3339(hit.mtime_ns),
        "time": rfc3339(hit.time * 10**9),
        "speaker": hit.speaker,
        "offset": hit.offset,
        "line": hit.line.text,
        "marks": [list(mark) for mark in hit.line.marks],
        "places": hit.places,
    }


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= MOST_HITS:
        raise ArgumentTypeError(f"{text!r} isn't a whole number from 1 to {MOST_HITS}")
    return int(text)
