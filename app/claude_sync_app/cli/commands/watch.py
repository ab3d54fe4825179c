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
from claude_sync_app.window.opening import Window

_TICK_SECONDS = 0.2
_STOP_SECONDS = 0.6
_LONGEST_INTERVAL_SECONDS = 86_400.0


def configure(parser: Parser) -> None:
    parser.add_argument(
        "--interval",
        type=_seconds,
        metavar="SECONDS",
        help="how often to look for newer sessions (default: pull_interval_seconds)",
    )
    parser.add_argument(
        "--no-pull", action="store_true", help="only tell what arrives, and don't pull it"
    )
    parser.describe(
        "A session is pushed when it hasn't changed for a few seconds, and at once when it\n"
        "is closed. A session that is open here is pulled when it is closed. Watching starts\n"
        "with the last 7 days; `claude-sync push --all` pushes older sessions. Ctrl-C ends\n"
        "it within a second, with nothing half done.",
        ("watch", "keep this machine in sync with the others"),
        ("watch --no-pull", "push, and only tell what arrives"),
    )


def run(arguments: Namespace) -> int:
    with Interrupts() as interrupts:
        ensure_set_up()
        news: queue.SimpleQueue[Status] = queue.SimpleQueue()
        pulls = not arguments.no_pull and _pulls()
        window = Window(lambda: service)
        service = Service(
            on_status=news.put,
            on_open=window.address_soon,
            on_arrival="pull" if pulls else "nothing",
            interval_seconds=arguments.interval,
        )
        service.start()
        try:
            printer = watch_lines.StatusPrinter(pulls=pulls, titles=is_terminal(sys.stdout))
            while not interrupts.requested() and not service.status.stopped:
                try:
                    printer.print_news(news.get(timeout=_TICK_SECONDS))
                except queue.Empty:
                    continue
                if news.empty():
                    flush()
        finally:
            window.close()
            service.stop(_STOP_SECONDS)
    return INTERRUPTED


def _pulls() -> bool:
    """Whether what arrives is pulled. Whoever types this at a terminal wants that, whatever the
    tray does; elsewhere there is no one to ask, so only the preference "nothing" prevents it."""
    return is_terminal(sys.stdout) or preferences.load(paths()).on_arrival != "nothing"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= _LONGEST_INTERVAL_SECONDS:
        raise ArgumentTypeError("must be a number of seconds from 1 to 86400")
    return seconds
