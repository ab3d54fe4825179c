"""How findings are worded: numbers, ages, paths, and commands to type.

Where a finding's fix is something to type, it stands between backquotes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from claude_sync.errors import ClaudeSyncError

DAY_SECONDS = 86_400.0
_MOST_TYPED = 20
_ODD_ON_WINDOWS = " &()^;,'"


def counted(number: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: "1 session", "3 sessions"."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"


def listed(words: Sequence[str], most: int = 5) -> str:
    """The first few of many, and how many more there are."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"


def ago(seconds: float) -> str:
    """How long ago something was, in the largest unit that says enough."""
    for size, noun in ((DAY_SECONDS, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= size:
            return f"{counted(int(seconds // size), noun)} ago"
    return "just now"


def amount(size: float) -> str:
    """Bytes as people say them."""
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def short_path(path: str | os.PathLike[str]) -> str:
    """A path with the home directory as ``~``, for showing."""
    text, home = os.fspath(path), os.path.expanduser("~")
    return f"~{text[len(home) :]}" if text.startswith(home + os.sep) else text


# --- commands ---------------------------------------------------------------------------------


def is_typable(text: str) -> bool:
    """Whether a name can stand in a command that people copy: nothing unseen, nothing that ends it.

    Names of files in a store are other people's.
    """
    return text.isprintable() and "`" not in text


def quoted(text: str | os.PathLike[str], system: str = os.name) -> str:
    """An argument as it is typed into this system's shell; what can't be typed is called PATH."""
    text = os.fspath(text)
    if not is_typable(text):
        return "PATH"
    if system == "nt":
        return f'"{text}"' if any(c in text for c in _ODD_ON_WINDOWS) else text
    from shlex import quote

    return quote(text)


def remove_command(paths: Sequence[str | os.PathLike[str]], system: str = os.name) -> str:
    """How to remove files, as it is typed into this system's shell, if it can be; a clause."""
    if not all(is_typable(os.fspath(path)) for path in paths):
        return "remove by hand what is named here, for its name can't be typed"
    verb = "del" if system == "nt" else "rm"
    some = " ".join(quoted(path, system) for path in paths[:_MOST_TYPED])
    again = ", then look again for the others" if len(paths) > _MOST_TYPED else ""
    return f"`{verb} {some}`{again}"


def move_command(
    path: str | os.PathLike[str], target: str | os.PathLike[str], system: str = os.name
) -> str:
    """How to give something another name, as it is typed into this system's shell."""
    verb = "move" if system == "nt" else "mv"
    return f"`{verb} {quoted(path, system)} {quoted(target, system)}`"


def grant_command(path: str | os.PathLike[str], system: str = os.name) -> str:
    """How to let this user read and write something and what is in it; a clause."""
    if system == "nt":
        # learn.microsoft.com/windows-server/administration/windows-commands/icacls
        return f'`icacls {quoted(path, system)} /grant "%USERNAME%":(OI)(CI)F /T`'
    return f"`chmod -R u+rwX {quoted(path, system)}`"


# --- sentences --------------------------------------------------------------------------------


def reading(error: ClaudeSyncError) -> str:
    """What an error says without what to do: a finding says that apart."""
    where = f" ({short_path(error.where)})" if error.where else ""
    return f"{error.what[:1].upper()}{error.what[1:]}{where}."


def as_sentence(text: str) -> str:
    """A clause with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
