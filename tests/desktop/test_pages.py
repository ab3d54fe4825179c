"""Pages for the user's browser, also where that reads its own folder only."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_sync.state.paths import Paths
from claude_sync_app.desktop import browser
from claude_sync_app.tray.pages import remove_pages, show_page
from desktop.programs import install

ENTRY = "[Desktop Entry]\nX-SnapInstanceName={}\nName=Browser\nExec=/snap/bin/firefox %u\n"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")


@pytest.fixture
def prefers(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], None]:
    """Make an entry the one that opens pages."""

    def prefers(name: str, text: str) -> None:
        install(tmp_path, monkeypatch, "xdg-mime", f'#!/bin/sh\n[ "$3" = text/html ]; echo {name}')
        entries = home / ".local/share/applications"
        entries.mkdir(parents=True)
        (entries / name).write_text(text)

    return prefers


def test_a_page_is_written_for_its_reader_alone_and_goes_again(
    paths: Paths, opened: Callable[[], list[Path]], prefers: Callable[[str, str], None]
) -> None:
    prefers("browser.desktop", "[Desktop Entry]\nExec=/usr/bin/browser %u\n")
    show_page(paths, "one", "<p>é\ud800")
    path = paths.state / "pages" / "one.html"
    assert opened() == [path]
    assert path.read_bytes() == "<p>é?".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    os.utime(path, (0, 0))
    show_page(paths, "two", "<p>")
    assert [one.name for one in path.parent.iterdir()] == ["two.html"], (
        "an old one is in nobody's way"
    )
    show_page(paths, "three", "<p>")
    assert sorted(one.name for one in path.parent.iterdir()) == ["three.html", "two.html"], (
        "the other may still be read"
    )
    remove_pages(paths)
    assert list(path.parent.iterdir()) == []


def test_a_browser_from_a_snap_gets_it_in_its_folder_for_store(
    paths: Paths,
    home: Path,
    opened: Callable[[], list[Path]],
    prefers: Callable[[str, str], None],
) -> None:
    prefers("firefox_firefox.desktop", ENTRY.format("firefox"))
    show_page(paths, "one", "<p>")
    folder = home / "snap/firefox/common/claude-sync"
    assert opened() == [folder / "one.html"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not paths.state.exists()
    remove_pages(paths)
    assert list(folder.iterdir()) == []


def test_no_browser_leads_us_elsewhere(
    paths: Paths,
    home: Path,
    opened: Callable[[], list[Path]],
    prefers: Callable[[str, str], None],
) -> None:
    prefers("firefox_firefox.desktop", ENTRY.format("firefox"))
    (home / "site").mkdir()
    (home / "site/index.html").write_text("mine")
    (home / "snap/firefox/common").mkdir(parents=True)
    (home / "snap/firefox/common/claude-sync").symlink_to(home / "site")
    show_page(paths, "one", "<p>")
    assert opened() == [paths.state / "pages/one.html"]
    remove_pages(paths)
    assert os.listdir(home / "site") == ["index.html"]


@pytest.mark.parametrize("name", ["../firefox", "a/b", "", "Fire fox"])
def test_what_names_no_snap_is_no_folder(
    home: Path, prefers: Callable[[str, str], None], name: str
) -> None:
    prefers("firefox_firefox.desktop", ENTRY.format(name))
    assert browser.folder_of_browser(home, {}) is None


def test_entries_are_found_where_the_session_says(
    tmp_path: Path, home: Path, prefers: Callable[[str, str], None]
) -> None:
    prefers("elsewhere.desktop", "[Desktop Entry]\nExec=/usr/bin/browser\n")
    assert browser.folder_of_browser(home, {}) is None, "the user's own entry counts first"
    (home / ".local/share/applications/elsewhere.desktop").unlink()
    entries = tmp_path / "snapd/applications"
    entries.mkdir(parents=True)
    (entries / "elsewhere.desktop").write_text(ENTRY.format("chromium"))
    environment = {"XDG_DATA_DIRS": f"relative:/nowhere:{entries.parent}"}
    found = browser.folder_of_browser(home, environment)
    assert found == home / "snap/chromium/common/claude-sync"
    assert browser.folder_of_browser(home, {"PATH": ""}) is None
