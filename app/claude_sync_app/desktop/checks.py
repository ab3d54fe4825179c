"""The doctor's checks of this desktop: start at login, the plugin, notifications, the icon."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from claude_sync import __version__
from claude_sync.doctor import ExtraCheck
from claude_sync.model import Finding, Level
from claude_sync.sync.context import Context
from claude_sync.wording import capitalized, sentence


def checks() -> Sequence[ExtraCheck]:
    """The checks of this system's desktop, for `claude_sync.doctor.examine`."""
    return (check_start_at_login, check_plugin, check_notifications, check_icon)


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
    """Whether notifications can have buttons."""
    if system != "darwin" or not any(context.preferences.notifications):
        return
    from claude_sync_app.desktop.notifications.osascript import is_bundle

    if not is_bundle():
        yield Finding(
            "notifications-without-buttons",
            Level.INFO,
            title="Notifications have no buttons",
            detail="macOS gives them only to applications in a bundle; the menu offers the same.",
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
