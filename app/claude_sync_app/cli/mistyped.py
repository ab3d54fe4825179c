"""What a person most likely meant with a word that isn't one of those that can be typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Words of other programs for what is called something else here.
_ALSO_CALLED = {
    "check": "doctor",
    "clean": "forget",
    "configure": "config",
    "continue": "resume",
    "delete": "forget",
    "download": "pull",
    "export": "pack",
    "fetch": "pull",
    "get": "pull",
    "gui": "tray",
    "import": "unpack",
    "install": "init",
    "list": "sessions",
    "login": "init",
    "ls": "sessions",
    "merge": "resolve",
    "preferences": "config",
    "remove": "forget",
    "revert": "undo",
    "rm": "forget",
    "save": "push",
    "settings": "config",
    "setup": "init",
    "start": "tray",
    "upload": "push",
    "version": "--version",
    "-v": "--version",
}
_UNKNOWN = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
_MISSING = re.compile(r"the following arguments are required: (.*)", re.DOTALL)
_ONE_OF = re.compile(r"one of the arguments (.*) is required", re.DOTALL)
_NO_VALUE = re.compile(r"argument (\S+): expected one argument")
_NOT_TOGETHER = re.compile(r"argument (\S+): not allowed with argument (\S+)")
_ABOUT = re.compile(r"argument (?:\S+/)?(--?\S+): (must)?")


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that one was most likely meant to be, "" where none is near."""
    from difflib import get_close_matches

    words = list(words)
    begun = [one for one in words if len(word) > 1 and one.startswith(word)]
    near = begun[:1] if len(begun) == 1 else get_close_matches(word, words, 1)
    return near[0] if near else ""


def nearest_command(word: str, commands: Iterable[str]) -> str:
    """The same for a command; other programs' words for it count too."""
    commands = list(commands)
    other = _ALSO_CALLED.get(word, "")
    return other if other in (*commands, "--version") else nearest(word, commands)


def rephrased(message: str, options: Iterable[str], program: str) -> str:
    """What argparse says of wrong arguments, as people say it, with what to do.

    Args:
        message: argparse's; what isn't known is left as it is.
        options: that the command has.
        program: it with its command, for its help.
    """
    see = f"see `{program} --help`"
    if found := _UNKNOWN.fullmatch(message):
        words = found[1].split()
        word = next((one for one in words if one.startswith("-")), words[0] if words else "")
        if not word.startswith("-"):
            return f"there is nothing to do with {word!r} here: {see}"
        near = nearest(word.partition("=")[0], options)
        return f"there is no option {word} here: {f'did you mean `{near}`?' if near else see}"
    if found := _MISSING.fullmatch(message):
        return f"{found[1]} is missing: {see}"
    if found := _ONE_OF.fullmatch(message):
        *before, last = found[1].split()
        return f"{', '.join(before)} or {last} is missing: {see}"
    if found := _NOT_TOGETHER.fullmatch(message):
        one, other = (name.rpartition("/")[2] for name in found.groups())
        return f"{one} can't be combined with {other}: {see}"
    if found := _NO_VALUE.fullmatch(message):
        return f"a value is missing after {found[1].rpartition('/')[2]}: {see}"
    return f"{_ABOUT.sub(_without_word, message)}: {see}"


def _without_word(about: re.Match[str]) -> str:
    return f"{about[1]} must" if about[2] else f"{about[1]}: "


def wrong_choice(value: object, choices: Iterable[object]) -> str:
    """What is said of a word that isn't among those to choose from."""
    words = [str(one) for one in choices]
    if near := nearest(str(value), words):
        return f"there is no {value!r} here: did you mean `{near}`?"
    *before, last = words
    return f"there is no {value!r} here: type {', '.join(before)} or {last}"
