"""``claude-sync config``"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable

from claude_sync.disk.log import Log
from claude_sync.errors import PreferencesError
from claude_sync.state import preferences
from claude_sync.state.paths import Paths, paths
from claude_sync.wording import count
from claude_sync_app.cli.output import print_error, print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE, WrongArguments

_BY_INIT = ("location", "store_id")


def configure(parser: Parser) -> None:
    parser.add_argument("action", nargs="?", choices=("get", "set", "path"), default="get")
    parser.add_argument("key", nargs="?", metavar="KEY")
    parser.add_argument("value", nargs="?", metavar="VALUE")
    parser.add_json()
    parser.describe(
        "A VALUE is plain text or JSON; null restores the default.",
        ("config", "every preference"),
        ("config get on_arrival", "one of them"),
        ("config set on_arrival pull", "pull what arrives without asking"),
        ("config set notifications.pushed off", "one kind of notification"),
        ("config set ignore '[\"git:github.com/employer/*\"]'", "don't push these with --all"),
        ("config path", "the file they are in"),
    )


def run(arguments: Namespace) -> int:
    own = paths()
    if arguments.action == "path":
        return _path(own, arguments)
    if arguments.action == "set":
        return _set(own, arguments)
    return _get(own, arguments)


def _path(own: Paths, arguments: Namespace) -> int:
    if arguments.key is not None:
        raise WrongArguments("config path takes no arguments")
    if arguments.json:
        print_json({"path": str(own.preferences_file)})
    else:
        print_line(str(own.preferences_file))
    return DONE


def _get(own: Paths, arguments: Namespace) -> int:
    if arguments.value is not None:
        raise WrongArguments(
            "config get takes one key", todo="to change it, use config set KEY VALUE"
        )
    chosen = preferences.load(own)
    if arguments.key is not None:
        value = _checked(preferences.value_of, chosen, arguments.key)
        if arguments.json:
            print_json({arguments.key: value})
        else:
            print_line(_words(value))
    elif arguments.json:
        print_json(preferences.as_json(chosen))
    else:
        values = _flat(preferences.as_json(chosen))
        width = max(map(len, values))
        for key, value in values.items():
            print_line(f"{key.ljust(width)}  {_words(value)}")
    for problem in chosen.problems:
        what = f"{problem.key} {problem.reason}" if problem.key else f"the file {problem.reason}"
        print_error(f"{what} ({own.preferences_file}): the default is used until that is fixed")
    return DONE


def _flat(values: dict[str, object]) -> dict[str, object]:
    """Each by the name that can be set on its own: notifications.arrival and so on."""
    flat: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update((f"{key}.{part}", one) for part, one in value.items())
        else:
            flat[key] = value
    return flat


def _set(own: Paths, arguments: Namespace) -> int:
    key, value = arguments.key, arguments.value
    if key is None or value is None:
        raise WrongArguments("config set takes a key and a value")
    if key in _BY_INIT:
        raise WrongArguments(
            f"{key} can't be set here",
            todo="choose a shared folder with `claude-sync init LOCATION`",
        )
    _checked(preferences.parse_value, key, value)
    changed = preferences.set_text(own, key, value)
    Log(own.log_file).write([f"config set {key}"])
    shown = preferences.value_of(changed, key)
    if arguments.json:
        print_json({key: shown})
    else:
        print_line(f"{key} is {_words(shown)}.")
        if key == "checkpoints" and shown is False:
            _say_what_was_pushed(own)
    if key == "search" and shown is False:
        from claude_sync.search.index import remove_indexes

        remove_indexes(own)
    return DONE


def _say_what_was_pushed(own: Paths) -> None:
    """Say that the checkpoints which left this machine before are still where they went."""
    from claude_sync.sync.read_only import open_read_only
    from claude_sync.sync.survey.own_checkpoints import remembered_with_checkpoints

    with open_read_only(own) as context:
        pushed = remembered_with_checkpoints(context)
    if pushed:
        was = "was" if pushed == 1 else "were"
        print_line(
            f"{count(pushed, 'session')} {was} pushed with checkpoints: `claude-sync push --all` "
            "takes them out of the shared folder, and `claude-sync doctor` names what is left."
        )


def _checked(function: Callable[..., object], *given: object) -> object:
    """Call a function with a key or a value that was typed; one that is wrong is wrong usage."""
    try:
        return function(*given)
    except PreferencesError as error:
        raise WrongArguments(error.what, where=error.where, todo=error.todo) from None


def _words(value: object) -> str:
    """A value as it can be given to ``config set``."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
