"""How the window words and reads preferences: all that there are, and nothing that there isn't."""

from __future__ import annotations

import pytest

from claude_sync.state import preferences
from claude_sync.state.preference_kinds import KINDS, Notifications
from claude_sync.state.preferences import Preferences
from claude_sync_app.window.preference_texts import (
    CONTROLS,
    SET_ELSEWHERE,
    from_typed,
    shown_groups,
)


def test_every_preference_can_be_set_in_the_window() -> None:
    notices = {f"notifications.{kind}" for kind in Notifications._fields}
    assert (set(KINDS) - SET_ELSEWHERE) | notices == set(CONTROLS)


def test_what_a_control_shows_is_read_as_what_it_was() -> None:
    chosen = Preferences(
        on_arrival="pull",
        quiet_seconds=0.5,
        terminal=("my terminal", "-e"),
        ssh_command=("/opt/an ssh/ssh",),
        ignore=("git:example.org/*", "name:[x]"),
        push_on_change=False,
    )
    for _, shown in shown_groups(chosen):
        for one in shown:
            key = one.text.key
            read = preferences.parse_value(key, from_typed(key, one.value))
            wanted = preferences.value_of(chosen, key)
            assert read == wanted or (read in (None, []) and wanted in (None, [])), key


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("terminal", "xterm", ["xterm"]),
        ("terminal", "  ", None),
        ("terminal", '["xterm", "-e"]', ["xterm", "-e"]),
        ("projects_roots", " /a \n\n/b c\n", ["/a", "/b c"]),
        ("ignore", "", []),
        ("quiet_seconds", "", None),
        ("quiet_seconds", " 2.5 ", 2.5),
        ("notifications.arrival", "false", False),
    ],
)
def test_what_is_typed_is_read(key: str, typed: str, value: object) -> None:
    assert preferences.parse_value(key, from_typed(key, typed)) == value
