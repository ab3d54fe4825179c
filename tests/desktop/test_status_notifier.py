"""Our own icon on Linux, as a panel meets it: over a real bus, with a real menu."""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from dbus_fast import Variant

from claude_sync_app.desktop.loop import Loop
from claude_sync_app.tray.backends.callbacks import IconCallbacks, Presence
from claude_sync_app.tray.backends.dbusmenu import MenuService
from claude_sync_app.tray.backends.status_notifier import (
    CHECK_SECONDS,
    StatusNotifierIcon,
    find_panel,
)
from claude_sync_app.tray.icons.icons import IconState, Picture, Theme
from claude_sync_app.tray.menu.model import Item, separator
from claude_sync_app.tray.verbs import Action, Verb
from desktop.panel import MENU, Panel, Refused
from desktop.programs import Heard, PrivateBus
from waiting import PATIENCE_SECONDS, until

UP_TO_DATE = Picture(IconState.UP_TO_DATE)
ERROR = Picture(IconState.ERROR, Theme.LIGHT)


def entry(name: str, **properties: object) -> Item:
    action = Action(Verb.__members__.get(name.upper(), Verb.HELP))
    return Item(name.lower(), name, action=action, **properties)  # type: ignore[arg-type]


def menu(*rows: Item) -> Item:
    return Item("menu", children=rows)


DEMO = menu(
    Item("status", "Up to date — 2 minutes ago", enabled=False),
    separator("first line"),
    entry("Push"),
    Item(
        "recent",
        "Recent sessions",
        children=(Item("s1", "Fix it", children=(entry("Resume"), entry("Copy"))),),
    ),
    Item(
        "preferences",
        "Preferences",
        children=(
            Item("notify", "Notifications", checked=True, action=Action(Verb.SET, "notify", "no")),
            Item(
                "ask", "Ask me", checked=False, radio=True, action=Action(Verb.SET, "arrive", "ask")
            ),
        ),
    ),
    entry("Quit"),
)


class Tray:
    """An icon that runs, and all that it reported."""

    def __init__(
        self,
        loop: Loop,
        left_click: Action | None = None,
        check_seconds: Sequence[float] = CHECK_SECONDS,
    ) -> None:
        self.clicked: Heard[Action] = Heard()
        self.opened: Heard[bool] = Heard()
        self.presence: Heard[Presence] = Heard()
        callbacks = IconCallbacks(self.clicked, self.opened, self.presence)
        self.icon = StatusNotifierIcon("claude-sync", loop, callbacks, UP_TO_DATE, check_seconds)
        self.icon.react(left_click)
        self.icon.run_detached()

    def show(self, menu: Item, picture: Picture = UP_TO_DATE, tooltip: str = "") -> None:
        self.icon.show(menu, picture, tooltip)


@pytest.fixture
def start(loop: Loop) -> Iterator[Callable[..., Tray]]:
    trays: list[Tray] = []

    def start(
        left_click: Action | None = None, check_seconds: Sequence[float] = CHECK_SECONDS
    ) -> Tray:
        trays.append(Tray(loop, left_click, check_seconds))
        return trays[-1]

    yield start
    for tray in trays:
        tray.icon.stop()


@pytest.fixture
def tray(panel: Panel, start: Callable[..., Tray]) -> Tray:
    """An icon with the menu above, shown by the panel."""
    tray = start()
    tray.show(DEMO)
    until(lambda: panel.menu().labels, lambda labels: "Quit" in labels)
    return tray


# --- the item ----------------------------------------------------------------------------------


def test_an_item_has_every_property_of_the_interface(panel: Panel, tray: Tray) -> None:
    properties = panel.properties()

    pixmaps = properties.pop("IconPixmap")
    assert [(w, h, len(data)) for w, h, data in pixmaps] == [
        (size, size, 4 * size * size) for size in (16, 22, 24, 32, 48, 64)
    ]
    assert properties.pop("AttentionIconPixmap") == pixmaps
    assert [*properties.pop("ToolTip")] == ["", [], "claude-sync", ""]
    assert properties == {
        "Category": "ApplicationStatus",
        "Id": "claude-sync",
        "Title": "claude-sync",
        "Status": "Active",
        "WindowId": 0,
        "IconThemePath": "",
        "IconName": "",
        "OverlayIconName": "",
        "OverlayIconPixmap": [],
        "AttentionIconName": "",
        "AttentionMovieName": "",
        "ItemIsMenu": True,
        "Menu": "/MenuBar",
    }


