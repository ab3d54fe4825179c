"""A system whose notifications can't be had says so each time, and is asked again the next."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator

import pytest

from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.notifications import Answer, AnswerKind, Notification
from claude_sync_app.desktop.notifications.library import LibraryNotifier
from waiting import until


class _Refusing:
    """Stands for the library on a Windows without its notification service (Server, LTSC)."""

    def __init__(self) -> None:
        self.asked = 0
        self.Icon = types.SimpleNamespace

    def DesktopNotifier(self, *_: object) -> None:  # noqa: N802 -- the library's name
        self.asked += 1
        raise OSError("the notification service isn't there")


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    loop.start()
    yield loop
    loop.stop()


def test_a_windows_without_its_service_says_so(loop: Loop) -> None:
    answers: list[Answer] = []
    heard: Callable[[Answer], None] = answers.append
    notifier = LibraryNotifier("claude-sync", loop, heard, body_is_markup=False)
    library = _Refusing()
    notifier._library = library
    notifier.show(Notification("one", "One"))
    notifier.show(Notification("two", "Two"))
    until(lambda: len(answers) == 2)
    assert answers == [Answer("one", AnswerKind.FAILED), Answer("two", AnswerKind.FAILED)]
    assert library.asked == 2
    notifier.close()
