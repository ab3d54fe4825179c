"""What may change in a menu while it is open."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from claude_sync_app.tray.menu.model import Item, separator, update_in_place, walk
from claude_sync_app.tray.verbs import Action, Verb


def entry(name: str, label: str = "", *children: Item, enabled: bool = True) -> Item:
    action = None if children else Action(Verb.RESUME, name)
    return Item(name, label or name, enabled=enabled, action=action, children=children)


def menu(*rows: Item) -> Item:
    return Item("menu", children=rows)


def outline(item: Item) -> list[object]:
    return [(row.label, row.enabled, outline(row)) for row in item.children]


def test_labels_and_enabling_change() -> None:
    shown = menu(entry("push", "Push 3 sessions"), entry("pull"))
    wanted = menu(entry("push", "Pushing…", enabled=False), entry("pull"))
    assert update_in_place(shown, wanted) == wanted


def test_rows_stay_in_their_order_and_nothing_appears() -> None:
    shown = menu(entry("a"), separator("line"), entry("b"))
    wanted = menu(entry("b", "B"), entry("new"), entry("a", "A"), separator("other line"))
    assert outline(update_in_place(shown, wanted)) == [
        ("A", True, []),
        ("", True, []),
        ("B", True, []),
    ]


def test_what_is_gone_stays_and_can_not_be_clicked() -> None:
    held = update_in_place(menu(entry("recent", "", entry("fix"))), menu(entry("quit")))
    assert outline(held) == [("recent", False, [("fix", False, [])])]


def test_what_means_something_else_by_now_can_not_be_clicked() -> None:
    shown = menu(Item("pause", "Pause", action=Action(Verb.PAUSE)))
    wanted = menu(Item("pause", "Resume syncing", action=Action(Verb.RESUME)))
    assert outline(update_in_place(shown, wanted)) == [("Pause", False, [])]
    assert outline(update_in_place(menu(entry("x")), menu(entry("x", "X", entry("y"))))) == [
        ("x", False, [])
    ]


def test_a_row_that_moved_into_another_menu_is_still_itself() -> None:
    shown = menu(entry("recent", "", entry("fix")))
    wanted = menu(entry("recent", "", entry("other")), entry("conflicts", "", entry("fix", "Fix")))
    assert outline(update_in_place(shown, wanted)) == [("recent", True, [("Fix", True, [])])]


def test_marks_stay_as_they_are_until_the_menu_is_closed() -> None:
    row = Item("ask", "Ask me", checked=True, radio=True)
    (held,) = update_in_place(
        menu(row), menu(Item("ask", "Ask", checked=False, radio=True))
    ).children
    assert (held.label, held.checked) == ("Ask", True)


ITEMS = st.recursive(
    st.builds(Item, st.sampled_from("abcdef"), st.text(max_size=3), st.booleans()),
    lambda children: st.builds(
        Item,
        st.sampled_from("abcdef"),
        st.text(max_size=3),
        st.booleans(),
        children=st.lists(children, max_size=3).map(tuple),
    ),
    max_leaves=8,
)


@given(ITEMS, ITEMS)
def test_held_twice_is_held_once_and_the_rows_are_those_shown(shown: Item, wanted: Item) -> None:
    held = update_in_place(shown, wanted)
    assert [item.id for item in walk(held)] == [item.id for item in walk(shown)]
    assert update_in_place(held, wanted) == held
    same = update_in_place(shown, shown)
    if len({item.id for item in walk(shown)}) == len(list(walk(shown))):
        assert same == shown