def test_an_icons_bytes_are_alpha_red_green_blue(panel: Panel, tray: Tray) -> None:
    tray.show(DEMO, ERROR)
    until(lambda: panel.heard("NewIcon"))
    width, _, data = panel.properties()["IconPixmap"][0]
    # Left of the white cross, and the corner that an octagon leaves out.
    row = width * (width // 2)
    assert bytes(data[4 * (row + 2) : 4 * (row + 3)]) == bytes([255, 0xC0, 0x1C, 0x28])
    assert data[0] == 0


def test_panels_are_told_of_what_changed_and_of_nothing_else(panel: Panel, tray: Tray) -> None:
    panel.signals.clear()
    tray.icon.show(DEMO, ERROR, "3 < 4 & more", attention=True)
    until(lambda: panel.heard("NewStatus"))
    assert {name for name, _ in panel.signals} == {
        "NewIcon",
        "NewAttentionIcon",
        "NewToolTip",
        "NewStatus",
    }
    assert panel.heard("NewStatus") == [["NeedsAttention"]]
    assert panel.properties()["Status"] == "NeedsAttention"
    tooltip = [*panel.properties()["ToolTip"]]
    assert tooltip == ["", [], "3 ‹ 4 & more", ""], "in the title, and without a tag in it"

    panel.signals.clear()
    tray.icon.show(DEMO, ERROR, "3 < 4 & more", attention=True)
    panel.menu()
    assert panel.signals == []


def test_a_long_tooltip_is_cut_to_127_characters_on_one_line(panel: Panel, tray: Tray) -> None:
    tray.show(DEMO, tooltip="Up\nto " + 300 * "x")
    until(lambda: panel.heard("NewToolTip"))
    sentence = panel.properties()["ToolTip"][2]
    assert len(sentence) == 127
    assert sentence.startswith("Up to xxx")
    assert sentence.endswith("x…")


@pytest.mark.parametrize("name", ["org.kde.plasmashell", "org.gnome.Shell"])
def test_a_click_is_left_to_panels_that_open_the_menu_then(
    panel: Panel, tray: Tray, name: str
) -> None:
    panel.take(name)
    with pytest.raises(Refused, match="UnknownMethod"):
        panel.of_item("Activate", "ii", 0, 0)
    assert tray.clicked == []


def test_a_click_opens_the_window_on_panels_that_ignore_what_the_item_is(
    panel: Panel, tray: Tray
) -> None:
    """LXQt's, MATE's and Cinnamon's, which do nothing about an error either."""
    assert panel.properties()["ItemIsMenu"] is True
    assert panel.of_item("Activate", "ii", 0, 0) == []
    assert tray.clicked.wait() == [Action(Verb.OPEN_WINDOW)]


def test_a_click_on_the_icon_pushes_where_that_was_chosen(
    panel: Panel, start: Callable[..., Tray]
) -> None:
    tray = start(left_click=Action(Verb.PUSH))
    assert panel.properties()["ItemIsMenu"] is False
    panel.of_item("Activate", "ii", 0, 0)
    assert tray.clicked.wait() == [Action(Verb.PUSH)]

    tray.icon.react(None)
    until(lambda: panel.properties()["ItemIsMenu"])
    tray.icon.react(Action(Verb.PUSH))
    until(lambda: not panel.properties()["ItemIsMenu"])
    assert len(panel.heard("NewTitle")) == 2


def test_other_ways_to_touch_the_icon_decide_nothing(panel: Panel, tray: Tray) -> None:
    panel.of_item("SecondaryActivate", "ii", 0, 0)
    panel.of_item("ContextMenu", "ii", 0, 0)
    panel.of_item("Scroll", "is", 120, "vertical")
    panel.of_item("ProvideXdgActivationToken", "s", "token")
    assert tray.clicked == []


# --- the menu ----------------------------------------------------------------------------------


def test_a_menu_has_every_property_of_the_interface(panel: Panel, tray: Tray) -> None:
    assert panel.properties(MENU, "/MenuBar") == {
        "Version": 3,
        "TextDirection": "ltr",
        "Status": "normal",
        "IconThemePath": [],
    }


def test_a_panel_reads_the_whole_menu(panel: Panel, tray: Tray) -> None:
    root = panel.menu()
    assert root.properties == {"children-display": "submenu"}
    assert root.labels == [
        "Up to date — 2 minutes ago",
        "---",
        "Push",
        "Recent sessions",
        "Preferences",
        "Quit",
    ]
    assert root.rows[0].properties["enabled"] is False
    assert root.rows[1].properties == {"type": "separator"}
    assert root.find("Recent sessions", "Fix it").labels == ["Resume", "Copy"]
    assert root.find("Preferences", "Notifications").properties == {
        "label": "Notifications",
        "toggle-type": "checkmark",
        "toggle-state": 1,
    }
    assert root.find("Preferences", "Ask me").properties["toggle-type"] == "radio"
    assert root.find("Preferences", "Ask me").properties["toggle-state"] == 0


def test_a_panel_may_read_a_part_of_the_menu(panel: Panel, tray: Tray) -> None:
    assert panel.menu(depth=0).rows == []
    assert all(row.rows == [] for row in panel.menu(depth=1).rows)

    recent = panel.menu().find("Recent sessions")
    _, (number, properties, rows) = panel.of_menu("GetLayout", "iias", recent.number, 1, ["type"])
    assert (number, properties, len(rows)) == (recent.number, {}, 1)
    (group,) = panel.of_menu("GetGroupProperties", "aias", [recent.number, 9999], ["label"])
    assert [[*row] for row in group] == [
        [recent.number, {"label": Variant("s", "Recent sessions")}]
    ]
    (every,) = panel.of_menu("GetGroupProperties", "aias", [], [])
    assert len(every) == 12
    (label,) = panel.of_menu("GetProperty", "is", recent.number, "label")
    assert label.value == "Recent sessions"
    with pytest.raises(Refused):
        panel.of_menu("GetProperty", "is", recent.number, "enabled")


def test_a_click_reaches_the_application_once(panel: Panel, tray: Tray) -> None:
    panel.click("Recent sessions", "Fix it", "Resume")
    panel.click("Preferences", "Notifications")
    assert tray.clicked == [Action(Verb.RESUME), Action(Verb.SET, "notify", "no")]


def test_what_can_not_be_clicked_does_nothing(panel: Panel, tray: Tray) -> None:
    tray.show(menu(Item("off", "Off", enabled=False, children=(entry("Inside"),)), *DEMO.children))
    until(lambda: panel.menu().labels[0], lambda label: label == "Off")
    for labels in (
        ["Off"],
        ["Off", "Inside"],
        ["Up to date — 2 minutes ago"],
        ["---"],
        ["Preferences"],
    ):
        panel.click(*labels)
    assert tray.clicked == []


def test_several_events_at_once_are_taken_and_unknown_entries_named(
    panel: Panel, tray: Tray
) -> None:
    quit_number = panel.menu().find("Quit").number
    nothing = Variant("i", 0)
    (unknown,) = panel.of_menu(
        "EventGroup",
        "a(isvu)",
        [[quit_number, "clicked", nothing, 0], [4711, "clicked", nothing, 0]],
    )
    assert unknown == [4711]
    assert tray.clicked == [Action(Verb.QUIT)]
    assert panel.of_menu("AboutToShowGroup", "ai", [0, 4711]) == [[], [4711]]


@pytest.mark.parametrize("member", ["GetLayout", "Event", "AboutToShow"])
def test_an_unknown_entry_is_an_error(panel: Panel, tray: Tray, member: str) -> None:
    arguments: dict[str, tuple[Any, ...]] = {
        "GetLayout": ("iias", 4711, -1, []),
        "Event": ("isvu", 4711, "clicked", Variant("i", 0), 0),
        "AboutToShow": ("i", 4711),
    }
    with pytest.raises(Refused, match="does not refer to a menu item"):
        panel.of_menu(member, *arguments[member])


def test_a_late_click_never_runs_another_entry(panel: Panel, tray: Tray) -> None:
    push = panel.menu().find("Push").number
    resume = panel.menu().find("Recent sessions", "Fix it", "Resume").number

    tray.show(menu(entry("Pull"), entry("Undo"), entry("Quit")))
    until(lambda: panel.menu().labels, lambda labels: labels[0] == "Pull")
    for stale in (push, resume):
        with pytest.raises(Refused):
            panel.tell("clicked", stale)

    # The same name with another meaning is another entry.
    tray.show(menu(Item("push", "Push", action=Action(Verb.UNDO)), entry("Quit")))
    until(lambda: panel.menu().labels, lambda labels: labels[0] == "Push")
    with pytest.raises(Refused):
        panel.tell("clicked", push)
    assert tray.clicked == []


def test_an_entry_keeps_its_number_while_it_means_the_same(panel: Panel, tray: Tray) -> None:
    before = panel.menu().find("Quit").number
    tray.show(menu(entry("New"), Item("quit", "Leave", action=Action(Verb.QUIT))))
    after = until(lambda: panel.menu(), lambda root: root.labels == ["New", "Leave"])
    assert after.find("Leave").number == before


def test_only_properties_are_sent_where_only_labels_changed(panel: Panel, tray: Tray) -> None:
    number = panel.menu().rows[0].number
    panel.signals.clear()
    first = Item("status", "Pushing…", enabled=True, action=None)
    tray.show(menu(first, *DEMO.children[1:]))
    ((changed, removed),) = until(lambda: panel.heard("ItemsPropertiesUpdated"))
    assert [(n, {k: v.value for k, v in p.items()}) for n, p in changed] == [
        (number, {"label": "Pushing…"})
    ]
    assert [[*row] for row in removed] == [[number, ["enabled"]]]
    assert panel.heard("LayoutUpdated") == []


def test_new_rows_are_announced_for_the_entry_they_are_in(panel: Panel, tray: Tray) -> None:
    recent = panel.menu().find("Recent sessions").number
    panel.signals.clear()
    more = Item("recent", "Recent sessions", children=(entry("Another"),))
    tray.show(menu(*DEMO.children[:3], more, *DEMO.children[4:]))

    ((revision, parent),) = until(lambda: panel.heard("LayoutUpdated"))
    assert parent == recent
    assert panel.of_menu("AboutToShow", "i", recent) == [True]
    now, _ = panel.of_menu("GetLayout", "iias", recent, -1, [])
    assert now == revision
    assert panel.of_menu("AboutToShow", "i", recent) == [False]


# --- an open menu ------------------------------------------------------------------------------


def test_an_open_menu_changes_its_labels_and_keeps_its_rows(panel: Panel, tray: Tray) -> None:
    before = panel.menu().labels
    panel.tell("opened", 0)
    assert tray.opened.wait() == [True]
    panel.signals.clear()
    tray.show(
        menu(
            entry("New"),
            entry("Quit"),
            Item("push", "Pushing…", enabled=False, action=Action(Verb.PUSH)),
            Item("status", "Syncing", enabled=False),
        )
    )
    until(lambda: panel.heard("ItemsPropertiesUpdated"))
    held = panel.menu()
    assert held.labels == ["Syncing", before[1], "Pushing…", *before[3:]]
    assert panel.heard("LayoutUpdated") == []
    panel.click("Recent sessions", "Fix it", "Resume")
    assert tray.clicked == [], "what is gone can't be clicked any more"

    panel.tell("closed", 0)
    assert tray.opened.wait(2) == [True, False]
    assert panel.menu().labels == ["New", "Quit", "Pushing…", "Syncing"]
    assert panel.heard("LayoutUpdated")


def test_a_menu_stays_open_while_its_submenus_come_and_go(panel: Panel, tray: Tray) -> None:
    recent = panel.menu().find("Recent sessions").number
    for kind, number in (("opened", 0), ("opened", recent), ("closed", recent)):
        panel.tell(kind, number)
    tray.show(menu(entry("New")))
    assert "Quit" in panel.menu().labels
    assert tray.opened == [True]
    panel.tell("closed", 0)
    assert panel.menu().labels == ["New"]


def test_a_panel_that_only_says_that_it_is_about_to_show_the_menu_keeps_its_rows_too(
    panel: Panel, tray: Tray
) -> None:
    panel.of_menu("AboutToShowGroup", "ai", [0])
    tray.show(menu(entry("New"), *DEMO.children))
    assert "New" not in panel.menu().labels
    # Shown once more: Xfce has its size by now, and would cut off what there is more of.
    panel.signals.clear()
    assert panel.of_menu("AboutToShowGroup", "ai", [0]) == [[], []]
    assert panel.of_menu("AboutToShow", "i", 0) == [False]
    assert "New" not in panel.menu().labels
    assert panel.heard("LayoutUpdated") == []
    panel.click("Quit")
    assert until(lambda: panel.menu().labels, lambda labels: "New" in labels)
    assert tray.opened.wait(2) == [True, False]


def test_a_menu_that_is_never_closed_is_let_go_some_time_after_its_last_sign_of_life(
    loop: Loop,
) -> None:
    opened: Heard[bool] = Heard()
    due: list[float] = []
    service = MenuService(_CountingLoop(loop, due), print, opened, hold_seconds=0.05)
    loop.call(service.show, menu(entry("Old")))
    loop.call(service.event, 0, "opened", Variant("i", 0), 0)
    loop.call(service.about_to_show, 0)
    loop.call(service.show, menu(entry("New")))
    assert opened.wait(2) == [True, False]
    assert due == [0.05, 0.05], "from the last sign on"

    async def labels() -> list[str]:
        return [node.properties["label"] for node in service._tree.children]  # type: ignore[misc]

    assert loop.submit(labels()).result(PATIENCE_SECONDS) == ["New"]


class _CountingLoop(Loop):
    """Another loop's timers, noted."""

    def __init__(self, loop: Loop, due: list[float]) -> None:
        self._other, self._due = loop, due

    def later(self, seconds: float, function: Callable[..., object]) -> TimerHandle:
        self._due.append(seconds)
        return self._other.later(seconds, function)


def test_a_panel_that_reads_one_level_is_had_read_the_submenus_before_it_shows_them(
    panel: Panel, tray: Tray
) -> None:
    root = panel.menu()
    submenus = {row.number for row in root.rows if row.rows}
    panel.signals.clear()
    panel.menu(depth=1)
    until(lambda: {parent for _, parent in panel.heard("LayoutUpdated")} == submenus)
    # Whatever it reads then, it isn't asked for the same again.
    for number in (0, *submenus):
        panel.of_menu("GetLayout", "iias", number, 1, [])
    panel.menu()
    heard = sorted(parent for _, parent in panel.heard("LayoutUpdated"))
    inner = [row.number for one in root.rows for row in one.rows if row.rows]
    assert heard == sorted([*submenus, *inner])


# --- other people's text -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("snake_case __init__", "snake__case ____init____"),
        ("<b>bold</b> & &amp;", "<b>bold</b> & &amp;"),
        ("line\nbreak\ttab\r\nend", "line break tab end"),
        ("\x1b[31mred\x1b[0m \x07bell", "[31mred[0m bell"),
        ("abc\u202eevil\u2066x\u2069\u200f", "abcevilx"),
        ("family 👩‍👩‍👧 wave 👋🏽", "family 👩‍👩‍👧 wave 👋🏽"),
        ("שלום עולם", "\u200eשלום עולם"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("x" * 300, "x" * 300),
        ("$(touch x) `y` %s {0}", "$(touch x) `y` %s {0}"),
    ],
)
def test_other_peoples_text_is_shown_as_text(
    panel: Panel, tray: Tray, title: str, shown: str
) -> None:
    tray.icon.show(menu(Item("s1", title, action=Action(Verb.RESUME))), UP_TO_DATE, title)
    assert until(lambda: panel.menu().labels, lambda labels: len(labels) == 1) == [shown]
    panel.click(shown)
    assert tray.clicked == [Action(Verb.RESUME)]


