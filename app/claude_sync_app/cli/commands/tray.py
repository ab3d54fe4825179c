"""``claude-sync tray``, and ``claude-sync-tray``"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from claude_sync.errors import LockBusy
from claude_sync_app.cli.output import print_line, print_note, take_unheard
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE, FAILED
from claude_sync_app.cli.runner import run as run_command


def configure(parser: Parser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        nargs="?",
        help="a .ccsync file: ask in a dialog whether to unpack it, and show no icon",
    )
    parser.describe(
        "The icon has a menu. It pushes what changes here, tells what arrives from other\n"
        "machines, and pulls it with one click. It runs until you choose Quit; a second one\n"
        "isn't started. Without a panel that shows icons it works all the same.",
        ("tray", "show the icon"),
        ("autostart enable", "start it at every login"),
    )


def run(arguments: Namespace) -> int:
    if arguments.file is not None:
        return _open(arguments.file)
    from claude_sync_app.tray.application import Application

    try:
        if Application(say=print_note).run():
            from claude_sync_app.desktop.autostart import tray_command
            from claude_sync_app.upgrades import start_anew

            return start_anew(tray_command())
    except LockBusy as error:
        print_line(f"claude-sync is already running: {error.what}.")
    return DONE


def _open(file: Path) -> int:
    """What a double click on a file does."""
    from claude_sync_app.desktop import dialogs
    from claude_sync_app.desktop.opened_file import open_file

    return DONE if open_file(file, dialogs.choose()) else FAILED


def main() -> int:
    """The windowed script.

    Windows gives it no streams: what it says before it ends is shown in a box.
    """
    status = run_command(["tray", *sys.argv[1:]])
    if text := take_unheard():
        from claude_sync_app.desktop import message_box

        message_box.show("claude-sync", text)
    return status
