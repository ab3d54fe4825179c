"""A stand-in for Claude Code's program where only its command line is concerned.

It keeps what it has in the same files as the real one does, and notes what it was asked.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PROGRAM = """\
#!@PYTHON@ -I
import json, os, shutil, sys

KIND = @KIND@
notes = os.path.join(os.path.dirname(os.path.abspath(__file__)), "asked")
with open(notes, "a") as file:
    print(json.dumps([os.environ.get("CLAUDE_CONFIG_DIR"), os.getcwd(), sys.argv[1:]]), file=file)
home = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~/.claude")


def change(name, **changes):
    path = os.path.join(home, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    document = json.load(open(path)) if os.path.exists(path) else {}
    for key, value in changes.items():
        inner = document.setdefault(key, {}) if isinstance(value, dict) else document
        inner.update(value) if inner is not document else document.update({key: value})
    json.dump({k: without(v) for k, v in document.items()}, open(path, "w"))


def without(value):
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


def copied(folder, name):
    market = json.load(open(os.path.join(folder, ".claude-plugin", "marketplace.json")))
    (found,) = [one for one in market["plugins"] if one["name"] == name.partition("@")[0]]
    own = os.path.join(home, "plugins", "cache", found["name"])
    shutil.copytree(os.path.join(folder, found["source"]), own, dirs_exist_ok=True)
    return [{"scope": "user", "installPath": own}]


def source():
    path = os.path.join(home, "plugins", "known_marketplaces.json")
    known = json.load(open(path)) if os.path.exists(path) else {}
    return known.get("claude-sync", {}).get("installLocation")


asked = sys.argv[1:]
if KIND == "old":
    print("Usage: claude [options] [command] [prompt]" if "--help" in asked else "a model's answer")
elif KIND == "refusing" and "--help" not in asked:
    sys.exit("\\x1b[31mblocked by your organization\\u202e")
elif asked == ["plugin", "--help"]:
    print("Commands:\\n  marketplace   Manage marketplaces")
elif asked[:3] == ["plugin", "marketplace", "add"]:
    if source():
        sys.exit("already installed")
    change(
        "plugins/known_marketplaces.json",
        **{"claude-sync": {"source": {"source": "directory"}, "installLocation": asked[3]}},
    )
elif asked[:3] == ["plugin", "marketplace", "remove"]:
    path = os.path.join(home, "plugins", "known_marketplaces.json")
    known = json.load(open(path))
    del known[asked[3]]
    json.dump(known, open(path, "w"))
elif asked[:2] == ["plugin", "install"]:
    change("settings.json", enabledPlugins={asked[2]: True})
    known = os.path.join(home, "plugins", "installed_plugins.json")
    if not os.path.exists(known) or asked[2] not in open(known).read():
        change("plugins/installed_plugins.json", plugins={asked[2]: copied(source(), asked[2])})
elif asked[:2] == ["plugin", "uninstall"]:
    change("settings.json", enabledPlugins={asked[2]: None})
    change("plugins/installed_plugins.json", plugins={asked[2]: None})
else:
    sys.exit(f"unknown: {asked}")
"""


class StandInClient:
    """The program, in a directory of its own.

    Args:
        directory: where it lies; to be put on the PATH.
        kind: "new"; "old", which knows no plugins and takes every word for a prompt; or
            "refusing", which does nothing it is asked.
    """

    def __init__(self, directory: Path, kind: str = "new") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.program = directory / "claude"
        text = _PROGRAM.replace("@PYTHON@", sys.executable).replace("@KIND@", repr(kind))
        self.program.write_text(text)
        self.program.chmod(0o755)

    @property
    def path(self) -> str:
        """A PATH that begins with it."""
        return os.pathsep.join([str(self.directory), os.environ.get("PATH", os.defpath)])

    def asked(self) -> list[list[str]]:
        """What it was asked, in order."""
        return [arguments for _, _, arguments in self._notes()]

    def folders(self) -> set[str | None]:
        """Which folders of its own it was told to use; None for the usual one."""
        return {folder for folder, _, _ in self._notes()}

    def started_in(self) -> set[str]:
        """The directories that it was started in."""
        return {directory for _, directory, _ in self._notes()}

    def _notes(self) -> list[tuple[str | None, str, list[str]]]:
        path = self.directory / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(json.loads(line)) for line in lines]


def settings_of(home: Path) -> Mapping[str, Any]:
    """What stands in a client's settings."""
    path = home / "settings.json"
    document = json.loads(path.read_text()) if path.exists() else {}
    assert isinstance(document, dict)
    return document
