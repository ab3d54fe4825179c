"""Having the client install the plugin and take it away, and seeing what it has.

The client is asked for changes by its own commands, in its own words; nothing of the person's
settings is written here. What it has is read from its files, for it takes half a second to say.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claude_sync.claude.client import find_client
from claude_sync.claude.config_dir import VARIABLE
from claude_sync.disk.files import remove_tree
from claude_sync.disk.json_object import NoObject, read_object, write_object
from claude_sync.disk.programs import full_command
from claude_sync.disk.refusals import refusal
from claude_sync.errors import ClaudeSyncError
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync.sync.context import claude_homes
from claude_sync_app.inside_client.plugin_files import (
    MARKETPLACE,
    PLUGIN,
    PLUGIN_ID,
    Program,
    is_up_to_date,
    plugin_folder,
    program_of,
    this_program,
    write_copy,
)
from claude_sync_app.shown_text import one_line, shortened

_PATIENCE_SECONDS = 60.0
_SAID_LENGTH = 200
_USERS_FILE = "homes.json"
"""Beside the plugin in its copy: which of the client's folders were told of that."""
_KNOWS_PLUGINS = "marketplace"
"""Stands in the help of a client that has plugins; an older one takes the word for a prompt."""


class PluginError(ClaudeSyncError):
    """The client can't do what was asked, or refused."""


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """What the client has.

    Attributes:
        home: the client's folder, in which that stands.
        installed: whether it has the plugin.
        enabled: whether it uses it.
        folder: where it reads it from, or would; None where it was told of none.
        program: what the hooks start, None where that isn't known.
        outdated: whether it isn't the one that came with this program.
    """

    home: Path
    installed: bool = False
    enabled: bool = False
    folder: Path | None = None
    program: Program | None = None
    outdated: bool = False

    @property
    def is_broken(self) -> bool:
        """Whether its hooks would start a program that isn't there."""
        return self.enabled and (self.program is None or not self.program.is_there)


def plugin_status() -> PluginStatus:
    """What the client of this user's folder has; reads a few of its files.

    Raises:
        UsageError: the home directory isn't known.
    """
    home = _home()
    folder = _source(home)
    used = _object(home / "settings.json").get("enabledPlugins")
    choice = used.get(PLUGIN_ID) if isinstance(used, dict) else None
    if folder is None or not isinstance(choice, bool):
        return PluginStatus(home, folder=folder)
    return PluginStatus(
        home,
        installed=True,
        enabled=choice,
        folder=folder,
        program=program_of(folder),
        outdated=_is_outdated(home, folder),
    )


def enable_plugin() -> PluginStatus:
    """Copy the plugin to where it stays, and have the client install it; what it has then.

    Raises:
        PluginError: there is no client, it is too old, or it refused.
    """
    program = _client()
    folder = plugin_folder()
    try:
        write_copy(folder, this_program())
        homes = dict.fromkeys([_home(), *_users(folder)])
        write_object(folder / _USERS_FILE, {"homes": [str(home) for home in homes]})
    except OSError as error:
        why, todo = refusal(error, "make it writable")
        raise PluginError(
            f"the plugin can't be copied ({why})", where=str(folder), todo=todo
        ) from error
    _install(program, folder)
    status = plugin_status()
    if not status.enabled:
        raise PluginError(
            "Claude Code says that it installed the plugin, and doesn't use it",
            where=str(status.home),
            todo="look at /plugin there",
        )
    return status


def _install(program: str, folder: Path) -> None:
    """Have the client install the plugin from a folder, whatever it has of it."""
    known = plugin_status().folder
    if known not in (None, folder):
        _ask(program, "plugin", "marketplace", "remove", MARKETPLACE)
    if known != folder:
        # An older client refuses to add what it has.
        _ask(program, "plugin", "marketplace", "add", str(folder))
    _ask(program, "plugin", "install", PLUGIN_ID)
    if plugin_status().outdated:
        # It keeps a copy of its own, and makes another one only of what it doesn't have.
        _ask(program, "plugin", "uninstall", PLUGIN_ID)
        _ask(program, "plugin", "install", PLUGIN_ID)


