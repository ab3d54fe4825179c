"""``claude-sync watch``"""

from __future__ import annotations

import math
import queue
import sys
from argparse import ArgumentTypeError, Namespace

from claude_sync.service.service import Service
from claude_sync.service.status import Status
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync_app.cli import watch_lines
from claude_sync_app.cli.context import ensure_set_up
from claude_sync_app.cli.interrupts import Interrupts
from claude_sync_app.cli.output import flush, is_terminal
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import INTERRUPTED

_TICK_SECONDS = 0.2
_STOP_SECONDS = 0.6
_LONGEST_INTERVAL_SECONDS = 86_400.0


def configure(parser: Parser) -> None:
    parser.add_argument(
        "--interval",
        type=_seconds,
        metavar="SECONDS",
        help="how often to look for what is newer elsewhere (the preference pull_interval_seconds)",
    )
    parser.add_argument(
        "--no-pull", action="store_true", help="say what arrived, and leave it where it is"
    )
    parser.explain(
        "\nA session is pushed when it has been quiet for a few seconds, and at once when\n"
        "it is closed. What is open here is pulled when it is closed. It begins with what\n"
        "was used in the last 7 days; `claude-sync push --all` pushes what is older.\n"
        "Ctrl-C ends it within a second, with nothing half done.",
        ("watch", "keep this machine and the others level"),
        ("watch --no-pull", "push only, and say what arrived"),
    )


def run(arguments: Namespace) -> int:
    with Interrupts() as interrupts:
        ensure_set_up()
        news: queue.SimpleQueue[Status] = queue.SimpleQueue()
        pulls = not arguments.no_pull and _pulls()
        service = Service(
            on_status=news.put,
            on_arrival="pull" if pulls else "nothing",
            interval_seconds=arguments.interval,
        )
        service.start()
        try:
            printer = watch_lines.StatusPrinter(pulls=pulls)
            while not interrupts.requested() and not service.status.stopped:
                try:
                    printer.print_news(news.get(timeout=_TICK_SECONDS))
                except queue.Empty:
                    continue
                if news.empty():
                    flush()
        finally:
            service.stop(_STOP_SECONDS)
    return INTERRUPTED


def _pulls() -> bool:
    """Whether what arrives is pulled: who types it at a terminal wants that, whatever the tray
    does; elsewhere nobody can be asked, so only the preference "nothing" is heard."""
    return is_terminal(sys.stdout) or preferences.load(paths()).on_arrival != "nothing"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= _LONGEST_INTERVAL_SECONDS:
        raise ArgumentTypeError("must be a number of seconds from 1 to 86400")
    return seconds
