"""Notifications that can be answered, over a real bus, with a small server and with dunst."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_sync_app.desktop import notifications
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.notifications import (
    Answer,
    AnswerKind,
    Button,
    Notification,
    osascript,
)
from desktop.notification_servers import Dunst, NotificationServer
from desktop.programs import Heard, PrivateBus, Programs
from waiting import until

ARRIVAL = Notification(
    "arrival",
    "1 session arrived",
    "Fix the login bug — from desktop, 2 minutes ago",
    (Button("pull", "Pull"), Button("both", "Pull and resume"), Button("later", "Later")),
)


class Notifier:
    def __init__(self, loop: Loop) -> None:
        self.answers: Heard[Answer] = Heard()
        self.notifier = notifications.choose("claude-sync", loop, self.answers)
        self.show = self.notifier.show


@pytest.fixture
def start(loop: Loop) -> Iterator[Callable[[], Notifier]]:
    started: list[Notifier] = []

    def start() -> Notifier:
        started.append(Notifier(loop))
        return started[-1]

    yield start
    for notifier in started:
        notifier.notifier.close()


@pytest.fixture
def server(bus: PrivateBus) -> Iterator[NotificationServer]:
    server = NotificationServer(bus.address)
    yield server
    server.close()


@pytest.fixture
def notifier(server: NotificationServer, start: Callable[[], Notifier]) -> Notifier:
    return start()


def test_a_notification_is_shown_with_its_buttons(
    notifier: Notifier, server: NotificationServer
) -> None:
    notifier.show(ARRIVAL)
    assert notifier.answers.wait() == [Answer("arrival", AnswerKind.SHOWN)]
    (shown,) = server.shown
    assert Path(shown.pop("icon").removeprefix("file://")).is_file()
    assert shown == {
        "number": 1,
        "application": "claude-sync",
        "summary": "1 session arrived",
        "body": "Fix the login bug — from desktop, 2 minutes ago",
        "actions": {"default": "", "pull": "Pull", "both": "Pull and resume", "later": "Later"},
        "urgency": 1,
    }
    assert notifier.notifier.has_buttons


@pytest.mark.parametrize(
    ("pressed", "answer"),
    [
        ("both", Answer("arrival", AnswerKind.BUTTON, "both")),
        ("default", Answer("arrival", AnswerKind.BODY)),
    ],
)
def test_what_is_pressed_is_answered_once(
    notifier: Notifier, server: NotificationServer, pressed: str, answer: Answer
) -> None:
    notifier.show(ARRIVAL)
    notifier.answers.wait()
    server.press(1, pressed)
    server.press(1, pressed)
    server.dismiss(1)
    notifier.show(Notification("next", "Next"))
    assert notifier.answers.wait(3)[1:] == [answer, Answer("next", AnswerKind.SHOWN)]


def test_where_many_buttons_become_a_list_to_choose_from_there_are_fewer(
    bus: PrivateBus, start: Callable[[], Notifier]
) -> None:
    """LXQt shows so many as a list and a button OK, which are three clicks."""
    server = NotificationServer(bus.address, "lxqt-notificationd")
    try:
        notifier = start()
        notifier.show(ARRIVAL)
        (shown,) = server.shown.wait()
        assert shown["actions"] == {"default": "", "pull": "Pull", "both": "Pull and resume"}
        notifier.answers.wait()
        server.press(1, "both")
        assert notifier.answers.wait(2)[1] == Answer("arrival", AnswerKind.BUTTON, "both")
    finally:
        server.close()


@pytest.mark.parametrize("pressed", ["both", "default"])
def test_what_was_answered_is_taken_away_where_it_does_not_go_by_itself(
    notifier: Notifier, server: NotificationServer, pressed: str
) -> None:
    """mako leaves it on the screen."""
    notifier.show(ARRIVAL)
    notifier.answers.wait()
    server.press(1, pressed)
    assert server.closed.wait() == [1]


def test_a_dismissal_is_told_from_an_end_by_itself(
    notifier: Notifier, server: NotificationServer
) -> None:
    for key in ("one", "two"):
        notifier.show(Notification(key, key))
    notifier.answers.wait(2)
    server.expire(1)
    server.dismiss(2)
    assert notifier.answers.wait(3)[2:] == [Answer("two", AnswerKind.DISMISSED)]


def test_one_is_withdrawn_when_there_is_nothing_left_to_answer(
    notifier: Notifier, server: NotificationServer
) -> None:
    notifier.show(ARRIVAL)
    notifier.answers.wait()
    notifier.notifier.withdraw("unknown")
    notifier.notifier.withdraw("arrival")
    assert server.closed.wait() == [1]
    notifier.notifier.withdraw("arrival")


def test_one_of_the_same_key_takes_the_place_of_the_last(
    notifier: Notifier, server: NotificationServer
) -> None:
    notifier.show(ARRIVAL)
    notifier.show(ARRIVAL)
    server.shown.wait(2)
    assert server.closed.wait() == [1]


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("<b>bold</b> & &amp;", "<b>bold</b> & &amp;", "&lt;b&gt;bold&lt;/b&gt; &amp; &amp;amp;"),
        ("a\x1b[31m\u202eb", "a[31mb", "a[31mb"),
        ("one\ntwo", "one two", "one\ntwo"),
        ("😀 שלום", "😀 שלום", "😀 שלום"),
        ("x" * 300, "x" * 300, "x" * 300),
        ("\ud800", "", ""),
    ],
)
def test_other_peoples_text_is_shown_as_text(
    notifier: Notifier, server: NotificationServer, text: str, title: str, body: str
) -> None:
    notifier.show(Notification("n", text, text))
    (shown,) = server.shown.wait()
    assert (shown["summary"], shown["body"]) == (title, body)


def test_an_urgent_one_says_so(notifier: Notifier, server: NotificationServer) -> None:
    notifier.show(Notification("n", "Conflict", urgent=True))
    assert server.shown.wait()[0]["urgency"] == 2


def test_without_a_daemon_it_says_so_and_finds_one_that_starts_later(
    bus: PrivateBus, start: Callable[[], Notifier]
) -> None:
    notifier = start()
    notifier.show(ARRIVAL)
    assert notifier.answers.wait() == [Answer("arrival", AnswerKind.FAILED)]
    server = NotificationServer(bus.address)
    try:
        notifier.show(ARRIVAL)
        assert notifier.answers.wait(2)[1] == Answer("arrival", AnswerKind.SHOWN)
    finally:
        server.close()


def test_without_a_bus_it_says_so_and_goes_on(no_bus: None, start: Callable[[], Notifier]) -> None:
    notifier = start()
    notifier.show(ARRIVAL)
    notifier.show(Notification("next", "Next"))
    assert notifier.answers.wait(2) == [
        Answer("arrival", AnswerKind.FAILED),
        Answer("next", AnswerKind.FAILED),
    ]


def test_nothing_of_what_it_says_reaches_a_log(
    no_bus: None, start: Callable[[], Notifier], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    notifier = start()
    notifier.show(Notification("n", "a secret title", "a secret body"))
    notifier.answers.wait()
    assert "secret" not in caplog.text


@pytest.fixture
def dunst(programs: Programs, bus: PrivateBus, display: str, tmp_path: Path) -> Dunst:
    return Dunst(programs, tmp_path)


def test_dunst_shows_titles_as_they_are_and_its_buttons_are_answered(
    dunst: Dunst, start: Callable[[], Notifier]
) -> None:
    notifier = start()
    notifier.show(Notification("n", "<i>Fix</i> & run", "a < b & <b>c</b>", ARRIVAL.buttons))
    (shown,) = until(dunst.shown)
    assert shown["app_name"] == "claude-sync"
    assert "<i>Fix</i> & run" in shown["summary"]
    assert shown["body"] == "a &lt; b &amp; &lt;b&gt;c&lt;/b&gt;"
    dunst.press("Pull and resume")
    assert notifier.answers.wait(2)[1] == Answer("n", AnswerKind.BUTTON, "both")
    dunst.dismiss()

    notifier.show(ARRIVAL)
    until(dunst.shown, lambda shown: len(shown) == 2)
    dunst.click_body()
    assert notifier.answers.wait(4)[3] == Answer("arrival", AnswerKind.BODY)
    dunst.dismiss()

    notifier.show(ARRIVAL)
    until(dunst.shown, lambda shown: len(shown) == 3)
    dunst.dismiss()
    assert notifier.answers.wait(6)[5] == Answer("arrival", AnswerKind.DISMISSED)


def test_on_macos_outside_a_bundle_texts_are_arguments_and_never_script() -> None:
    title, body = '-e do shell script "rm"', 'a"b\\c\n$(touch x)\x07'
    command = osascript.command("claude-sync", Notification("n", title, body, ARRIVAL.buttons))
    assert command[:2] == ["osascript", "-e"]
    assert command[-3:] == ["claude-sync", title, 'a"b\\c\n$(touch x)']
    assert not any("touch" in argument for argument in command[:-3])