# --- many things at once -----------------------------------------------------------------------


def test_500_clicks_in_a_row_while_the_menu_changes_are_all_taken(panel: Panel, tray: Tray) -> None:
    number = panel.menu().find("Push").number
    for count in range(500):
        tray.show(menu(Item("n", f"{count} done", enabled=False), *DEMO.children[1:]))
        panel.tell("clicked", number)
    assert tray.clicked == 500 * [Action(Verb.PUSH)]


# --- panels and buses that come and go ---------------------------------------------------------


def test_a_panel_that_starts_late_gets_the_icon(
    bus: PrivateBus, start: Callable[..., Tray], loop: Loop
) -> None:
    assert loop.submit(find_panel()).result(PATIENCE_SECONDS) is Presence.NO_PANEL
    tray = start()
    tray.show(DEMO)
    assert tray.presence.wait() == [Presence.NO_PANEL]
    panel = Panel(bus.address)
    try:
        assert tray.presence.wait(2) == [Presence.NO_PANEL, Presence.SHOWN]
        assert loop.submit(find_panel()).result(PATIENCE_SECONDS) is Presence.SHOWN
        assert "Quit" in panel.menu().labels
    finally:
        panel.close()


def test_a_panel_that_has_lost_the_icon_gets_it_again(
    panel: Panel, loop: Loop, start: Callable[..., Tray]
) -> None:
    """As GNOME's extension does now and then."""
    panel.watcher.forget_next()
    start(check_seconds=(0.05, 0.1)).show(DEMO)
    until(lambda: len(panel.watcher.registered) == 1)
    assert panel.watcher.lost == panel.watcher.registered
    panel.menu()
    until(lambda: panel.watcher.asked == 2)
    assert len(panel.watcher.registered) == 1, "once it is there, it isn't registered again"


