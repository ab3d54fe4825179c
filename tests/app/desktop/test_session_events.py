"""Sleep and log-out where the system waits for a function to return; on every system."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.session_events import Leaving, Return, Way
from claude_sync_app.desktop.session_events import windows as w
from claude_sync_app.desktop.session_events.delay import Delay
from claude_sync_app.desktop.session_events.macos import MacListener
from stand_in_macos import MacOS
from waiting import PATIENCE_SECONDS, until


class Heard:
    """What was told, and in which thread."""

    def __init__(self) -> None:
        self.leaving: list[Leaving] = []
        self.returned: list[Return] = []
        self.opened: list[Path] = []
        self.threads: set[str] = set()

    def leave(self, leaving: Leaving) -> None:
        self.threads.add(threading.current_thread().name)
        self.leaving.append(leaving)

    def come_back(self, why: Return) -> None:
        self.threads.add(threading.current_thread().name)
        self.returned.append(why)

    def open(self, file: Path) -> None:
        self.threads.add(threading.current_thread().name)
        self.opened.append(file)


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    loop.start()
    yield loop
    loop.stop()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def delay(loop: Loop, heard: Heard) -> Delay:
    return Delay(loop, heard.leave, heard.come_back)


class InTheSystemsThread:
    """Calls a function in a thread, as a system does, and knows whether it still waits."""

    def __init__(self, function: object) -> None:
        self.answers: list[object] = []
        assert callable(function)
        self._thread = threading.Thread(target=lambda: self.answers.append(function()))
        self._thread.start()

    def end(self) -> object:
        self._thread.join(PATIENCE_SECONDS)
        (answer,) = self.answers
        return answer


@pytest.mark.parametrize(
    ("message", "what", "way", "seconds", "answered"),
    [
        (w.WM_ENDSESSION, 1, Way.SHUTDOWN, w.SECONDS_AT_AN_END, 0),
        (w.WM_POWERBROADCAST, w.PBT_APMSUSPEND, Way.SLEEP, w.SECONDS_BEFORE_SLEEP, 1),
    ],
)
def test_windows_waits_until_what_fits_is_pushed(
    delay: Delay, heard: Heard, message: int, what: int, way: Way, seconds: float, answered: int
) -> None:
    system = InTheSystemsThread(lambda: w.answer(delay, message, what))
    until(lambda: len(heard.leaving) == 1)
    (leaving,) = heard.leaving
    assert (leaving.way, leaving.seconds, system.answers) == (way, seconds, [])
    leaving.release()
    assert system.end() == answered
    assert heard.threads != {threading.current_thread().name}


def test_it_waits_no_longer_than_the_system_gives(delay: Delay, heard: Heard) -> None:
    delay.leave(Way.SLEEP, 0.01)
    until(lambda: len(heard.leaving) == 1)


def test_windows_keeps_nobody_from_logging_out_and_wakes_the_rest(
    delay: Delay, heard: Heard
) -> None:
    assert w.answer(delay, w.WM_QUERYENDSESSION, 0) == 1
    assert w.answer(delay, w.WM_ENDSESSION, 0) == 0  # somebody else refused: nobody leaves
    assert w.answer(delay, w.WM_POWERBROADCAST, w.PBT_APMRESUMEAUTOMATIC) == 1
    assert w.answer(delay, w.WM_WTSSESSION_CHANGE, w.WTS_SESSION_UNLOCK) == 0
    assert w.answer(delay, w.WM_WTSSESSION_CHANGE, 7) == 0  # locked
    assert w.answer(delay, 0x0400, 1) is None
    until(lambda: len(heard.returned) == 2)
    assert heard.returned == [Return.WOKE, Return.UNLOCKED]
    assert heard.leaving == []


def test_macos_tells_its_observer_and_asks_its_delegate(
    loop: Loop, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    macos = MacOS(monkeypatch)
    listener = MacListener(loop, heard.leave, heard.come_back, heard.open)
    listener.start()
    asked = [call.args for call in macos.centre.addObserver_selector_name_object_.call_args_list]
    by_name = {
        name: getattr(observer, selector.decode()[:-1] + "_")
        for observer, selector, name, _ in asked
    }
    (delegate,) = macos.application.setDelegate_.call_args.args

    for told, way in (
        (by_name[macos.appkit.NSWorkspaceWillSleepNotification], Way.SLEEP),
        (delegate.applicationShouldTerminate_, Way.SHUTDOWN),
    ):
        system = InTheSystemsThread(lambda told=told: told(None))
        until(lambda: len(heard.leaving) == 1)
        assert (heard.leaving[0].way, system.answers) == (way, [])
        heard.leaving.pop().release()
        assert system.end() in (None, 1)
    by_name[macos.appkit.NSWorkspaceDidWakeNotification](None)
    by_name[macos.appkit.NSWorkspaceSessionDidBecomeActiveNotification](None)
    until(lambda: heard.returned == [Return.WOKE, Return.UNLOCKED])
    delegate.application_openFiles_(macos.application, ["/Users/me/a.ccsync", "/tmp/b c.ccsync"])
    macos.application.replyToOpenOrPrint_.assert_called_once_with(
        0
    )  # NSApplicationDelegateReplySuccess
    until(lambda: heard.opened == [Path("/Users/me/a.ccsync"), Path("/tmp/b c.ccsync")])
    assert threading.current_thread().name not in heard.threads
    listener.stop()
    macos.centre.removeObserver_.assert_called_once_with(delegate)
    assert macos.application.setDelegate_.call_args.args == (None,)
    listener.stop()
