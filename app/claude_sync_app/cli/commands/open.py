"""``claude-sync open``"""

from __future__ import annotations

import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from claude_sync.errors import ClaudeSyncError, LockBusy
from claude_sync.service.inlet_address import home_mark, read_address, send
from claude_sync.service.messages import OPEN, Request
from claude_sync.state import preferences
from claude_sync.state.paths import Paths, paths
from claude_sync_app.cli.context import ensure_set_up, is_set_up
from claude_sync_app.cli.interrupts import Interrupts
from claude_sync_app.cli.output import flush, is_terminal, print_line, print_note
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE, INTERRUPTED

if TYPE_CHECKING:
    from claude_sync.model import Finding
    from claude_sync.service.service import Service
    from claude_sync.sync.context import Context

_FIRST_PAGE = "welcome"
_IDLE_SECONDS = 60.0
_TICK_SECONDS = 0.1
_STOP_SECONDS = 1.0
_ANSWER_SECONDS = 2.0
_START_SECONDS = 20.0


def configure(parser: Parser) -> None:
    parser.add_argument(
        "--print",
        action="store_true",
        dest="print_address",
        help="print the address for a browser instead; it lets in once, within ten minutes",
    )
    parser.describe(
        "\nThe window is a page that only you can open, and only on this machine. Where the\n"
        "icon runs (`claude-sync tray`), that shows it; else this command does, and keeps this\n"
        "machine in sync, until the page has been closed for a minute.",
        ("open", "show the window"),
        ("open --print", "only print its address"),
    )


def run(arguments: Namespace) -> int:
    with Interrupts() as interrupts:
        own = paths()
        page = "" if is_set_up(preferences.load(own)) else _FIRST_PAGE
        ensure_set_up()
        address = _address_of_running(own, page, interrupts.requested)
        if address is not None:
            _show(own, address, print_only=arguments.print_address)
            return DONE
        return _serve(interrupts, page, print_only=arguments.print_address)


def _show(own: Paths, address: str, *, print_only: bool) -> None:
    if print_only:
        print_line(address)
        flush()
        return
    from claude_sync_app.desktop.launching import DesktopError
    from claude_sync_app.window.showing import show

    try:
        show(own, address)
    except DesktopError as error:
        raise ClaudeSyncError(
            f"no browser could be opened: {error.what}",
            todo="type `claude-sync open --print`, and open that address in one on this machine",
        ) from error


def _address_of_running(own: Paths, page: str, should_stop: Callable[[], bool]) -> str | None:
    """Where the window of the service is that runs already; None where none runs.

    Raises:
        ClaudeSyncError: the one that runs has no window, or doesn't get it started.
    """
    from claude_sync.sync.context import claude_homes

    homes = claude_homes(preferences.load(own))
    found = read_address(own.inlet_file_of(home_mark(homes.used)))
    end = time.monotonic() + _START_SECONDS
    while found is not None and not should_stop():
        answer = send(found, Request(OPEN, page=page), _ANSWER_SECONDS)
        if answer is None:
            return None
        if not answer.window:
            raise ClaudeSyncError(
                "the claude-sync that watches here has no window", todo="end it, then try again"
            )
        if answer.address:
            return answer.address
        if time.monotonic() > end:
            raise ClaudeSyncError(
                "claude-sync doesn't get its window started", todo="see its log for the reason"
            )
        time.sleep(_TICK_SECONDS)
    return None


def _serve(interrupts: Interrupts, page: str, *, print_only: bool) -> int:
    """Run the service and the window, until the page has been closed for a while."""
    from claude_sync.service.service import Service
    from claude_sync_app.window.opening import Window

    ended = threading.Event()
    window = Window(lambda: service, idle_seconds=_IDLE_SECONDS, on_end=ended.set)
    service: Service = Service(on_open=window.address_if_any, checks=[_check])
    try:
        service.start()
    except LockBusy as error:
        raise LockBusy(error.what, todo="try again in a moment") from None
    try:
        _show(service.paths, window.address(page), print_only=print_only)
        window.wait_until_ready()
        if is_terminal(sys.stdout) and not print_only:
            print_note("The window is open. This ends a minute after it is closed, or with Ctrl-C.")
        while not (interrupts.requested() or ended.wait(_TICK_SECONDS) or service.status.stopped):
            pass
    finally:
        window.close()
        service.stop(_STOP_SECONDS)
    return INTERRUPTED if interrupts.requested() else DONE


def _check(context: Context) -> Iterator[Finding]:
    # Imported when the doctor runs, and not before the window is there.
    from claude_sync_app.desktop.checks import checks

    for check in checks():
        yield from check(context)
