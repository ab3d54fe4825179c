"""The menu as values, and what may change in it while it is open. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from claude_sync_app.tray.verbs import Action


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a menu; the whole menu is an Item whose children are its rows.

    Attributes:
        id: unique in the whole menu, and the same for as long as the entry means the same.
        label: its text as it is; a backend escapes what its system would read into it.
        enabled: whether it can be clicked.
        checked: None if it can't be checked.
        radio: whether it is one choice of several; only used if `checked` isn't None.
        action: what a click asks for; None if a click does nothing.
        children: makes it a submenu.
        separator: makes it a line between entries; all else is ignored.
    """

    id: str
    label: str = ""
    enabled: bool = True
    checked: bool | None = None
    radio: bool = False
    action: Action | None = None
    children: tuple[Item, ...] = ()
    separator: bool = False


def separator(item_id: str) -> Item:
    """A line between entries."""
    return Item(item_id, separator=True)


def walk(menu: Item) -> Iterator[Item]:
    """A menu's entries on all levels, each before its children; without the menu itself."""
    for item in menu.children:
        yield item
        yield from walk(item)


def update_in_place(shown: Item, wanted: Item) -> Item:
    """What an open menu may become: `shown` with the labels and the enabling of `wanted`.

    Rows stay where they are, and nothing appears. An entry that isn't in `wanted`, or means
    something else there, stays and can't be clicked.
    """
    return _update_in_place(shown, {item.id: item for item in walk(wanted)})


def _update_in_place(shown: Item, wanted: dict[str, Item]) -> Item:
    rows = []
    for row in shown.children:
        now = wanted.get(row.id)
        if row.separator:
            rows.append(row)
        elif now is None or not _means_the_same(row, now):
            rows.append(_update_in_place(replace(row, enabled=False), wanted))
        else:
            rows.append(
                _update_in_place(replace(row, label=now.label, enabled=now.enabled), wanted)
            )
    return replace(shown, children=tuple(rows))


def _means_the_same(one: Item, other: Item) -> bool:
    return (
        one.action == other.action
        and one.separator == other.separator
        and bool(one.children) == bool(other.children)
    )
