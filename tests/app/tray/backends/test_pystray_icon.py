"""The same menu through pystray, on systems whose own parts can't be had here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from claude_sync_app.tray.backends.callbacks import IconCallbacks, Presence
from claude_sync_app.tray.backends.pystray_icon import PystrayIcon, Tags, pystray_menu
from claude_sync_app.tray.icons.icons import IconState, Picture
from claude_sync_app.tray.menu.model import Item, separator
from claude_sync_app.tray.verbs import Action, Verb

MENU = Item(
    "menu",
    children=(
        Item("status", "R&D: 2 minutes ago", enabled=False),
        separator("line"),
        Item("push", "Push", action=Action(Verb.PUSH)),
        Item(
            "sub",
            "When a session arrives",
            children=(
                Item("ask", "Ask me", checked=True, radio=True, action=Action(Verb.SET, "ask")),
                Item("pull", "Pull it", checked=False, radio=True, action=Action(Verb.SET, "pull")),
            ),
        ),
    ),
)


class _Icon:
    """Stands for a system's icon; its thread is the test's, when `turn` is called."""

    def __init__(self) -> None:
        self.icon: Any = None
        self.title = ""
        self.menu: Any = None
        self.visible = False
        self.click_opens_menu = True
        self.menu_opened: Callable[[bool], None] = print
        self.waiting: list[Callable[[], object]] = []

    def in_its_thread(self, function: Callable[[], object]) -> None:
        self.waiting.append(function)

    def turn(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()

    def run(self, setup: Callable[[Any], None]) -> None:
        setup(self)
        self.turn()

    def stop(self) -> None:
        self.visible = False


def labels(icon: _Icon) -> list[str]:
    return [item.text for item in icon.menu]


def shown() -> tuple[_Icon, PystrayIcon, list[Action], list[Presence]]:
    clicked: list[Action] = []
    presence: list[Presence] = []
    icon = _Icon()
    callbacks = IconCallbacks(clicked.append, lambda _: None, presence.append)
    backend = PystrayIcon(icon, callbacks, Picture(IconState.SYNCING))
    backend.show(MENU, Picture(IconState.WAITING), "2 waiting\n" + 300 * "x")
    backend.run()
    return icon, backend, clicked, presence


def test_a_menu_has_its_rows_marks_and_submenus() -> None:
    clicked: list[Action] = []
    menu = pystray_menu(MENU, clicked.append, lambda label: label.replace("&", "&&"))
    status, line, push, sub = menu
    assert (status.text, status.enabled) == ("R&&D: 2 minutes ago", False)
    assert line.text == "- - - -"
    assert [(i.text, i.checked, i.radio) for i in sub.submenu] == [
        ("Ask me", True, True),
        ("Pull it", False, True),
    ]
    push(None)
    status(None)
    list(sub.submenu)[1](None)
    assert clicked == [Action(Verb.PUSH), Action(Verb.SET, "pull")]


def test_a_click_on_the_icon_itself_is_not_an_entry_that_is_seen() -> None:
    clicked: list[Action] = []
    menu = pystray_menu(MENU, clicked.append, left_click=Action(Verb.PUSH))
    assert len(list(menu)) == 4
    menu(None)
    assert clicked == [Action(Verb.PUSH)]
    pystray_menu(MENU, clicked.append)(None)
    assert clicked == [Action(Verb.PUSH)]


def test_what_was_shown_before_the_start_is_there_at_the_start() -> None:
    icon, _, _, presence = shown()
    assert icon.visible
    assert icon.icon.size == (64, 64)
    assert icon.title.startswith("2 waiting xxx")
    assert len(icon.title) == 127
    assert labels(icon) == ["R&D: 2 minutes ago", "- - - -", "Push", "When a session arrives"]
    assert presence == [Presence.SHOWN]


def test_an_open_menu_is_left_alone_and_brought_up_to_date_when_it_is_closed() -> None:
    icon, backend, _, _ = shown()
    before = icon.menu
    icon.menu_opened(True)
    backend.show(Item("menu", children=(Item("new", "New"),)), Picture(IconState.ERROR), "")
    icon.turn()
    assert icon.menu is before
    icon.menu_opened(False)
    icon.turn()
    assert labels(icon) == ["New"]


def test_the_same_again_changes_nothing() -> None:
    icon, backend, _, _ = shown()
    before = icon.menu
    backend.show(MENU, Picture(IconState.WAITING), "2 waiting\n" + 300 * "x")
    icon.turn()
    assert icon.menu is before


def test_a_click_on_the_icon_can_be_chosen_while_it_runs() -> None:
    icon, backend, clicked, _ = shown()
    assert icon.click_opens_menu
    backend.react(Action(Verb.PUSH))
    icon.turn()
    assert not icon.click_opens_menu
    icon.menu(None)
    assert clicked == [Action(Verb.PUSH)]


def test_a_tag_is_never_given_twice_and_a_late_click_finds_its_own() -> None:
    tags = Tags()
    called: list[str] = []
    generations = []
    for name in ("first", "second", "third"):
        tags.begin()
        generations.append(len(tags))
        tags.append(partial(_note, called, name))
    assert len(set(generations)) == 3
    for tag in generations:
        tags[tag](None)
    assert called == ["second", "third"]


def _note(notes: list[str], name: str, _: object) -> None:
    notes.append(name)
