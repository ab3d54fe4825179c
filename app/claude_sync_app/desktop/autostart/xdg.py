"""Start at login on desktops that follow XDG.

https://specifications.freedesktop.org/autostart-spec/latest/ and, for how an entry is written,
https://specifications.freedesktop.org/desktop-entry-spec/latest/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from claude_sync.disk import files
from claude_sync_app.desktop.autostart.status import APPLICATION, AutostartStatus
from claude_sync_app.tray.icons.icons import application_image

_FILE = f"{APPLICATION}.desktop"
_RESERVED = frozenset(" \t\n\"'\\><~|&;$*?#()`")


def folders(environment: Mapping[str, str]) -> tuple[Path, list[Path]]:
    """Where entries are: the user's folder, and the system's, of which the first wins."""
    own = environment.get("XDG_CONFIG_HOME", "")
    base = Path(own) if own.startswith("/") else Path.home() / ".config"
    system = environment.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    return base / "autostart", [Path(p) / "autostart" for p in system.split(":") if p[:1] == "/"]


class XdgAutostart:
    """Start at login by a file in the user's folder; it overrides one of the system's."""

    def __init__(self, own: Path, system: Sequence[Path]) -> None:
        self._own = own / _FILE
        self._system = [folder / _FILE for folder in system]

    def status(self) -> AutostartStatus:
        for path in (self._own, *self._system):
            try:
                entry = parse(path.read_text(encoding="utf-8", errors="replace"))
            except FileNotFoundError:
                continue
            arguments = split(entry.get("Exec", ""))
            program = arguments[0] if arguments else ""
            return AutostartStatus(_is_enabled(entry), str(path), program)
        return AutostartStatus(False)

    def enable(self, command: Sequence[str]) -> None:
        self._write(entry_text(command))

    def disable(self) -> None:
        if any(path.exists() for path in self._system):
            # Only an entry of the user's that hides it turns the system's off.
            self._write(f"[Desktop Entry]\nType=Application\nName={APPLICATION}\nHidden=true\n")
        else:
            files.remove(self._own)

    def _write(self, text: str) -> None:
        files.make_private(self._own.parent)
        files.replace(self._own, text.encode(), mode=0o644)


def entry_text(command: Sequence[str]) -> str:
    """The entry that starts a command."""
    return (
        "[Desktop Entry]\n"
        "Type=Application\n"
        f"Name={APPLICATION}\n"
        "Comment=Move Claude Code sessions between machines\n"
        f"Exec={joined(command)}\n"
        f"Icon={_escaped(str(application_image()))}\n"
        "Terminal=false\n"
        "Categories=Utility;\n"
        "StartupNotify=false\n"
    )


def _is_enabled(entry: Mapping[str, str]) -> bool:
    return (
        entry.get("Hidden", "false") != "true"
        # What GNOME writes when a start-up application is switched off.
        and entry.get("X-GNOME-Autostart-enabled", "true") != "false"
        and bool(entry.get("Exec"))
    )


def parse(text: str) -> dict[str, str]:
    """The keys of an entry's main group, with their values unescaped."""
    found: dict[str, str] = {}
    group = ""
    for line in text.split("\n"):
        if line.startswith("["):
            group = line.strip()
        elif group == "[Desktop Entry]" and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name.strip(" \t"), _unescaped(value.strip(" \t\r")))
    return found


def joined(command: Sequence[str]) -> str:
    """A command as the value of Exec: each argument quoted where it must be, then escaped."""
    return _escaped(" ".join(_quoted(argument) for argument in command))


def _quoted(argument: str) -> str:
    argument = argument.replace("%", "%%")
    if argument and not _RESERVED & set(argument):
        return argument
    return '"' + "".join("\\" + c if c in '"`$\\' else c for c in argument) + '"'


def split(value: str) -> list[str]:
    """The arguments of an Exec whose value is unescaped already; field codes are left out."""
    arguments: list[str] = []
    current: str | None = None
    quoted = False
    characters = iter(value)
    for character in characters:
        if quoted and character == "\\":
            current = (current or "") + next(characters, "")
        elif character == '"':
            quoted, current = not quoted, current or ""
        elif character == " " and not quoted:
            if current is not None:
                arguments.append(current)
            current = None
        elif character == "%":
            code = next(characters, "")
            current = (current or "") + "%" if code == "%" else current
        else:
            current = (current or "") + character
    return arguments if current is None else [*arguments, current]


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_MEANT = {"\\": "\\", "n": "\n", "t": "\t", "r": "\r", "s": " "}


def _escaped(value: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in value)


def _unescaped(value: str) -> str:
    found: list[str] = []
    characters = iter(value)
    for character in characters:
        code = next(characters, "") if character == "\\" else ""
        found.append(_MEANT.get(code, character + code))
    return "".join(found)