def test_a_panel_that_restarts_gets_the_icon_again(panel: Panel, tray: Tray) -> None:
    panel.tell("opened", 0)
    panel.vanish()
    tray.presence.wait(2)
    tray.show(menu(entry("New")))
    panel.appear()
    assert tray.presence.wait(3) == [Presence.SHOWN, Presence.NO_PANEL, Presence.SHOWN]
    assert panel.menu().labels == ["New"], "a menu that was open died with its panel"


def test_without_a_bus_it_says_so_and_ends_when_asked(
    no_bus: None, start: Callable[..., Tray], loop: Loop
) -> None:
    assert loop.submit(find_panel()).result(PATIENCE_SECONDS) is Presence.NO_BUS
    tray = start()
    tray.show(DEMO)
    assert tray.presence.wait() == [Presence.NO_BUS]


def test_a_bus_that_restarts_gets_the_icon_again(bus: PrivateBus, panel: Panel, tray: Tray) -> None:
    panel._loop.submit(_forget(panel)).result(PATIENCE_SECONDS)
    bus.end()
    tray.presence.wait(2)
    bus.start()
    panel.appear()
    until(lambda: tray.presence[-1], lambda presence: presence is Presence.SHOWN)
    assert Presence.NO_BUS in tray.presence
    assert "Quit" in panel.menu().labels


async def _forget(panel: Panel) -> None:
    await panel._disconnect()


def test_two_icons_on_one_bus_have_names_of_their_own(
    panel: Panel, tray: Tray, start: Callable[..., Tray]
) -> None:
    start().show(menu(entry("Second")))
    first, second = until(lambda: panel.watcher.registered, lambda names: len(names) == 2)
    assert first.startswith("org.kde.StatusNotifierItem-")
    assert second.startswith(":")
    assert panel.menu().labels == ["Second"]


def test_an_icon_that_ends_leaves_the_bus(panel: Panel, tray: Tray) -> None:
    panel.item()
    tray.icon.stop()
    with pytest.raises(Refused, match=r"ServiceUnknown|NoReply"):
        until(lambda: panel.properties() and False)
