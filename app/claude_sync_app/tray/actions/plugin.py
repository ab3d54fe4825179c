"""claude-sync inside Claude Code, switched from the menu."""

from __future__ import annotations

from claude_sync_app.inside_client.installation import disable_plugin, enable_plugin
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.verbs import Action


def switch_inside_client(tray: TrayContext, action: Action) -> None:
    """Have Claude Code install the plugin or take it away, as the action's detail says."""
    try:
        if action.detail == "on":
            enable_plugin()
            tray.notify(
                "plugin",
                "claude-sync is inside Claude Code",
                "From its next start on. What you finish there is pushed at once.",
            )
        else:
            disable_plugin()
            tray.notify("plugin", "claude-sync is no longer inside Claude Code")
    finally:
        tray.refresh_environment()
        tray.look_again_at("plugin-broken", "plugin-outdated")
