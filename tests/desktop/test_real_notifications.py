"""Our notifications in the programs of several desktops that show them, by mouse.

Left out unless asked for with ``-m slow``; dunst is in test_notifications.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import ImageChops

from claude_sync_app.desktop import notifications
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.notifications import (
    Answer,
    AnswerKind,
    Button,
    Notification,
    Notifier,
)
from desktop.other_panels import Sway, start_notifications
from desktop.programs import Heard, PrivateBus, Programs
from desktop.xfce import configuration_daemon
from waiting import until

pytestmark = pytest.mark.slow

BUTTONS = (Button("pull", "Pull"), Button("both", "Pull and resume"), Button("later", "Later"))
TRICKY = Notification("n", "<i>Fix</i> & run", "a < b & <b>c</b>\nsecond line", BUTTONS)
_SLIDES = 1.5
"""How much of its height one that is moved or faded may seem to change."""


@pytest.fixture
def answers() -> Heard[Answer]:
    return Heard()


@pytest.fixture
def notifier(loop: Loop, bus: PrivateBus, answers: Heard[Answer]) -> Iterator[Notifier]:
    """Ours, on the test's bus."""
    notifier = notifications.choose("claude-sync", loop, answers)
    yield notifier
    notifier.close()


def show(notifier: Notifier, answers: Heard[Answer]) -> None:
    """Show one; again until the program that shows them, which was just started, is there."""

    def is_shown() -> bool:
        before = len(answers)
        notifier.show(TRICKY)
        return answers.wait(before + 1)[before] == Answer("n", AnswerKind.SHOWN)

    until(is_shown)


@pytest.mark.parametrize(
    ("command", "environment", "clicked"),
    [
        (
            ["/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd"],
            {},
            # It would make a button of what a click on the body does, so it isn't told of it.
            AnswerKind.DISMISSED,
        ),
        (
            ["/usr/lib/mate-notification-daemon/mate-notification-daemon"],
            {},
            AnswerKind.BODY,
        ),
        (["lxqt-notificationd"], {"QT_QPA_PLATFORM": "xcb"}, AnswerKind.BODY),
    ],
    ids=["Xfce", "MATE", "LXQt"],
)
@pytest.mark.usefixtures("display", "bus")
def test_in_each_desktop_one_gives_way_to_the_next_is_taken_away_and_is_clicked(
    programs: Programs,
    notifier: Notifier,
    answers: Heard[Answer],
    request: pytest.FixtureRequest,
    command: list[str],
    environment: dict[str, str],
    clicked: AnswerKind,
) -> None:
    if "xfce4" in command[0]:
        programs.start([configuration_daemon()])
    screen = start_notifications(programs, command, environment)
    empty = screen.settled()

    show(notifier, answers)
    alone = screen.await_change(empty)
    screen.keep(f"notification-tricky-{request.node.callspec.id}")
    show(notifier, answers)
    again = screen.await_change(empty)
    assert again[3] - again[1] < _SLIDES * (alone[3] - alone[1]), "there is one, not two"

    notifier.withdraw("n")
    until(lambda: ImageChops.difference(empty, screen.settled()).getbbox() is None)

    show(notifier, answers)
    left, top, right, bottom = screen.await_change(empty)
    said = len(answers)
    screen.click((left + right) // 2, top + (bottom - top) // 3)
    assert answers.wait(said + 1)[said:] == [Answer("n", clicked)]


@pytest.fixture
def sway(programs: Programs, bus: PrivateBus, tmp_path: Path) -> Sway:
    return Sway(programs, tmp_path)


def test_mako_shows_texts_as_they_are_and_is_answered(
    sway: Sway, notifier: Notifier, answers: Heard[Answer]
) -> None:
    sway.start("mako")

    show(notifier, answers)
    (shown,) = until(sway.shown)
    assert shown["summary"] == "<i>Fix</i> & run"
    assert shown["body"] == "a &lt; b &amp; &lt;b&gt;c&lt;/b&gt;\nsecond line"
    assert shown["actions"] == {"default": "", **dict(BUTTONS)}

    show(notifier, answers)
    (again,) = sway.shown()
    assert again["id"] != shown["id"], "the next took its place"
    notifier.withdraw("n")
    until(lambda: not sway.shown())

    def answered(*arguments: str) -> Answer:
        show(notifier, answers)
        said = len(answers)
        (one,) = until(sway.shown)
        sway.answer(*arguments[:1], "-n", str(one["id"]), *arguments[1:])
        until(lambda: not sway.shown())  # mako leaves it, with its buttons
        return answers.wait(said + 1)[said]

    assert answered("invoke", "both") == Answer("n", AnswerKind.BUTTON, "both")
    assert answered("invoke", "default") == Answer("n", AnswerKind.BODY)
    assert answered("dismiss") == Answer("n", AnswerKind.DISMISSED)
