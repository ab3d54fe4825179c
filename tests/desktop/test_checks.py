"""What the doctor says of this desktop, provoked and fixed for real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from claude_sync.doctor import examine, open_read_only
from claude_sync.model import Finding, Level
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync_app.desktop import autostart
from claude_sync_app.desktop import checks as desktop_checks
from claude_sync_app.desktop.autostart import AutostartStatus
from claude_sync_app.desktop.checks import checks
from claude_sync_app.desktop.notifications import osascript
from claude_sync_app.inside_client.installation import disable_plugin, enable_plugin
from claude_sync_app.inside_client.plugin_files import PLUGIN, plugin_folder
from desktop.panel import Panel
from desktop.programs import PrivateBus, Programs
from desktop.xfce import XfceDesk
from examined import follow
from stand_in_client import StandInClient
from waiting import until


def _found(code: str) -> list[Finding]:
    with open_read_only(paths()) as context:
        return [one for one in examine(context, checks=checks()) if one.code == code]


# --- start at login ----------------------------------------------------------------------------


def test_what_is_to_start_at_login_is_not_there(tmp_path: Path) -> None:
    program = tmp_path / "claude-sync-tray"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    autostart.choose().enable([str(program)])
    assert _found("autostart-broken") == []
    program.unlink()
    (found,) = _found("autostart-broken")
    assert found.level is Level.WARNING
    assert str(program) in found.detail
    follow(found)
    assert _found("autostart-broken") == []
    assert autostart.choose().status().enabled


def test_what_is_not_started_at_login_may_be_missing() -> None:
    autostart.choose().enable(["/nowhere/claude-sync-tray"])
    autostart.choose().disable()
    assert _found("autostart-broken") == []


# --- inside Claude Code ------------------------------------------------------------------------


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client has the plugin; where it reads it."""
    monkeypatch.setenv("PATH", StandInClient(tmp_path / "bin").path)
    enable_plugin()
    return plugin_folder() / PLUGIN


def test_the_program_of_the_plugin_is_not_there(inside: Path) -> None:
    assert _found("plugin-broken") == []
    (inside / "hooks" / "program").write_text("/gone/python\n/gone/hook.py\n/gone\n")
    (found,) = _found("plugin-broken")
    assert found.level is Level.WARNING
    assert "/gone/python" in found.detail
    follow(found)
    assert _found("plugin-broken") == []


def test_the_plugin_is_another_versions(inside: Path) -> None:
    assert _found("plugin-outdated") == []
    (inside / "hooks" / "run").write_text("exit 0\n")
    (found,) = _found("plugin-outdated")
    assert found.level is Level.WARNING
    follow(found)
    assert _found("plugin-outdated") == []


def test_a_plugin_that_the_client_does_not_use_may_be_broken(inside: Path) -> None:
    (inside / "hooks" / "program").unlink()
    disable_plugin()
    assert _found("plugin-broken") == []
    assert _found("plugin-outdated") == []


# --- the icon ----------------------------------------------------------------------------------


@pytest.fixture
def a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desktop is there, as far as the environment tells."""
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-9")


def test_without_a_desktop_no_icon_is_missed(bus: PrivateBus) -> None:
    assert _found("no-icon-host") == []


def test_a_desktop_whose_panel_shows_no_icons(a_display: None, bus: PrivateBus) -> None:
    (found,) = _found("no-icon-host")
    assert found.level is Level.INFO
    assert "tray" in found.fix
    panel = Panel(bus.address)
    try:
        assert _found("no-icon-host") == []
    finally:
        panel.close()


def test_it_is_a_warning_where_the_icon_is_to_start_at_login(
    a_display: None, bus: PrivateBus
) -> None:
    autostart.choose().enable([sys.executable])
    (found,) = _found("no-icon-host")
    assert found.level is Level.WARNING


def test_gnome_needs_its_extension(
    a_display: None, bus: PrivateBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    (found,) = _found("no-icon-host")
    assert "AppIndicator" in found.fix
    assert found.detail.startswith("GNOME shows none by itself.")


def test_a_real_panel_that_shows_icons(
    programs: Programs, bus: PrivateBus, display: str, home: Path
) -> None:
    assert len(_found("no-icon-host")) == 1
    XfceDesk(programs, home)
    until(lambda: _found("no-icon-host") == [])


# --- notifications -----------------------------------------------------------------------------


def _of_notifications(system: str) -> list[tuple[str, str]]:
    with open_read_only(paths()) as context:
        return [(one.code, one.fix) for one in desktop_checks.check_notifications(context, system)]


def test_notifications_without_buttons_on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osascript, "is_bundle", lambda: False)
    ((code, fix),) = _of_notifications("darwin")
    assert code == "notifications-without-buttons"
    assert "System Settings > Notifications > Script Editor" in fix
    assert _of_notifications("linux") == []
    monkeypatch.setattr(osascript, "is_bundle", lambda: True)  # it was installed as one
    assert _of_notifications("darwin") == []


def test_whoever_wants_no_notifications_misses_no_buttons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(osascript, "is_bundle", lambda: False)
    none = dict.fromkeys(preferences.Preferences().notifications._fields, False)
    preferences.change(paths(), notifications=none)
    assert _of_notifications("darwin") == []


# --- what macOS guards -------------------------------------------------------------------------


def _of_access(status: AutostartStatus, system: str = "darwin") -> list[Finding]:
    with open_read_only(paths()) as context:
        return list(desktop_checks.check_access_at_login(context, system, status))


def test_what_macos_opens_to_a_terminal_it_may_refuse_to_the_icon(home: Path) -> None:
    python = str(home / "python")
    on = AutostartStatus(True, "agent.plist", python)
    preferences.change(paths(), location=str(home / "Documents" / "sync"))
    (finding,) = _of_access(on)
    assert finding.code == "autostart-no-access"
    assert f"add {python} under System Settings > Privacy & Security > Full Disk Access" in (
        finding.fix[:1].lower() + finding.fix[1:]
    )
    assert "~/Documents/sync" in finding.detail
    assert _of_access(AutostartStatus(False)) == []
    assert _of_access(on, "linux") == []
    for place in (str(home / "sync"), "ssh://nas/srv/sync"):
        preferences.change(paths(), location=place)
        assert _of_access(on) == []
