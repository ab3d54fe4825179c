"""``claude-sync init``"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from claude_sync.disk.log import Log
from claude_sync.errors import StoreMissing
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
from claude_sync_app.cli.prompt import can_ask, confirm
from claude_sync_app.cli.store_keys import (
    MadeKey,
    add_key_options,
    given_key,
    with_key,
)
from claude_sync_app.cli.typed_folder import typed_folder


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
        help="take a folder inside Claude Code's, a repository with a remote, or a missing home; "
        "or one that isn't encrypted in place of one that is",
    )
    parser.add_argument(
        "--encrypt",
        action="store_true",
        help="a shared folder that only machines with its key can read and write: the first "
        "machine makes it and gets its key, the next ones are asked for that",
    )
    parser.add_argument(
        "--new",
        action="store_true",
        help="make a shared folder where there is none, without asking whether one should be there",
    )
    parser.add_argument(
        "--accept-older",
        action="store_true",
        help="take what lies in an encrypted folder now for what counts, though newer files were "
        "seen there (a backup was played back)",
    )
    add_key_options(parser, new="the key of a new one")
    parser.add_json()
    parser.describe(
        "Whoever can read a shared folder that isn't encrypted can read the sessions, and\n"
        "whoever can write there can put words into a session that you resume. With\n"
        "--encrypt only machines that have its key can do either; others see how many\n"
        "sessions there are, about how big, and when they change. A folder stays encrypted,\n"
        "or not, for good. In a folder that Dropbox or the like keeps in sync sessions are in\n"
        "its subfolder claude-sync, or where your other machines have them already.",
        ("init ~/Dropbox/claude-sync --encrypt", "mirrored to your machines, readable only there"),
        ("init nas:sessions", "a folder in your home directory on a host"),
        ("init ssh://me@nas:2222/srv/sessions", "the same with user, port and absolute path"),
        ("init rclone:drive:claude-sync", "a folder in a cloud that `rclone listremotes` names"),
        ("init /media/stick --name desktop", "with a name for this machine"),
    )


def run(arguments: Namespace) -> int:
    own = paths()
    before = preferences.load(own).location
    place = typed_folder(own, arguments.location, anew=arguments.new)
    arguments.location = place.location
    made = MadeKey(arguments.location, json=arguments.json)
    with made.whatever_happens():
        done = _set_up_asking(own, arguments, made)
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
    if place.remark:
        print_line(place.remark)
    if before is not None and before != done.location:
        print_line(f"What this machine pushed to {short_path(before)} stays there.")
    if done.machines:
        print_line(f"Sessions of {join(done.machines)} are already there.")
    print_line(f"{_not_encrypted(done)}{_who(done)}")
    if arguments.encrypt and made.key is None and not made.was_given:
        print_line("This machine has its key; `claude-sync key change` shows you a new one.")
    print_line()
    print_line("claude-sync push --all   copies this machine's sessions there")
    if done.machines:
        print_line("claude-sync pull --all   brings the others, for projects on this machine")
    return 0


def _set_up_asking(own: Paths, arguments: Namespace, made: MadeKey) -> SetUp:
    """Set it up; on a terminal, ask for the key of one that is there, and before one is made."""
    given = given_key(arguments)
    asks = can_ask() and not arguments.json
    # Where nobody can be asked, who brings a key may be any machine, and who brings none the first.
    new = arguments.new or (not asks and not (arguments.encrypt and given is not None))
    try:
        return with_key(lambda key: _set_up(own, arguments, key, made, new=new), given)
    except StoreMissing:
        if not asks or (given is not None and not arguments.encrypt):
            raise
        question = "Is this the first of your machines that uses it?"
        if not arguments.encrypt:
            question = "Make one that isn't encrypted?"
        if not confirm(f"No shared folder is there yet. {question}"):
            raise
    return _set_up(own, arguments, given, made, new=True)


def _set_up(
    own: Paths, arguments: Namespace, key: str | None, made: MadeKey, *, new: bool
) -> SetUp:
    made.was_given = made.was_given or key is not None
    return set_up(
        own,
        arguments.location,
        name=arguments.name,
        take_over=arguments.take_over,
        anyway=arguments.anyway,
        key=KeyChoice(arguments.encrypt, key, new=new, show=made.show),
        accept_older=arguments.accept_older,
    )


def _not_encrypted(done: SetUp) -> str:
    """What is said of a new one that isn't encrypted: it stays so, and nobody may have asked."""
    if done.encrypted or not done.is_new:
        return ""
    return (
        "It is new and NOT ENCRYPTED; to have one that only your machines can read, run "
        "`claude-sync init` with another place and --encrypt. "
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
