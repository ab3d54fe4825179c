"""The doctor's checks of this desktop: start at login, the plugin, notifications, the icon."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from claude_sync import __version__
from claude_sync.doctor import ExtraCheck
from claude_sync.model import Finding, Level
from claude_sync.sync.context import Context
from claude_sync.wording import capitalized, join, sentence, short_path

if TYPE_CHECKING:
    from claude_sync_app.desktop.autostart import AutostartStatus


def checks() -> Sequence[ExtraCheck]:
    """The checks of this system's desktop, for `claude_sync.doctor.examine`."""
    return (
        check_start_at_login,
        check_access_at_login,
        check_plugin,
        check_notifications,
        check_icon,
    )


def check_start_at_login(_: Context) -> Iterator[Finding]:
    """Whether the program to start at login exists."""
    from claude_sync_app.desktop import autostart

    status = autostart.choose().status()
    if status.is_broken:
        what = status.program or "no program that can be read"
        yield Finding(
            "autostart-broken",
            Level.WARNING,
            title="The program to start at login isn't there",
            detail=f"{status.where} names {what}, so the next login won't start it.",
            fix="`claude-sync autostart enable`",
        )


def check_access_at_login(
    context: Context, system: str = sys.platform, status: AutostartStatus | None = None
) -> Iterator[Finding]:
    """Whether macOS opens to the icon that it starts at login what it opens to a terminal.

    Args:
        context: says where sessions meet, and which projects there are.
        system: as `sys.platform` has it.
        status: of the start at login, None to look.
    """
    if system != "darwin":
        return
    from claude_sync.disk.home_directory import home_directory
    from claude_sync.disk.privacy import how_to_allow, is_guarded
    from claude_sync_app.desktop import autostart

    status = status or autostart.choose().status()
    if not status.enabled:
        return
    home = str(home_directory())
    folders = [*_shared_folder(context), *(str(one.path) for one in context.registry.projects())]
    guarded = [folder for folder in dict.fromkeys(folders) if is_guarded(folder, home, system)]
    if guarded:
        yield Finding(
            "autostart-no-access",
            Level.WARNING,
            title="macOS may refuse folders to the icon when it starts at login",
            detail=f"What is typed in a terminal may open {join(list(map(short_path, guarded)))}. "
            "A program that is started at login has to be allowed by itself, and again after each "
            "upgrade of Python.",
            fix=capitalized(how_to_allow(status.program)),
        )


def _shared_folder(context: Context) -> Iterator[str]:
    from claude_sync.transports.location import FolderLocation, parse_location

    location = context.preferences.location
    place = parse_location(location) if location else None
    if isinstance(place, FolderLocation):
        yield place.path


def check_plugin(_: Context) -> Iterator[Finding]:
    """Whether the plugin that Claude Code uses is ours, and its program exists."""
    from claude_sync_app.inside_client.installation import plugin_status

    status = plugin_status()
    if status.is_broken:
        what = status.program.python if status.program is not None else "no program"
        yield Finding(
            "plugin-broken",
            Level.WARNING,
            title="The program that Claude Code's plugin starts isn't there",
            detail=f"{status.folder} names {what}, so nothing is pushed when a session ends.",
            fix="`claude-sync plugin enable`",
        )
    elif status.enabled and status.outdated:
        yield Finding(
            "plugin-outdated",
            Level.WARNING,
            title="Claude Code has another version of the plugin",
            detail=f"It isn't the one that came with this claude-sync ({__version__}).",
            fix="`claude-sync plugin enable`",
        )


def check_notifications(context: Context, system: str = sys.platform) -> Iterator[Finding]:
    """Whether notifications can have buttons, and are seen at all."""
    if system != "darwin" or not any(context.preferences.notifications):
        return
    from claude_sync_app.desktop.notifications.osascript import is_bundle

    if not is_bundle():
        yield Finding(
            "notifications-without-buttons",
            Level.INFO,
            title="Notifications have no buttons, and Script Editor has to be allowed to show them",
            detail="macOS gives buttons only to applications in a bundle; the menu offers the "
            "same. Others show theirs through Script Editor, and aren't told when it may not.",
            fix='Open Script Editor once and run `display notification "x"`, then allow it under '
            "System Settings > Notifications > Script Editor",
        )


def check_icon(_: Context) -> Iterator[Finding]:
    """Whether the desktop shows icons, if there is one."""
    if sys.platform in ("darwin", "win32"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    import asyncio

    from claude_sync_app.desktop import autostart
    from claude_sync_app.tray.backends import Presence, advice, gtk, status_notifier

    presence = asyncio.run(status_notifier.find_panel())
    if presence is Presence.SHOWN or gtk.is_possible():
        return
    why, _semicolon, todo = advice(presence).removeprefix("No icon: ").partition("; ")
    wanted = autostart.choose().status().enabled
    yield Finding(
        "no-icon-host",
        Level.WARNING if wanted else Level.INFO,
        title="The tray's icon can't be seen here",
        detail=f"{sentence(why)} Syncing works without it.",
        fix=capitalized(todo),
    )
