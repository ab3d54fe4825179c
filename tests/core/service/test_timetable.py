"""When work is due, by a clock to turn."""

from __future__ import annotations

import pytest

from claude_sync.service.timetable import LOOK, Timetable


def test_a_sleep_of_the_machine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    now, wall = 1000.0, 5000.0
    monkeypatch.setattr("claude_sync.service.timetable.time.time", lambda: wall)
    timetable = Timetable(lambda: now)
    assert timetable.is_due(LOOK)
    timetable.due_in(LOOK, 60.0)
    assert not timetable.is_due(LOOK)
    timetable.begin_wait([])
    now, wall = now + 3, wall + 3
    assert not timetable.slept()
    timetable.begin_wait([])
    now, wall = now + 3, wall + 3600
    assert timetable.slept()
    timetable.due_now(LOOK)
    assert timetable.is_due(LOOK)
