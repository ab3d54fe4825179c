from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from claude_sync.disk.programs import find_program
from claude_sync.service.service import Service
from claude_sync_app.window.opening import Window
from machines import PlayedMachine, World
from programs import require
from services import prepare, serving
from waiting import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser without a screen, for all tests of a file; each has pages of its own."""
    require("chromium")
    home = tmp_path_factory.mktemp("browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_program("chromium"),
            args=["--no-sandbox"],  # a container has none to give, and no page is a stranger's
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        )
        yield browser
        browser.close()


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    """The machine whose window is looked at."""
    laptop = world.machine("laptop")
    prepare(laptop)
    return laptop


@pytest.fixture
def desktop(world: World) -> PlayedMachine:
    """Another machine with the same shared folder."""
    return world.machine("desktop")


@pytest.fixture
def service(laptop: PlayedMachine) -> Iterator[Service]:
    """The laptop's service, past its first look."""
    with serving(laptop) as service:
        yield service


@pytest.fixture
def window(service: Service) -> Iterator[Window]:
    """The window of that service."""
    window = Window(lambda: service)
    yield window
    window.close()


@pytest.fixture
def open_page(browser: Browser, window: Window) -> Iterator[Callable[..., Page]]:
    """Opens a page of the window; nothing in it may go wrong unseen."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    wrong: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # That a click was refused with a sentence, a browser notes by itself.
        if message.type in ("error", "warning") and "status of 400" not in message.text:
            wrong.append(message.text)

    context.on("console", note)
    context.on("weberror", lambda error: wrong.append(str(error.error)))

    def open_page(path: str = "") -> Page:
        page = context.new_page()
        page.goto(window.address(path))
        page.wait_for_url(f"**/{path or 'sessions'}")
        return page

    yield open_page
    context.close()
    assert wrong == []
