"""What reaches the service's thread, and in which order."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from claude_sync.service.mailbox import Command, Hint, Mailbox, Rest
from claude_sync.service.watch import Area
from waiting import until

FOR_EVER = 100_000.0
"""Seconds that no test is given: one that waits so long is stopped, and fails."""


def mailbox_after_hints() -> Mailbox:
    """One of which hints were taken out a moment ago, so that the next ones gather."""
    mailbox = Mailbox()
    mailbox.put(Hint(Area.SESSION, "/before"))
    assert mailbox.receive(FOR_EVER) == [Hint(Area.SESSION, "/before")]
    return mailbox


def test_the_same_event_twice_is_one_message() -> None:
    mailbox = Mailbox()
    for _ in range(1000):
        mailbox.put(Hint(Area.SESSION, "/a"))
    mailbox.put(Hint(Area.SESSION, "/b"))
    assert mailbox.receive(1.0) == [Hint(Area.SESSION, "/a"), Hint(Area.SESSION, "/b")]


def test_the_first_event_after_a_while_waits_for_no_others_and_those_after_it_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("claude_sync.service.mailbox._GATHER_SECONDS", FOR_EVER)
    mailbox = mailbox_after_hints()
    mailbox.put(Hint(Area.SESSION, "/a"))
    assert mailbox.receive(0.0) == [Hint(Area.SESSION, "/a")]  # what else is due takes them along
    mailbox.put(Hint(Area.SESSION, "/a"))
    timer = threading.Timer(0.01, mailbox.wake)
    timer.start()
    assert mailbox.receive(FOR_EVER) == [Hint(Area.SESSION, "/a")]
    timer.join()


@pytest.mark.parametrize("area", [Area.LIVE, Area.STORE])
def test_what_somebody_waits_for_gathers_for_a_shorter_time(
    monkeypatch: pytest.MonkeyPatch, area: Area
) -> None:
    monkeypatch.setattr("claude_sync.service.mailbox._GATHER_SECONDS", FOR_EVER)
    mailbox = mailbox_after_hints()
    hints = [Hint(Area.SESSION, "/a"), Hint(area, "/b")]
    for hint in hints:
        mailbox.put(hint)
    assert mailbox.receive(FOR_EVER) == hints


def test_a_command_does_not_wait_for_events_to_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claude_sync.service.mailbox._GATHER_SECONDS", FOR_EVER)
    mailbox = mailbox_after_hints()
    command = Command("push", lambda: None, Future())
    mailbox.put(Hint(Area.SESSION, "/a"))
    mailbox.put(command)
    assert mailbox.receive(FOR_EVER)[0] is command


def test_a_wait_is_ended_by_wake_and_after_close_nothing_is_taken() -> None:
    mailbox = Mailbox()
    received: list[object] = []
    waiting = threading.Thread(target=lambda: received.append(mailbox.receive(FOR_EVER)))
    waiting.start()
    mailbox.wake()
    waiting.join()
    assert received == [[]]
    command = Command("push", lambda: None, Future())
    mailbox.put(command)
    assert mailbox.holds()
    assert mailbox.holds({"push"})
    assert not mailbox.holds({"pause"})
    assert mailbox.close() == [command]
    assert not mailbox.put(command)
    until(lambda: not mailbox.holds())


def test_what_the_client_says_does_not_wait_for_events_to_gather(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("claude_sync.service.mailbox._GATHER_SECONDS", FOR_EVER)
    mailbox = mailbox_after_hints()
    mailbox.put(Hint(Area.SESSION, "/a"))
    for _ in range(1000):
        mailbox.put(Rest("x", closed=True))
    assert mailbox.receive(FOR_EVER) == [Rest("x", closed=True), Hint(Area.SESSION, "/a")]


def test_a_client_that_never_ends_talking_fills_nothing() -> None:
    mailbox = Mailbox()
    taken = [mailbox.put(Rest(str(number), closed=False)) for number in range(5000)]
    assert 0 < sum(taken) < 5000
    assert len(mailbox.receive(1.0)) == sum(taken)
