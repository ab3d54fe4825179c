"""A menu with the numbers and properties that com.canonical.dbusmenu knows entries by. Pure.

https://github.com/AyatanaIndicators/libdbusmenu/blob/main/libdbusmenu-glib/dbus-menu.xml
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from claude_sync.values import NamedTuple
from claude_sync_app.shown_text import left_to_right, one_line
from claude_sync_app.tray.menu.model import Item
from claude_sync_app.tray.verbs import Action

ROOT = 0

Properties = Mapping[str, str | bool | int]


@dataclass(frozen=True, slots=True)
class Node:
    """An entry under its number; the menu itself is the node 0.

    Attributes:
        number: what a panel calls it by.
        properties: those that differ from the protocol's defaults.
        children: its rows.
        action: what a click on it asks for; None if it, or a menu around it, is disabled.
    """

    number: int
    properties: Properties
    children: tuple[Node, ...]
    action: Action | None

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()


class Numbers:
    """Gives entries their numbers.

    An entry keeps its number as long as it is shown and means the same (its id, its action and
    its kind); no number is ever given to another one. So a click that comes late finds the entry
    that was clicked, or none.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[object, ...], int] = {}
        self._last = ROOT

    def tree(self, menu: Item) -> Node:
        """The menu with its entries numbered."""
        before, self._numbers = self._numbers, {}
        rows = tuple(self._node(row, before, enabled=True) for row in menu.children)
        return Node(ROOT, {"children-display": "submenu"}, rows, None)

    def _node(self, item: Item, before: dict[tuple[object, ...], int], *, enabled: bool) -> Node:
        enabled = enabled and item.enabled
        number = self._number(item, before)
        children = tuple(self._node(child, before, enabled=enabled) for child in item.children)
        return Node(number, properties(item), children, item.action if enabled else None)

    def _number(self, item: Item, before: dict[tuple[object, ...], int]) -> int:
        copy = 0
        while True:
            # The last part distinguishes entries that have the same id by mistake.
            meaning = (item.id, item.action, item.separator, bool(item.children), copy)
            if meaning not in self._numbers:
                break
            copy += 1
        number = before.get(meaning)
        if number is None:
            self._last += 1
            number = self._last
        self._numbers[meaning] = number
        return number


def properties(item: Item) -> Properties:
    """What a panel has to know about an entry, except what is the default."""
    if item.separator:
        return {"type": "separator"}
    # "_" marks the letter that a key press chooses; doubled it is itself.
    label = left_to_right(one_line(item.label)).replace("_", "__")
    found: dict[str, str | bool | int] = {"label": label}
    if not item.enabled:
        found["enabled"] = False
    if item.checked is not None:
        found["toggle-type"] = "radio" if item.radio else "checkmark"
        found["toggle-state"] = int(item.checked)
    if item.children:
        found["children-display"] = "submenu"
    return found


class Difference(NamedTuple):
    """What to tell a panel about a menu that changed.

    Attributes:
        changed: numbers with the properties that are new or have changed.
        removed: numbers with the names of properties that are gone.
        parents: numbers of the entries whose rows have changed.
    """

    changed: list[tuple[int, Properties]]
    removed: list[tuple[int, list[str]]]
    parents: list[int]


def difference(before: Node, after: Node) -> Difference:
    """What changed between two trees of the same numbers."""
    known = {node.number: node for node in before.walk()}
    changed: list[tuple[int, Properties]] = []
    removed: list[tuple[int, list[str]]] = []
    parents: list[int] = []
    for node in after.walk():
        old = known.get(node.number)
        if old is None:
            continue
        new = {k: v for k, v in node.properties.items() if old.properties.get(k) != v}
        gone = [name for name in old.properties if name not in node.properties]
        if new:
            changed.append((node.number, new))
        if gone:
            removed.append((node.number, gone))
        if [c.number for c in old.children] != [c.number for c in node.children]:
            parents.append(node.number)
    return Difference(changed, removed, parents)
