"""What serves the window is imported only when it is opened."""

from __future__ import annotations

import subprocess
import sys

from claude_sync_app.cli.commands import COMMANDS

SERVES = "starlette uvicorn jinja2 markdown_it anyio h11 markupsafe"


def test_neither_the_tray_nor_any_command_imports_what_serves_the_window() -> None:
    modules = [f"claude_sync_app.cli.commands.{name}" for name in COMMANDS]
    source = (
        f"import sys, {', '.join(modules)}\n"
        "import claude_sync_app.tray.application, claude_sync_app.tray.actions.window\n"
        "print(*(name for name in sys.modules if '.' not in name))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "claude_sync_app" in imported
    assert imported & set(SERVES.split()) == set()
