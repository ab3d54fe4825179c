"""Another version that is installed while the icon runs, and one that was only published."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from claude_sync import __version__
from desktop.panel import Panel, Refused
from desktop.programs import Programs
from desktop.tray_program import Tray, TrayMachine, await_row, click, prefer
from waiting import until

ROOT = Path(__file__).resolve().parents[2]
NEWER = f'__version__ = "{__version__}.1"'


class Proxy:
    """Notes who is to be reached through it, and refuses."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked: list[str] = []
        self._thread = threading.Thread(target=self._serve, name="proxy")
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(4096).split(b"\r\n")[0].decode())
                connection.sendall(b"HTTP/1.1 502 Refused\r\nContent-Length: 0\r\n\r\n")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    one = Proxy()
    yield one
    one.close()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the program, to be upgraded."""
    place = tmp_path / "installed"
    for package in ("core/claude_sync", "app/claude_sync_app"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, place / package, ignore=ignored)
    shutil.copytree(ROOT / "assets", place / "assets")
    return place


def test_it_starts_anew_after_an_upgrade_and_calls_home_only_if_it_may(
    programs: Programs, panel: Panel, laptop: TrayMachine, installed: Path, proxy: Proxy
) -> None:
    paths = os.pathsep.join(str(installed / name) for name in ("core", "app"))
    proxies = dict.fromkeys(("http_proxy", "https_proxy"), proxy.address)
    tray = Tray(programs, laptop, {"PYTHONPATH": paths, **proxies})
    await_row(panel, "Preferences")
    until(lambda: "Up to date" in panel.menu().rows[0].label)
    assert proxy.asked == []
    assert not laptop.paths.newer_version_file.exists()
    prefer(laptop, check_for_updates=True)

    def look() -> None:
        panel.tell("opened", 0)
        panel.tell("closed", 0)

    def asked() -> bool:
        look()
        return bool(proxy.asked)

    until(asked)
    assert [one.rpartition(" ")[0] for one in proxy.asked] == ["CONNECT api.github.com:443"]

    own = installed / "core/claude_sync/__init__.py"
    whole = own.read_text()
    before = len(panel.watcher.registered)
    # A version that can't be started is none, and what is half written neither.
    own.write_text("raise SystemExit(1)\n")
    for _ in range(3):
        look()
        await_row(panel, "Preferences")
    assert len(panel.watcher.registered) == before
    own.write_text(whole.replace(f'__version__ = "{__version__}"', NEWER))

    def registered_anew() -> bool:
        if len(panel.watcher.registered) == before:
            with suppress(Refused):  # it ends just now
                look()
        return len(panel.watcher.registered) > before

    until(registered_anew)
    await_row(panel, "Preferences")
    log = laptop.paths.log_file.read_text()
    assert "starting anew" in log
    assert log.count("tray started") == 2
    assert len(proxy.asked) == 1, "once a day"
    click(panel, "Quit")
    assert tray.ended() == 0
