"""``claude-sync autostart``"""

from __future__ import annotations

from argparse import Namespace

from claude_sync.disk.log import Log
from claude_sync.state.paths import paths
from claude_sync.wording import short_path
from claude_sync_app.cli.output import print_error, print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE


def configure(parser: Parser) -> None:
    parser.add_argument(
        "action", nargs="?", choices=("enable", "disable", "status"), default="status"
    )
    parser.add_json()
    parser.describe(
        "",
        ("autostart enable", "start the icon at every login"),
        ("autostart disable", "stop doing so"),
        ("autostart status", "is it started at login?"),
    )


def run(arguments: Namespace) -> int:
    from claude_sync_app.desktop import autostart

    log = Log(paths().log_file)  # where there is no home directory, nothing is set up
    on = {"enable": True, "disable": False}.get(arguments.action)
    status = autostart.start_at_login(on=on)
    if on is not None:
        log.write([f"autostart {arguments.action}"])
    if arguments.json:
        print_json({"enabled": status.enabled, "where": status.where, "program": status.program})
    elif status.enabled:
        print_line(f"The icon is started at login ({short_path(status.where)}).")
    else:
        print_line("The icon isn't started at login.")
    if status.is_broken:
        print_error(
            f"the program to start at login isn't there ({status.program}): "
            "run `claude-sync autostart enable`"
        )
    return DONE
