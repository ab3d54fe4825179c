"""``claude-sync init``"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from claude_sync.disk.log import Log
from claude_sync.state import preferences
from claude_sync.state.paths import Paths, paths
from claude_sync.sync.setup import SetUp, set_up
from claude_sync.sync.store_key import KeyChoice
from claude_sync.transports.location import (
    CloudLocation,
    FolderLocation,
    HostLocation,
    parse_location,
)
from claude_sync.wording import join, short_path
from claude_sync_app.cli.output import print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.store_keys import (
    add_key_options,
    given_key,
    print_made_key,
    with_key,
)


def configure(parser: Parser) -> None:
    parser.add_argument(
        "location",
        metavar="LOCATION",
        help="a folder, host:path, ssh://[user@]host[:port]/path, or rclone:REMOTE:PATH; created "
        "if missing",
    )
    parser.add_argument(
        "--name", metavar="MACHINE", help="this machine's name there (default: its host name)"
    )
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="this is the machine that had that name, reinstalled",
    )
    parser.add_argument(
        "--anyway",
        action="store_true",
        help="take a folder inside Claude Code's, a repository with a remote, or a missing home",
    )
    parser.add_argument(
        "--encrypt",
        action="store_true",
        help="make a new shared folder that only machines with its key can read and write",
    )
    add_key_options(parser, new="the key of a new one")
    parser.add_json()
    parser.describe(
        "Whoever can read a shared folder that isn't encrypted can read the sessions, and\n"
        "whoever can write there can put words into a session that you resume. With\n"
        "--encrypt only machines that have its key can do either; others see how many\n"
        "sessions there are, about how big, and when they change. A folder stays encrypted,\n"
        "or not, for good.",
        ("init ~/Dropbox/claude-sync --encrypt", "mirrored to your machines, readable only there"),
        ("init nas:sessions", "a folder in your home directory on a host"),
        ("init ssh://me@nas:2222/srv/sessions", "the same with user, port and absolute path"),
        ("init rclone:drive:claude-sync", "a folder in a cloud that `rclone listremotes` names"),
        ("init /media/stick --name desktop", "with a name for this machine"),
    )


def run(arguments: Namespace) -> int:
    own = paths()
    before = preferences.load(own).location
    done = with_key(lambda key: _set_up(own, arguments, key), given_key(arguments))
    Log(own.log_file).write([f"init as {done.machine.name}"])
    if arguments.json:
        print_json(
            {
                "location": done.location,
                "machine": done.machine.name,
                "machine_id": done.machine.id,
                "machines": list(done.machines),
                "encrypted": done.encrypted,
                **({"key": done.made_key} if done.made_key is not None else {}),
            }
        )
        return 0
    print_line(
        f"Sessions are shared through {done.label}. "
        f"This machine is called {done.machine.name} there."
    )
    if before is not None and before != done.location:
        print_line(f"What this machine pushed to {short_path(before)} stays there.")
    if done.machines:
        print_line(f"Sessions of {join(done.machines)} are already there.")
    print_line(_who(done))
    if done.made_key is not None:
        print_made_key(done.made_key, arguments.location)
    print_line()
    print_line("claude-sync push --all   copies this machine's sessions there")
    if done.machines:
        print_line("claude-sync pull --all   brings the others, for projects on this machine")
    return 0


def _set_up(own: Paths, arguments: Namespace, key: str | None) -> SetUp:
    choice = None
    if arguments.encrypt or key is not None:
        choice = KeyChoice(arguments.encrypt, key)
    return set_up(
        own,
        arguments.location,
        name=arguments.name,
        take_over=arguments.take_over,
        anyway=arguments.anyway,
        key=choice,
    )


def _who(done: SetUp) -> str:
    """Who can read and write there, and what that means."""
    if done.encrypted:
        return (
            "It is encrypted: only machines that have its key can read or write sessions there. "
            "Others who reach it see how many there are, about how big, and when they change; "
            "and they can delete them."
        )
    parsed = parse_location(done.location)
    means = "put words into a session that you resume"
    if isinstance(parsed, HostLocation):
        user = parsed.user or "you"
        whom = f"Whoever can log in as {user} on {parsed.host}, or is root there,"
        return f"{whom} can read these sessions, and {means}."
    if isinstance(parsed, CloudLocation):
        return (
            f"Whoever can log in to {parsed.remote}, runs it, or has that folder shared with them, "
            f"can read these sessions, and {means}."
        )
    if isinstance(parsed, FolderLocation) and _others_write(Path(parsed.path)):
        return f"Other users of this machine can write there: they can {means}; see the doctor."
    return (
        "Of this machine's users only you can write there. Whoever else it is shared with can "
        f"read these sessions, and {means}."
    )


def _others_write(folder: Path) -> bool:
    from claude_sync.doctor.store import Exposure

    exposure = Exposure(folder)
    exposure.look(set())
    return bool(exposure.writable)
