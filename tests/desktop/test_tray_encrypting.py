"""An encrypted shared folder, chosen by clicks."""

from __future__ import annotations

import shutil

import pytest

from claude_sync.state import preferences
from claude_sync.sync.store_key import change_store_key
from desktop.panel import Panel
from desktop.programs import Programs
from desktop.tray_program import Tray, TrayMachine, click
from desktop.windows import SECOND_OF_THREE, answer, await_window, xdotool
from machines import SESSION, said
from waiting import until


@pytest.fixture
def screen(
    programs: Programs, display: str, no_browser: None, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A display with a window manager, so that dialogs get the keys, and without a browser."""
    monkeypatch.setenv("NO_AT_BRIDGE", "1")
    programs.start(["openbox"])
    return display


@pytest.mark.usefixtures("screen")
def test_an_encrypted_folder_shows_its_key_once_and_asks_the_next_machine_for_it(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    laptop.write(SESSION, said("only for my machines"))
    laptop.push()
    shared = laptop.home / "shared"
    Tray(programs, laptop)
    click(panel, "Preferences", "Shared folder…")
    answer("Shared folder", *SECOND_OF_THREE)  # A host over ssh…
    await_window("Shared folder")
    xdotool("type", str(shared))
    answer("Shared folder", "Return")
    answer("Encrypted or not", "Return")
    answer("Shared folder", "Return")
    answer("Key of the shared folder", "Return")
    until(lambda: list(shared.glob("*/*.ccsync")))
    assert preferences.load(laptop.paths).encrypted
    assert not [path for path in shared.glob("*/*") if b"only for" in path.read_bytes()]
    answer("Leaving", "Return")

    # Here without the key, as another machine is.
    with laptop.here():
        change_store_key(laptop.paths, "correct horse battery")
    shutil.rmtree(laptop.paths.keys_directory)
    click(panel, "Preferences", "Shared folder…")
    answer("Shared folder", *SECOND_OF_THREE)  # A host over ssh…
    await_window("Shared folder")
    xdotool("type", str(shared))
    answer("Shared folder", "Return")
    answer("Shared folder", "Return")
    await_window("Key of the shared folder")
    xdotool("type", "some other passphrase")
    answer("Key of the shared folder", "Return")
    await_window("Key of the shared folder")
    xdotool("type", "correct horse battery")
    answer("Key of the shared folder", "Return")
    until(lambda: list(laptop.paths.keys_directory.glob("*.json")))
