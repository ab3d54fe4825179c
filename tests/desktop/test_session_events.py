"""Sleep, shutdown, unlock and network, from a logind on a bus of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from claude_sync_app.desktop import session_events
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.session_events import Leaving, Return, Way
from desktop.logind import Logind
from desktop.programs import Heard, PrivateBus
from waiting import PATIENCE_SECONDS, until


class Ears:
    def __init__(self, loop: Loop) -> None:
        self.leaving: Heard[Leaving] = Heard()
        self.returned: Heard[Return] = Heard()
        listener = session_events.choose(
            "claude-sync", loop, self.leaving, self.returned, opened=print
        )
        assert listener is not None
        self.listener = listener
        listener.start()


@pytest.fixture
def ears(logind: Logind, loop: Loop) -> Iterator[Ears]:
    ears = Ears(loop)
    logind.asked.wait()
    yield ears
    ears.listener.stop()


def test_it_asks_for_a_delay_and_says_why(logind: Logind, ears: Ears) -> None:
    assert logind.asked == [("sleep:shutdown", "claude-sync", "Pushing changed sessions", "delay")]
    assert logind.is_held()


def test_sleep_waits_until_it_is_released_and_a_wake_asks_anew(
    logind: Logind, ears: Ears, loop: Loop
) -> None:
    logind.sleep(True)
    leaving = until(lambda: [one for one in list(ears.leaving) if one.seconds])[0]
    assert (leaving.way, leaving.seconds) == (Way.SLEEP, 8.0)
    assert logind.is_held()
    leaving.release()
    leaving.release()
    until(lambda: not logind.is_held())

    logind.sleep(False)
    assert ears.returned.wait() == [Return.WOKE]
    logind.asked.wait(2)
    leaving.release()
    loop.submit(asyncio.sleep(0)).result(PATIENCE_SECONDS)
    assert logind.is_held(), "the lock of last time isn't this one"


def test_a_shutdown_that_is_called_off_is_waited_for_again(logind: Logind, ears: Ears) -> None:
    logind.shut_down(True)
    assert ears.leaving.wait()[0].way is Way.SHUTDOWN
    logind.shut_down(False)
    logind.asked.wait(2)
    logind.unlock()
    assert ears.returned.wait() == [Return.UNLOCKED], "nothing was slept through"


def test_coming_back_is_a_moment_to_look(logind: Logind, ears: Ears) -> None:
    logind.hint(True)
    logind.hint(False)
    logind.unlock()
    logind.network(20)
    logind.network(70)
    assert ears.returned.wait(3) == [Return.UNLOCKED, Return.UNLOCKED, Return.NETWORK]


def test_a_logind_that_starts_late_is_asked_too(system_bus: PrivateBus, loop: Loop) -> None:
    ears = Ears(loop)
    until(lambda: ears.listener._bus is not None)  # type: ignore[attr-defined]
    logind = Logind(system_bus.address)
    try:
        logind.asked.wait()
    finally:
        ears.listener.stop()
        logind.close()


def test_without_a_system_bus_nothing_happens(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
    ears = Ears(loop)
    ears.listener.stop()
    assert (ears.leaving, ears.returned) == ([], [])


def test_a_lock_that_is_lent_while_the_machine_goes_to_sleep_is_not_kept(
    logind: Logind, loop: Loop
) -> None:
    logind.sleep_when_asked()
    ears = Ears(loop)
    try:
        until(lambda: any(one.seconds > 0 for one in list(ears.leaving)))
        ears.leaving[-1].release()
        until(lambda: not logind.is_held())
    finally:
        ears.listener.stop()
