"""The icon of macOS, as far as what it asks AppKit for tells."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from capabilities import require_posix
from claude_sync_app.tray.backends.macos import new_icon
from stand_in_macos import MacOS

_LEFT, _RIGHT = 2, 4
_CONTROL = 1 << 18


@pytest.fixture
def macos(monkeypatch: pytest.MonkeyPatch) -> MacOS:
    return MacOS(monkeypatch)


@pytest.fixture
def icon(macos: MacOS) -> Any:
    icon = new_icon("claude-sync")
    icon.clicked = 0

    def click(*_: object) -> None:
        icon.clicked += 1

    from pystray import Menu, MenuItem

    icon._menu = Menu(MenuItem("", click, default=True, visible=False), MenuItem("Quit", click))
    return icon


def test_it_has_no_place_in_the_dock(macos: MacOS, icon: Any) -> None:
    accessory = macos.appkit.NSApplicationActivationPolicyAccessory
    macos.application.setActivationPolicy_.assert_called_once_with(accessory)


def test_ctrl_c_and_a_signal_end_it_in_order(macos: MacOS, icon: Any) -> None:
    require_posix("the signals of POSIX")
    during: list[set[int]] = []
    macos.application.run.side_effect = lambda: during.append(set(macos.signals))
    icon._run()
    (heard,) = during
    assert {signal.SIGTERM, signal.SIGINT} <= heard
    macos.application.terminate_.assert_not_called()
    stopped: list[str] = []
    icon.stop = lambda: stopped.append("by a signal")
    macos.signals[signal.SIGINT](signal.SIGINT)
    assert stopped == ["by a signal"]
    macos.application.terminate_.assert_not_called()


def test_a_click_asks_for_what_is_preferred_and_the_right_button_for_the_menu(
    macos: MacOS, icon: Any
) -> None:
    item = icon._status_item
    icon._update_menu()
    menu, _ = icon._menu_handle
    assert item.setMenu_.call_args.args == (menu,)  # it opens by itself
    icon.click_opens_menu = False
    icon._update_menu()
    menu, _ = icon._menu_handle
    assert item.setMenu_.call_args.args == (None,)

    event = macos.application.currentEvent()
    event.modifierFlags.return_value, event.type.return_value = 0, _LEFT
    icon()
    assert icon.clicked == 1
    item.button().performClick_.assert_not_called()
    for flags, kind in ((0, _RIGHT), (_CONTROL, _LEFT)):
        event.modifierFlags.return_value, event.type.return_value = flags, kind
        item.setMenu_.reset_mock()
        icon()
        assert [call.args for call in item.setMenu_.call_args_list] == [(menu,), (None,)]
    assert item.button().performClick_.call_count == 2
    assert icon.clicked == 1
