"""``claude-sync watch``"""

from __future__ import annotations

import math
import queue
import sys
import time
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable

from claude_sync.service.service import Service
from claude_sync.service.status import Status
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync_app.cli import watch_lines
from claude_sync_app.cli.context import ensure_set_up
from claude_sync_app.cli.interrupts import Interrupts
from claude_sync_app.cli.output import flush, is_terminal, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import INTERRUPTED
from claude_sync_app.upgrades import LOOK_SECONDS, InstalledVersion, as_it_was_started, start_anew
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
        "it within a second, with nothing half done. Once it was upgraded, it starts anew.",
        ("watch", "keep this machine in sync with the others"),
        ("watch --no-pull", "push, and only tell what arrives"),
    )


def run(arguments: Namespace) -> int:
    with Interrupts() as interrupts:
        ensure_set_up()
        version = InstalledVersion(as_it_was_started)
        news: queue.SimpleQueue[Status] = queue.SimpleQueue()
        pulls = not arguments.no_pull and _pulls()
        window = Window(lambda: service)
        service = Service(
            on_status=news.put,
            on_open=window.address_if_any,
            on_arrival="pull" if pulls else "nothing",
            interval_seconds=arguments.interval,
        )
        service.start()

        def print_until(done: Callable[[], bool]) -> bool:
            """Print what happens, until something is done; False where all is to end before."""
            while not interrupts.requested() and not service.status.stopped:
                if done():
                    return True
                try:
                    printer.print_news(news.get(timeout=_TICK_SECONDS))
                except queue.Empty:
                    continue
                if news.empty():
                    flush()
            return False

        try:
            printer = watch_lines.StatusPrinter(pulls=pulls, titles=is_terminal(sys.stdout))
            every = min(LOOK_SECONDS, arguments.interval or LOOK_SECONDS)
            upgraded = print_until(_at_intervals(version.is_another, every))
            # What is being done now is done first.
            upgraded = upgraded and print_until(service.call(lambda _: None).done)
        finally:
            window.close()
            service.stop(_STOP_SECONDS)
    if not upgraded:
        return INTERRUPTED
    print_line("Another version of claude-sync is here: starting anew.")
    flush()
    return start_anew(as_it_was_started(), waits=True)


def _at_intervals(look: Callable[[], bool], seconds: float) -> Callable[[], bool]:
    """What can be asked all the time, and looks at intervals only."""
    last = time.monotonic()

    def asked() -> bool:
        nonlocal last
        if time.monotonic() - last < seconds:
            return False
        last = time.monotonic()
        return look()

    return asked


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
