"""Folders of this machine that a program keeps in sync with others: they can be the store.

Each is named in the program's own settings, or is one that it creates under a fixed name:

* Dropbox: info.json, https://help.dropbox.com/installs/locate-dropbox-folder
* macOS' own folder for clouds, ~/Library/CloudStorage, and iCloud Drive beside it
* OneDrive: its variables on Windows; the free client's configuration on Linux
* Google Drive: its drive letter on Windows
* Syncthing: config.xml, https://docs.syncthing.net/users/config.html
"""

from __future__ import annotations

import json
import os
import re
import string
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from claude_sync.values import NamedTuple

_MOST_BYTES = 4_000_000
_CLOUDS = {"Dropbox": "Dropbox", "GoogleDrive": "Google Drive", "OneDrive": "OneDrive"}
_SYNC_DIR = re.compile(r'^\s*sync_dir\s*=\s*"([^"\n]+)"', re.MULTILINE)


class SyncedFolder(NamedTuple):
    """A folder of this machine that a program keeps in sync with other machines.

    Attributes:
        name: what people call it: Dropbox, iCloud Drive, Syncthing.
        path: the folder, absolute.
    """

    name: str
    path: str


def find_synced_folders(
    home: Path, environment: Mapping[str, str], platform: str = sys.platform
) -> tuple[SyncedFolder, ...]:
    """Those that exist, each once, in the order in which they are offered.

    Args:
        home: the user's home directory.
        environment: says where programs keep their settings.
        platform: as `sys.platform` has it.
    """
    found: dict[str, SyncedFolder] = {}
    for name, path in _claimed(home, environment, platform):
        try:
            usable = path.is_absolute() and path.is_dir() and os.access(path, os.W_OK)
            real = os.path.normcase(os.path.realpath(path))
        except (OSError, ValueError):
            continue
        if usable:
            found.setdefault(real, SyncedFolder(name, str(path)))
    return tuple(found.values())


def _claimed(
    home: Path, environment: Mapping[str, str], platform: str
) -> Iterator[tuple[str, Path]]:
    yield from _dropbox(home, environment, platform)
    if platform == "darwin":
        yield "iCloud Drive", home / "Library/Mobile Documents/com~apple~CloudDocs"
        yield from _cloud_storage(home / "Library" / "CloudStorage")
    elif platform == "win32":
        yield "iCloud Drive", home / "iCloudDrive"
        yield from _of_windows(environment)
    else:
        yield from _onedrive_of_linux(home, environment)
    yield from _syncthing(home, environment, platform)


def _dropbox(
    home: Path, environment: Mapping[str, str], platform: str
) -> Iterator[tuple[str, Path]]:
    folders = [home / ".dropbox"]
    if platform == "win32":
        folders = [
            Path(environment[name]) / "Dropbox"
            for name in ("APPDATA", "LOCALAPPDATA")
            if environment.get(name)
        ]
    for folder in folders:
        try:
            accounts = json.loads(_text(folder / "info.json"))
        except (ValueError, RecursionError):
            continue
        for account in accounts.values() if isinstance(accounts, dict) else ():
            path = account.get("path") if isinstance(account, dict) else None
            if isinstance(path, str):
                yield "Dropbox", Path(path)


def _cloud_storage(folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        cloud = _CLOUDS.get(name.partition("-")[0])
        if cloud == "Google Drive":
            yield cloud, folder / name / "My Drive"
        elif cloud is not None:
            yield cloud, folder / name


def _of_windows(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    for variable in ("OneDriveConsumer", "OneDriveCommercial", "OneDrive"):
        if environment.get(variable):
            yield "OneDrive", Path(environment[variable])
    for letter in string.ascii_uppercase[6:]:
        yield "Google Drive", Path(f"{letter}:\\My Drive")


def _onedrive_of_linux(home: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """https://github.com/abraunegg/onedrive/blob/master/docs/application-config-options.md"""
    configuration = _under(environment, "XDG_CONFIG_HOME", home / ".config") / "onedrive"
    if not configuration.is_dir():
        return
    told = _SYNC_DIR.search(_text(configuration / "config"))
    path = told[1] if told else "~/OneDrive"
    yield "OneDrive", home / path[2:] if path.startswith("~/") else Path(path)


def _syncthing(
    home: Path, environment: Mapping[str, str], platform: str
) -> Iterator[tuple[str, Path]]:
    from xml.etree import ElementTree

    for folder in _homes_of_syncthing(home, environment, platform):
        text = _text(folder / "config.xml")
        if not text or "<!DOCTYPE" in text or "<!ENTITY" in text:
            continue
        try:
            # Its own file in the user's home, without entities, of bounded size.
            root = ElementTree.fromstring(text)  # noqa: S314
        except ElementTree.ParseError:
            continue
        for one in root.findall("folder"):
            path = one.get("path", "")
            if one.get("type", "sendreceive") == "sendreceive" and path:
                yield "Syncthing", home / path[2:] if path.startswith("~/") else Path(path)


def _homes_of_syncthing(
    home: Path, environment: Mapping[str, str], platform: str
) -> Iterator[Path]:
    if platform == "darwin":
        yield home / "Library" / "Application Support" / "Syncthing"
    elif platform == "win32":
        if environment.get("LOCALAPPDATA"):
            yield Path(environment["LOCALAPPDATA"]) / "Syncthing"
    else:
        yield _under(environment, "XDG_STATE_HOME", home / ".local" / "state") / "syncthing"
        yield _under(environment, "XDG_CONFIG_HOME", home / ".config") / "syncthing"


def _under(environment: Mapping[str, str], variable: str, otherwise: Path) -> Path:
    value = environment.get(variable, "")
    return Path(value) if value.startswith("/") else otherwise


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
