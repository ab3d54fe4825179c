"""A file that is opened while the icon is there, on a system that tells it of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_sync_app.tray.application import Application
from machines import World
from waiting import PATIENCE_SECONDS, until


def test_it_is_asked_about_and_what_hinders_that_is_said(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    laptop = world.machine("laptop")
    with laptop.here():
        application = Application(laptop.paths)
        application._loop.start()
        try:
            application._file_opened(tmp_path / "a.ccsync")
            log = laptop.paths.log_file
            until(lambda: log.exists() and "no program here that shows a dialog" in log.read_text())
        finally:
            application._tray.end(PATIENCE_SECONDS)
            application._loop.stop()
