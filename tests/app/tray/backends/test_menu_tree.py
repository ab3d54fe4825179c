"""The numbers that panels know entries by."""

from __future__ import annotations

from claude_sync_app.tray.backends.menu_tree import Node, Numbers, difference
from claude_sync_app.tray.menu.model import Item
from claude_sync_app.tray.verbs import Action, Verb


def entry(name: str, label: str = "", verb: str = "") -> Item:
    return Item(name, label or name, action=Action(Verb.RESUME, verb or name))


def menu(*rows: Item) -> Item:
    return Item("menu", children=rows)


def by_label(tree: Node) -> dict[object, int]:
    return {node.properties.get("label"): node.number for node in tree.walk()}


def test_a_number_is_never_given_to_anything_else() -> None:
    numbers = Numbers()
    seen: dict[int, object] = {}
    for count in range(60):
        rows = [entry(f"s{(count * step) % 7}", verb=f"v{count % 3}") for step in range(1, 7)]
        for node in numbers.tree(menu(*rows)).walk():
            meaning = (node.properties.get("label"), node.action)
            assert seen.setdefault(node.number, meaning) == meaning


def test_what_was_away_comes_back_under_a_new_number() -> None:
    numbers = Numbers()
    first = by_label(numbers.tree(menu(entry("a"), entry("b"))))
    numbers.tree(menu(entry("b")))
    again = by_label(numbers.tree(menu(entry("a"), entry("b"))))
    assert again["b"] == first["b"]
    assert again["a"] not in first.values()


def test_two_entries_of_one_name_by_mistake_are_still_two() -> None:
    tree = Numbers().tree(menu(entry("a"), entry("a")))
    assert len({node.number for node in tree.walk()}) == 3


def test_what_is_inside_something_off_is_off_too() -> None:
    inside = Item("off", "Off", enabled=False, children=(entry("a"),))
    (off,) = Numbers().tree(menu(inside)).children
    assert off.children[0].action is None


def test_a_difference_names_what_changed_and_where_rows_are_other_ones() -> None:
    numbers = Numbers()
    sub = Item("sub", "Sub", children=(entry("x"), entry("y")))
    before = numbers.tree(menu(entry("a"), sub, Item("m", "M", checked=True)))
    sub = Item("sub", "Sub", children=(entry("y"), entry("x")))
    after = numbers.tree(menu(entry("a", "A"), sub, Item("m", "M", checked=False)))
    names = {number: label for label, number in by_label(after).items()}
    found = difference(before, after)
    assert [(names[n], p) for n, p in found.changed] == [
        ("A", {"label": "A"}),
        ("M", {"toggle-state": 0}),
    ]
    assert found.removed == []
    assert [names[n] for n in found.parents] == ["Sub"]
    assert difference(after, after) == ([], [], [])
