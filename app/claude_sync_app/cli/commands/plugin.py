"""``claude-sync plugin``"""

from __future__ import annotations

from argparse import Namespace

from claude_sync.disk.log import Log
from claude_sync.state.paths import paths
from claude_sync.wording import short_path
from claude_sync_app.cli.output import print_error, print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE, FAILED
from claude_sync_app.inside_client.installation import (
    PluginStatus,
    disable_plugin,
    enable_plugin,
    plugin_status,
)

_DOES = {"enable": enable_plugin, "disable": disable_plugin, "status": plugin_status}


def configure(parser: Parser) -> None:
    parser.add_argument("action", nargs="?", choices=tuple(_DOES), default="status")
    parser.add_json()
    parser.describe(
        "With it, Claude Code has a session pushed as soon as an answer is complete and when\n"
        "the session ends, and says at a start what another machine went on with. There are\n"
        "/session-sync:push and /session-sync:status. Claude Code's own commands install it\n"
        "and take it away.",
        ("plugin enable", "install the plugin, or bring it up to date"),
        ("plugin disable", "take it away"),
        ("plugin status", "what does Claude Code have?"),
    )


def run(arguments: Namespace) -> int:
    log = Log(paths().log_file)  # where there is no home directory, nothing is set up
    status = _DOES[arguments.action]()
    if arguments.action != "status":
        log.write([f"plugin {arguments.action}"])
    if arguments.json:
        print_json(_document(status))
    elif not status.is_broken:
        print_line(_sentence(status, is_new=arguments.action == "enable"))
    if status.is_broken:
        print_error(
            "Claude Code has the plugin, and the program that it starts isn't there "
            f"({status.program.python if status.program else 'none is named'}): "
            "run `claude-sync plugin enable`"
        )
        return FAILED
    if status.enabled and status.outdated:
        print_error("the plugin isn't this version's: run `claude-sync plugin enable`")
    return DONE


def _document(status: PluginStatus) -> dict[str, object]:
    return {
        "enabled": status.enabled,
        "installed": status.installed,
        "claude_home": str(status.home),
        "folder": str(status.folder) if status.folder is not None else None,
        "program": status.program.python if status.program is not None else None,
        "outdated": status.outdated,
    }


def _sentence(status: PluginStatus, *, is_new: bool) -> str:
    where = short_path(status.home)
    if status.enabled:
        since = ", from its next start on" if is_new else ""
        return f"claude-sync is inside Claude Code ({where}){since}."
    if status.installed:
        return f"Claude Code ({where}) has the plugin, and it is switched off there."
    return f"claude-sync isn't inside Claude Code ({where})."
