"""Having the client install the plugin and take it away, by its own command line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from claude_sync.errors import ClaudeSyncError
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync_app.inside_client import installation
from claude_sync_app.inside_client.installation import (
    disable_plugin,
    enable_plugin,
    plugin_status,
)
from claude_sync_app.inside_client.plugin_files import (
    PLUGIN,
    PLUGIN_ID,
    plugin_folder,
    this_program,
    write_copy,
)
from stand_in_client import StandInClient, settings_of


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInClient:
    return a_client(tmp_path, monkeypatch)


def a_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str = "new") -> StandInClient:
    made = StandInClient(tmp_path / "bin", kind)
    monkeypatch.setenv("PATH", made.path)
    return made


def test_it_is_installed_and_taken_away_by_the_clients_own_commands(
    client: StandInClient, home: Path
) -> None:
    assert not plugin_status().installed
    status = enable_plugin()
    assert (status.installed, status.enabled, status.outdated) == (True, True, False)
    assert not status.is_broken
    assert status.folder == plugin_folder()
    assert client.asked() == [
        ["plugin", "--help"],
        ["plugin", "marketplace", "add", str(plugin_folder())],
        ["plugin", "install", PLUGIN_ID],
    ]
    assert settings_of(home / ".claude")["enabledPlugins"] == {PLUGIN_ID: True}
    status = disable_plugin()
    assert not status.installed
    assert not status.enabled
    assert client.asked()[-2:] == [
        ["plugin", "uninstall", PLUGIN_ID],
        ["plugin", "marketplace", "remove", "claude-sync"],
    ]
    assert enable_plugin().enabled


def test_an_installation_that_was_broken_off_leaves_nothing_in_the_persons_settings(
    client: StandInClient, home: Path
) -> None:
    write_copy(plugin_folder(), this_program())
    subprocess.run(
        [client.directory / "claude", "plugin", "marketplace", "add", str(plugin_folder())],
        check=True,
        capture_output=True,
    )
    status = plugin_status()
    assert (status.installed, status.folder) == (False, plugin_folder())
    assert disable_plugin().folder is None
    assert client.asked()[-1] == ["plugin", "marketplace", "remove", "claude-sync"]


def test_the_copy_goes_with_the_last_folder_of_the_clients_that_uses_it(
    client: StandInClient, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enable_plugin()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "second"))
    enable_plugin()
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    disable_plugin()
    assert plugin_folder().is_dir()
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "second"))
    assert plugin_status().enabled
    disable_plugin()
    assert not plugin_folder().exists()
    assert enable_plugin().enabled


def test_to_take_away_what_is_not_there_asks_nothing(client: StandInClient) -> None:
    assert not disable_plugin().installed
    assert client.asked() == []


def test_the_client_starts_where_no_project_has_settings(
    client: StandInClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hostile" / ".claude").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "hostile")
    enable_plugin()
    assert client.started_in() == {os.path.realpath(client.directory)}


def test_a_client_that_is_too_old_is_asked_no_more_than_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    client = a_client(tmp_path, monkeypatch, "old")
    with pytest.raises(ClaudeSyncError, match="too old for plugins"):
        enable_plugin()
    # Whatever else it is asked, it sends to its model.
    assert client.asked() == [["plugin", "--help"]]
    assert not plugin_folder().exists()
    assert settings_of(home / ".claude") == {}


def test_what_the_client_refuses_is_said_in_its_words_made_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_client(tmp_path, monkeypatch, "refusing")
    with pytest.raises(ClaudeSyncError) as refused:
        enable_plugin()
    assert "blocked by your organization" in str(refused.value)
    assert str(refused.value).isprintable()


def test_without_a_client_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClaudeSyncError, match="isn't installed here"):
        enable_plugin()


def test_a_client_where_its_installer_puts_it_is_found_without_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    StandInClient(home / ".local" / "bin")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert enable_plugin().enabled


def test_a_copy_that_cannot_be_written_is_said(client: StandInClient, home: Path) -> None:
    plugin_folder().parent.parent.mkdir(parents=True)
    plugin_folder().parent.write_text("a file is in the way")
    with pytest.raises(ClaudeSyncError, match="can't be copied"):
        enable_plugin()
    assert ["plugin", "install", PLUGIN_ID] not in client.asked()


# --- what the client has -----------------------------------------------------------------------


def test_switched_off_in_the_client_it_is_installed_and_not_used(
    client: StandInClient, home: Path
) -> None:
    enable_plugin()
    (home / ".claude" / "settings.json").write_text(
        json.dumps({"enabledPlugins": {PLUGIN_ID: False}})
    )
    status = plugin_status()
    assert (status.installed, status.enabled, status.is_broken) == (True, False, False)
    assert enable_plugin().enabled


def test_a_program_that_was_removed_is_noticed_and_named_anew(client: StandInClient) -> None:
    enable_plugin()
    program = plugin_folder() / PLUGIN / "hooks" / "program"
    program.write_text("/gone/python\n/gone/hook.py\n/gone\n")
    assert plugin_status().is_broken
    assert not enable_plugin().is_broken


def test_the_clients_own_copy_is_brought_up_to_date(client: StandInClient, home: Path) -> None:
    enable_plugin()
    own = home / ".claude" / "plugins" / "cache" / PLUGIN / "hooks" / "program"
    ours = own.read_bytes()
    own.write_text("/gone/python\n/gone/hook.py\n/gone\n")
    assert plugin_status().outdated
    assert not enable_plugin().outdated
    assert own.read_bytes() == ours
    assert client.asked()[-2:] == [
        ["plugin", "uninstall", PLUGIN_ID],
        ["plugin", "install", PLUGIN_ID],
    ]


def test_a_second_time_nothing_is_added_that_the_client_has(client: StandInClient) -> None:
    enable_plugin()
    before = len(client.asked())
    assert enable_plugin().enabled
    assert client.asked()[before:] == [["plugin", "--help"], ["plugin", "install", PLUGIN_ID]]


def test_another_folder_of_the_same_name_gives_way(
    client: StandInClient, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enable_plugin()
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(home / "data"))
    assert enable_plugin().folder == plugin_folder()
    assert ["plugin", "marketplace", "remove", "claude-sync"] in client.asked()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"enabledPlugins": []}', json.dumps({"enabledPlugins": {PLUGIN_ID: "yes"}})]
)
def test_settings_that_make_no_sense_say_nothing(
    client: StandInClient, home: Path, text: str
) -> None:
    enable_plugin()
    (home / ".claude" / "settings.json").write_text(text)
    assert not plugin_status().enabled
    assert (home / ".claude" / "settings.json").read_text() == text


@pytest.mark.parametrize(
    "text",
    ["7", "{}", '{"claude-sync": 7}', '{"claude-sync": {"installLocation": "here"}}'],
)
def test_a_list_of_marketplaces_that_makes_no_sense_says_nothing(
    client: StandInClient, home: Path, text: str
) -> None:
    enable_plugin()
    (home / ".claude" / "plugins" / "known_marketplaces.json").write_text(text)
    assert not plugin_status().installed


# --- several folders ---------------------------------------------------------------------------


def test_each_of_the_clients_folders_has_its_own(
    client: StandInClient, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enable_plugin()
    second = home / ".claude-work"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(second))
    assert not plugin_status().installed
    assert enable_plugin().home == second
    disable_plugin()
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    assert plugin_status().enabled
    assert client.folders() == {None, str(second)}


def test_a_folder_that_was_remembered_is_named_to_the_client(
    client: StandInClient, home: Path
) -> None:
    second = home / ".claude-work"
    preferences.change(paths(), claude_config_dir=second)
    assert enable_plugin().home == second
    assert client.folders() == {str(second)}


def test_the_usual_folder_is_not_named_to_the_client(client: StandInClient, home: Path) -> None:
    preferences.change(paths(), claude_config_dir=home / ".claude")
    enable_plugin()
    assert client.folders() == {None}


def test_a_client_that_never_answers_is_given_up(
    client: StandInClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.program.write_text("#!/bin/sh\nexec sleep 3600\n")
    monkeypatch.setattr(installation, "_PATIENCE_SECONDS", 0.1)
    with pytest.raises(ClaudeSyncError, match="didn't answer"):
        enable_plugin()
