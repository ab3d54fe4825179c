"""Folders that something mirrors, found by what each program says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claude_sync_app.desktop.synced_folders import find_synced_folders


def _found(home: Path, platform: str = "linux", **environment: str) -> list[tuple[str, str]]:
    return [
        (one.name, str(Path(one.path).relative_to(home)))
        for one in find_synced_folders(home, environment, platform)
    ]


def _made(home: Path, *names: str) -> None:
    for name in names:
        (home / name).mkdir(parents=True)


def test_nothing_is_found_where_nothing_is_mirrored(home: Path) -> None:
    _made(home, "Dropbox", "OneDrive", "Documents")
    assert _found(home) == []


def test_dropbox_says_where_each_account_lies(home: Path) -> None:
    _made(home, "Dropbox (Personal)", "work", ".dropbox")
    accounts = {
        "personal": {"path": str(home / "Dropbox (Personal)"), "host": 1},
        "business": {"path": str(home / "work")},
        "gone": {"path": str(home / "gone")},
        "odd": 5,
    }
    (home / ".dropbox/info.json").write_text(json.dumps(accounts))
    assert _found(home) == [("Dropbox", "Dropbox (Personal)"), ("Dropbox", "work")]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": {"path": 1}}', "[" * 100_000, '{"a": {"path": "x\\u0000"}}']
)
def test_what_dropbox_never_wrote_is_skipped(home: Path, text: str) -> None:
    _made(home, ".dropbox")
    (home / ".dropbox/info.json").write_text(text)
    assert _found(home) == []


def test_dropbox_on_windows_stands_in_either_of_two_folders(home: Path) -> None:
    _made(home, "Roaming", "Local/Dropbox", "D")
    (home / "Local/Dropbox/info.json").write_text(json.dumps({"a": {"path": str(home / "D")}}))
    found = _found(home, "win32", APPDATA=str(home / "Roaming"), LOCALAPPDATA=str(home / "Local"))
    assert found == [("Dropbox", "D")]


def test_macos_keeps_clouds_in_one_place(home: Path) -> None:
    storage = "Library/CloudStorage"
    icloud = "Library/Mobile Documents/com~apple~CloudDocs"
    google = f"{storage}/GoogleDrive-me@example.org/My Drive"
    _made(home, icloud, google, f"{storage}/OneDrive-Personal", f"{storage}/Box-Box")
    assert _found(home, "darwin") == [
        ("iCloud Drive", icloud),
        ("Google Drive", google),
        ("OneDrive", f"{storage}/OneDrive-Personal"),
    ]


def test_windows_names_onedrive_in_the_environment(home: Path) -> None:
    _made(home, "OneDrive", "OneDrive - Firm", "iCloudDrive")
    found = _found(
        home,
        "win32",
        OneDrive=str(home / "OneDrive"),
        OneDriveConsumer=str(home / "OneDrive"),
        OneDriveCommercial=str(home / "OneDrive - Firm"),
    )
    assert found == [
        ("iCloud Drive", "iCloudDrive"),
        ("OneDrive", "OneDrive"),
        ("OneDrive", "OneDrive - Firm"),
    ]


@pytest.mark.parametrize(
    ("configuration", "folder"),
    [("", "OneDrive"), ('# a word\nsync_dir = "~/cloud"\n', "cloud")],
)
def test_the_free_onedrive_client_says_where_it_syncs(
    home: Path, configuration: str, folder: str
) -> None:
    _made(home, ".config/onedrive", "OneDrive", "cloud")
    (home / ".config/onedrive/config").write_text(configuration)
    assert _found(home) == [("OneDrive", folder)]


@pytest.mark.parametrize(
    ("platform", "settings"),
    [
        ("linux", ".local/state/syncthing"),
        ("linux", ".config/syncthing"),
        ("darwin", "Library/Application Support/Syncthing"),
    ],
)
def test_syncthing_lists_its_folders(home: Path, platform: str, settings: str) -> None:
    _made(home, settings, "Sync", "Sent", "notes")
    (home / settings / "config.xml").write_text(
        f"""<configuration version="37">
        <folder id="a" label="Default" path="~/Sync" type="sendreceive"></folder>
        <folder id="b" path="{home}/notes"></folder>
        <folder id="c" path="{home}/Sent" type="sendonly"></folder>
        <folder id="d" path="relative"></folder>
        </configuration>"""
    )
    assert _found(home, platform) == [("Syncthing", "Sync"), ("Syncthing", "notes")]


def test_a_file_of_syncthing_that_plays_tricks_is_skipped(home: Path) -> None:
    _made(home, ".config/syncthing", "Sync")
    bomb = '<!DOCTYPE x [<!ENTITY a "~/Sync">]><c><folder path="&a;"/></c>'
    for text in (bomb, "<configuration>", "no xml"):
        (home / ".config/syncthing/config.xml").write_text(text)
        assert _found(home) == []


def test_a_folder_is_named_once_by_whoever_comes_first(home: Path) -> None:
    _made(home, ".dropbox", ".config/syncthing", "Dropbox")
    (home / ".dropbox/info.json").write_text(json.dumps({"a": {"path": str(home / "Dropbox")}}))
    (home / "link").symlink_to(home / "Dropbox")
    (home / ".config/syncthing/config.xml").write_text(
        f'<configuration><folder path="{home}/link"/></configuration>'
    )
    assert _found(home) == [("Dropbox", "Dropbox")]
