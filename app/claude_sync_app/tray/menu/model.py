"""The menu as values, and what may change in it while somebody looks at it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from claude_sync_app.tray.verbs import Action


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a menu; the whole menu is an Item whose children are its rows.

    Attributes:
        id: stable name, unique in the whole menu: the same as long as the entry means the same.
        label: its text as it is; a backend escapes what its system would read into it.
        enabled: whether it can be clicked.
        checked: None where it can't be checked.
        radio: whether it is one choice of several; counts only where `checked` isn't None.
        action: what a click asks for; None where a click does nothing.
        children: makes it a submenu.
        separator: makes it a line between entries; nothing else of it counts.
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


def hold(shown: Item, wanted: Item) -> Item:
    """What an open menu may become: `shown` with the labels and the enabling of `wanted`.

    Rows stay where they are, and nothing appears. An entry that `wanted` doesn't have any more,
    or has with another meaning, stays and can't be clicked.
    """
    return _hold(shown, {item.id: item for item in walk(wanted)})


def _hold(shown: Item, wanted: dict[str, Item]) -> Item:
    rows = []
    for row in shown.children:
        now = wanted.get(row.id)
        if row.separator:
            rows.append(row)
        elif now is None or not _means_the_same(row, now):
            rows.append(_hold(replace(row, enabled=False), wanted))
        else:
            rows.append(_hold(replace(row, label=now.label, enabled=now.enabled), wanted))
    return replace(shown, children=tuple(rows))


def _means_the_same(one: Item, other: Item) -> bool:
    return (
        one.action == other.action
        and one.separator == other.separator
        and bool(one.children) == bool(other.children)
    )
