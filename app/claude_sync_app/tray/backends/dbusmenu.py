"""com.canonical.dbusmenu: the menu as panels read it over D-Bus.

https://github.com/AyatanaIndicators/libdbusmenu/blob/main/libdbusmenu-glib/dbus-menu.xml
"""

# Annotations are the D-Bus signatures here and are read when the class is made.
# They also name what a panel passes and we don't need.
# ruff: noqa: ARG002

from asyncio import TimerHandle
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from dbus_fast import DBusError, ErrorType, PropertyAccess, Variant
from dbus_fast.annotations import (
    DBusBool,
    DBusInt32,
    DBusSignature,
    DBusStr,
    DBusUInt32,
    DBusVariant,
)
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from claude_sync_app.desktop.loop import Loop
from claude_sync_app.tray.backends.menu_tree import ROOT, Node, Numbers, Properties, difference
from claude_sync_app.tray.menu.model import Item, update_in_place
from claude_sync_app.tray.verbs import Action

HOLD_SECONDS = 15.0
"""How long after its last sign of life a menu keeps its rows: some panels never say that it was
closed."""

_READ = PropertyAccess.READ
_SIGNATURES = {str: "s", bool: "b", int: "i"}

_Strings = Annotated[list[str], DBusSignature("as")]
_Numbers = Annotated[list[int], DBusSignature("ai")]
_IconCallbacks = Annotated[list[list[Any]], DBusSignature("a(isvu)")]
_Layout = Annotated[list[Any], DBusSignature("u(ia{sv}av)")]
_Group = Annotated[list[Any], DBusSignature("a(ia{sv})")]
_TwoLists = Annotated[list[list[int]], DBusSignature("aiai")]
_Updated = Annotated[list[Any], DBusSignature("a(ia{sv})a(ias)")]
_Revision = Annotated[list[int], DBusSignature("ui")]