def disable_plugin() -> PluginStatus:
    """Have the client take the plugin away, and forget where it came from; what it has then.

    The copy goes, too, unless another folder of the client's has the plugin from it.

    Raises:
        PluginError: there is no client, it is too old, or it refused; or the copy can't be removed.
    """
    status = plugin_status()
    if status.folder is not None:
        program = _client()
        if status.installed:
            _ask(program, "plugin", "uninstall", PLUGIN_ID)
        _ask(program, "plugin", "marketplace", "remove", MARKETPLACE)
    folder = plugin_folder()
    if os.path.isdir(folder) and not _users(folder):
        try:
            remove_tree(folder)
        except OSError as error:
            why, todo = refusal(error, "remove it")
            raise PluginError(
                f"the plugin's copy can't be removed ({why})", where=str(folder), todo=todo
            ) from error
    return plugin_status()


# --- what the client has -----------------------------------------------------------------------


def _home() -> Path:
    return claude_homes(preferences.load(paths())).used


def _users(folder: Path) -> list[Path]:
    """The client's folders that have the plugin from a copy."""
    homes = _object(folder / _USERS_FILE).get("homes")
    noted = [Path(home) for home in homes] if isinstance(homes, list) else []
    known = dict.fromkeys([*claude_homes(preferences.load(paths())), *noted])
    return [home for home in known if _source(home) == folder]


def _source(home: Path) -> Path | None:
    """The folder that a client's folder has our marketplace in, None where it has none."""
    return _folder(_object(home / "plugins" / "known_marketplaces.json").get(MARKETPLACE))


def _folder(source: object) -> Path | None:
    """The folder of our marketplace, as the client has written it down."""
    if not isinstance(source, dict):
        return None
    folder = source.get("installLocation")
    if not isinstance(folder, str) or "\0" in folder or not os.path.isabs(folder):
        return None
    return Path(folder)


def _is_outdated(home: Path, folder: Path) -> bool:
    """Whether the copy isn't ours, or the client's own copy of it isn't.

    A newer client makes one, too, and reads ours all the same.
    """
    plugins = _object(home / "plugins" / "installed_plugins.json").get("plugins")
    entries = plugins.get(PLUGIN_ID) if isinstance(plugins, dict) else None
    if not isinstance(entries, list) or not entries:
        return True
    owns = [entry.get("installPath") for entry in entries if isinstance(entry, dict)]
    try:
        return not is_up_to_date(folder, this_program()) or not all(
            isinstance(own, str) and is_up_to_date(Path(own), this_program(), PLUGIN)
            for own in owns
        )
    except ClaudeSyncError:
        return True


def _object(path: Path) -> Mapping[str, Any]:
    try:
        return read_object(path)
    except (NoObject, OSError):
        return {}


# --- asking the client -------------------------------------------------------------------------


def _client() -> str:
    """The client's program, of one that can do what is going to be asked.

    Raises:
        PluginError: there is none, or it knows no plugins.
    """
    program = find_client()
    if program is None:
        raise PluginError(
            "Claude Code isn't installed here, or its folder isn't on the PATH", todo="install it"
        )
    # Not tried out: a client without plugins would send "plugin" to its model.
    if _KNOWS_PLUGINS not in _run(program, "plugin", "--help").stdout.decode("utf-8", "replace"):
        raise PluginError(
            "this Claude Code is too old for plugins", where=program, todo="run `claude update`"
        )
    return program


def _ask(program: str, *arguments: str) -> None:
    done = _run(program, *arguments)
    if done.returncode != 0:
        said = one_line((done.stderr or done.stdout).decode("utf-8", "replace"))
        raise PluginError(
            f"`claude {' '.join(arguments[:3])}` ended with status {done.returncode}",
            where=shortened(said, _SAID_LENGTH),
            todo="try it in a terminal",
        )


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            full_command([program, *arguments]),
            # Not where a project's settings lie.
            cwd=os.path.dirname(program),
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        raise PluginError(
            "Claude Code didn't answer within a minute", where=program, todo="try again"
        ) from error
    except (OSError, ValueError) as error:
        raise PluginError(
            "Claude Code can't be started", where=program, todo="install it anew"
        ) from error


def _environment() -> Mapping[str, str]:
    """What the client is to see: the same folder of its own that is looked at here."""
    environment = dict(os.environ)
    if not environment.get(VARIABLE):
        with contextlib.suppress(ClaudeSyncError):
            homes = claude_homes(preferences.load(paths()))
            # To name the usual folder would move its settings file from beside it into it.
            if homes.used != Path(os.path.expanduser("~/.claude")):
                environment[VARIABLE] = str(homes.used)
    return environment
