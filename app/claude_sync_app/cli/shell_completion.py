"""What shells complete, made from the parser by shtab; and what they ask us for as they do.

A shell asks for sessions, machines and preferences by ``claude-sync completion --list``: that reads
what this machine remembers, changes nothing, and never goes to a distant store.
"""

from __future__ import annotations

from argparse import SUPPRESS, Action, ArgumentParser, _SubParsersAction
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from claude_sync_app.cli.output import PROGRAM

SHELLS = ("bash", "zsh", "fish", "powershell")
LISTS = ("sessions", "machines", "sides", "preferences")

# What stands for each argument, by what it is called in the help. A kind of `LISTS`, or of files.
_BY_METAVAR = MappingProxyType(
    {
        "SESSION": "sessions",
        "MACHINE": "machines",
        "NAME": "machines",
        "SIDE": "sides",
        "KEY": "preferences",
        "DIR": "directory",
        "LOCATION": "directory",
        "FILE": "file",
    }
)
_OTHERWISE = MappingProxyType({"init --name": "", "projects --key": "", "init --key-file": "file"})
"""Arguments that are called like another and mean something else, by command and option."""

_ASKS = f"{PROGRAM} completion --list"

# Each of these prints what begins like the word that it is given. Nothing that is listed is ever
# evaluated: sessions and machines are named by whoever can write into the shared folder.
_BASH = """
_claude_sync_{kind}() {{
  local found rest
  {asks} {kind} 2>/dev/null | while IFS=$'\\t' read -r found rest; do
    case "$found" in "$1"*) printf '%s\\n' "$found" ;; esac
  done
}}
"""
_ZSH = """
_claude_sync_{kind}() {{
  local -a found
  local value text
  while IFS=$'\\t' read -r value text; do
    found+=("${{value//:/\\\\:}}:$text")
  done < <({asks} {kind} 2>/dev/null)
  _describe '{kind}' found
}}
"""
_POWERSHELL = """
function _claude_sync_{kind} {{
  param([string]$WordToComplete)
  {asks} {kind} 2>$null |
    ForEach-Object {{ ($_ -split "`t")[0] }} |
    Where-Object {{ $_.StartsWith($WordToComplete) }}
}}
"""


def completion_script(shell: str, parser: ArgumentParser) -> str:
    """The script that has a shell complete the command.

    Args:
        shell: one of `SHELLS`.
        parser: as `whole_parser` makes it; what it says of its arguments is added to it.
    """
    import shtab

    for command, action in _arguments(parser):
        kind = _kind(command, action)
        if kind:
            action.complete = _functions(kind)  # type: ignore[attr-defined]
    return shtab.complete(parser, shell=shell) + "\n"


def _arguments(parser: ArgumentParser) -> Iterator[tuple[str, Action]]:
    """Every argument of every command, with the command's name."""
    (below,) = (one for one in parser._actions if isinstance(one, _SubParsersAction))
    for name, command in below.choices.items():
        for action in command._actions:
            yield name, action


def _kind(command: str, action: Action) -> str:
    """What stands for an argument; "" where its choices do, or nothing is known."""
    if action.choices or action.nargs == 0 or action.help is SUPPRESS:
        return ""
    for option in action.option_strings:
        if (name := f"{command} {option}") in _OTHERWISE:
            return _OTHERWISE[name]
    return _BY_METAVAR.get(str(action.metavar), "")


def _functions(kind: str) -> Mapping[str, object]:
    """What each shell calls for a kind, in shtab's words."""
    import shtab

    if kind in ("file", "directory"):
        found: Mapping[str, object] = shtab.CHOICE_FUNCTIONS[kind]
        return found
    function = f"_claude_sync_{kind}"
    scripts = {"bash": _BASH, "zsh": _ZSH, "powershell": _POWERSHELL}
    return {
        **dict.fromkeys(scripts, function),
        "fish": f"({_ASKS} {kind} 2>/dev/null)",
        "preamble": {
            shell: script.format(kind=kind, asks=_ASKS) for shell, script in scripts.items()
        },
    }