class MenuService(ServiceInterface):
    """Shows a menu and says what was clicked. All of it happens in the loop's thread.

    Args:
        loop: its loop.
        clicked: called with the action of an entry that was clicked and may be clicked.
        opened: called with True when the menu is opened, with False when it is closed.
        hold_seconds: how long after its last sign of life an open menu keeps its rows.
    """

    def __init__(
        self,
        loop: Loop,
        clicked: Callable[[Action], None],
        opened: Callable[[bool], None],
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        super().__init__("com.canonical.dbusmenu")
        self._hold_seconds = hold_seconds
        self._loop = loop
        self._clicked = clicked
        self._opened = opened
        self._numbers = Numbers()
        self._wanted = self._shown = Item("menu")
        self._tree = self._numbers.tree(self._shown)
        self._nodes = {ROOT: self._tree}
        self._revision = 1
        self._unread: set[int] = set()
        self._announced: set[tuple[int, int]] = set()
        self._open: set[int] = set()
        self._release: TimerHandle | None = None

    def show(self, menu: Item) -> None:
        """Show this menu; while one is open, only its labels and enabling."""
        self._wanted = menu
        shown = update_in_place(self._shown, menu) if self._open else menu
        if shown == self._shown:
            return
        before, self._shown = self._tree, shown
        self._tree = self._numbers.tree(shown)
        self._nodes = {node.number: node for node in self._tree.walk()}
        self._announce(before)

    def end(self) -> None:
        """Forget the panel: that the menu is open there, and what it was asked to read."""
        self._announced.clear()
        self._forget_open()

    def let_go(self) -> None:
        """The menu is closed: show the rows that wait."""
        if self._release is not None:
            self._forget_open()
            self._opened(False)
            self.show(self._wanted)

    def _forget_open(self) -> None:
        self._open.clear()
        if self._release is not None:
            self._release.cancel()
            self._release = None

    def _announce(self, before: Node) -> None:
        changes = difference(before, self._tree)
        if changes.changed or changes.removed:
            self.items_properties_updated(
                [[number, _variants(found)] for number, found in changes.changed],
                [[number, names] for number, names in changes.removed],
            )
        if changes.parents:
            self._revision += 1
            self._announced.clear()
            self._unread.update(changes.parents)
            for number in changes.parents:
                self.layout_updated(self._revision, number)

    # --- properties ---

    @dbus_property(_READ, name="Version")
    def version(self) -> DBusUInt32:
        return 3

    @dbus_property(_READ, name="TextDirection")
    def text_direction(self) -> DBusStr:
        return "ltr"

    @dbus_property(_READ, name="Status")
    def status(self) -> DBusStr:
        return "normal"

    @dbus_property(_READ, name="IconThemePath")
    def icon_theme_path(self) -> _Strings:
        return []

    # --- methods ---

    @dbus_method(name="GetLayout")
    def get_layout(self, parent: DBusInt32, depth: DBusInt32, names: _Strings) -> _Layout:
        node = self._node(parent)
        layout = [self._revision, self._layout(node, depth, names)]
        if depth == 1:
            self._loop.later(0, lambda: self._announce_submenus(node))
        return layout

    def _announce_submenus(self, node: Node) -> None:
        """Have a panel that read one level read the submenus in it before it shows them.

        Plasma opens the first one with the size of an empty menu otherwise, off the screen. Once
        for each revision, for a panel may answer by reading the whole level again.
        """
        for child in node.children:
            known = (child.number, self._revision)
            if child.children and known not in self._announced and child.number in self._nodes:
                self._announced.add(known)
                self.layout_updated(self._revision, child.number)

    @dbus_method(name="GetGroupProperties")
    def get_group_properties(self, numbers: _Numbers, names: _Strings) -> _Group:
        wanted = numbers or list(self._nodes)
        nodes = [self._nodes[number] for number in wanted if number in self._nodes]
        return [[node.number, _variants(node.properties, names)] for node in nodes]

    @dbus_method(name="GetProperty")
    def get_property(self, number: DBusInt32, name: DBusStr) -> DBusVariant:
        variants = _variants(self._node(number).properties)
        if name not in variants:
            raise DBusError(ErrorType.INVALID_ARGS, f"the entry {number} has no {name}")
        return variants[name]

    @dbus_method(name="Event")
    def event(
        self, number: DBusInt32, kind: DBusStr, data: DBusVariant, timestamp: DBusUInt32
    ) -> None:
        self._take(self._node(number), kind)

    @dbus_method(name="EventGroup")
    def event_group(self, events: _IconCallbacks) -> _Numbers:
        for number, kind, *_ in events:
            if number in self._nodes:
                self._take(self._nodes[number], kind)
        return [number for number, *_ in events if number not in self._nodes]

    @dbus_method(name="AboutToShow")
    def about_to_show(self, number: DBusInt32) -> DBusBool:
        node = self._node(number)
        self._hold(number)
        return node.number in self._unread

    @dbus_method(name="AboutToShowGroup")
    def about_to_show_group(self, numbers: _Numbers) -> _TwoLists:
        for number in numbers:
            if number in self._nodes:
                self._hold(number)
        changed = [number for number in numbers if number in self._unread]
        return [changed, [number for number in numbers if number not in self._nodes]]

    # --- signals ---

    @dbus_signal(name="ItemsPropertiesUpdated")
    def items_properties_updated(self, changed: list[Any], removed: list[Any]) -> _Updated:
        return [changed, removed]

    @dbus_signal(name="LayoutUpdated")
    def layout_updated(self, revision: int, parent: int) -> _Revision:
        return [revision, parent]

    @dbus_signal(name="ItemActivationRequested")
    def item_activation_requested(
        self, number: int, timestamp: int
    ) -> Annotated[list[int], DBusSignature("iu")]:
        return [number, timestamp]

    # --- what they do ---

    def _node(self, number: int) -> Node:
        node = self._nodes.get(number)
        if node is None:
            # In libdbusmenu's words.
            text = f"The ID supplied {number} does not refer to a menu item we have"
            raise DBusError(ErrorType.INVALID_ARGS, text)
        return node

    def _layout(self, node: Node, depth: int, names: Sequence[str]) -> list[Any]:
        rows: list[Variant] = []
        if depth != 0:
            self._unread.discard(node.number)
            rows = [
                Variant("(ia{sv}av)", self._layout(child, depth - 1, names))
                for child in node.children
            ]
        return [node.number, _variants(node.properties, names), rows]

    def _take(self, node: Node, kind: str) -> None:
        if kind == "clicked":
            if node.action is not None:
                self._clicked(node.action)
            # A click closes the menu. What else happened with it may follow in the same message.
            self._loop.later(0, self.let_go)
        elif kind == "opened":
            self._hold(node.number)
        elif kind == "closed":
            self._open.discard(node.number)
            # Panels that report submenus don't always report each when the whole menu closes.
            if not self._open or node.number == ROOT:
                self.let_go()

    def _hold(self, number: int) -> None:
        """Keep the rows from now on, for the menu has just given a sign of life.

        Panels built on libdbusmenu-gtk (Xfce, MATE, waybar) report only by AboutToShow that the
        menu is opened, and never that it is closed. In that moment nothing may be let go of: Xfce
        pops the menu up in the size that it had before, with its last rows cut off.
        """
        was_closed = self._release is None
        if self._release is not None:
            self._release.cancel()
        self._release = self._loop.later(self._hold_seconds, self.let_go)
        self._open.add(number)
        if was_closed:
            self._opened(True)


def _variants(properties: Properties, names: Sequence[str] = ()) -> dict[str, Variant]:
    return {
        name: Variant(_SIGNATURES[type(value)], value)
        for name, value in properties.items()
        if not names or name in names
    }
