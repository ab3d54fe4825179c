"""``claude-sync key``"""

from __future__ import annotations

from argparse import Namespace

from claude_sync.disk.log import Log
from claude_sync.errors import StoreOffline
from claude_sync.state import preferences
from claude_sync.state.keys import load_master
from claude_sync.state.paths import paths
from claude_sync.sync.store_key import change_store_key, check_chosen
from claude_sync.wording import quoted, short_path
from claude_sync_app.cli.output import print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE, FAILED, WrongArguments
from claude_sync_app.cli.store_keys import MadeKey, add_key_options, given_key


def configure(parser: Parser) -> None:
    parser.add_argument(
        "action", nargs="?", choices=("change",), help="default: say whether there is a key here"
    )
    add_key_options(parser, new="the new key")
    parser.add_json()
    parser.describe(
        "`key change` gives an encrypted shared folder a new key; machines that have the old\n"
        "one go on as they are. It doesn't lock anyone out: whoever had a machine of yours\n"
        "(lost, sold) can read what it could reach. Then begin a new shared folder elsewhere\n"
        "with `claude-sync init LOCATION --encrypt`, and push there from each machine.",
        ("key", "say whether the shared folder is encrypted"),
        ("key change", "make a new key, and show it once"),
        ("key change --passphrase", "a passphrase of your own instead"),
    )


def run(arguments: Namespace) -> int:
    if arguments.action is None:
        if arguments.passphrase or arguments.key_file or arguments.key_command:
            raise WrongArguments("a new key is for change", todo="type `claude-sync key change`")
        return _say(arguments)
    own = paths()
    made = MadeKey(preferences.load(own).location or "LOCATION", json=arguments.json)
    given = given_key(arguments)
    with made.whatever_happens():
        change_store_key(own, given, made.show)
    Log(own.log_file).write(["key change"])
    if arguments.json:
        print_json({"changed": True, **({"key": made.key} if made.key is not None else {})})
        return DONE
    print_line("The shared folder has this new key. Machines that have the old one go on as they")
    print_line("are.")
    return DONE


def _say(arguments: Namespace) -> int:
    own = paths()
    chosen = preferences.load(own)
    has_key = chosen.store_id is not None and load_master(own, chosen.store_id) is not None
    if arguments.json:
        print_json({"encrypted": chosen.encrypted or has_key, "has_key": has_key})
        return DONE if has_key or not chosen.encrypted else FAILED
    where = short_path(chosen.location) if chosen.location is not None else "The shared folder"
    if has_key:
        try:
            check_chosen(own)
        except StoreOffline as error:
            print_line(f"This machine has the key of {where}, which was encrypted.")
            print_line(f"Whether it fits now can't be said: {error}.")
            return FAILED
        print_line(f"{where} is encrypted, and this machine has its key.")
        print_line("If you lost the key that you wrote down: `claude-sync key change` makes a new")
        print_line("one. After a machine was lost or sold, begin a new shared folder elsewhere.")
        return DONE
    if not chosen.encrypted:
        print_line(f"{where} isn't encrypted: whoever can read it can read the sessions.")
        return DONE
    print_line(f"{where} is encrypted, and its key is no longer on this machine.")
    print_line(f"Give it again: claude-sync init {quoted(chosen.location or '')} --encrypt")
    return FAILED
