"""A watching service notices when only a task list or a plan changes, here or elsewhere."""

from __future__ import annotations

import pytest

from claude_sync.service import schedule, timetable
from machines import SESSION, World, opened, said
from services import prepare, serving
from waiting import until


@pytest.mark.parametrize(
    ("path", "name"), [(f"tasks/{SESSION}/1.json", "@tasks/1.json"), ("plans/otter.md",) * 2]
)
def test_a_change_of_the_task_list_or_the_plan_alone_is_pushed_when_it_is_quiet(
    world: World, path: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = world.machine("laptop")
    prepare(laptop)
    # A folder that is made while it runs is found as often as its health is looked at.
    monkeypatch.setattr(schedule, "HEALTH_SECONDS", 0.1)
    monkeypatch.setattr(timetable, "_LONGEST_WAIT_SECONDS", 0.1)
    laptop.write(SESSION, said(slug="otter"))
    with serving(laptop) as service:
        until(laptop.bundle().exists)
        for text in (b"first", b"second"):
            laptop.write_companion(path, text)
            until(lambda text=text: text in opened(laptop.bundle()).sidecar.values())  # type: ignore[misc]
        assert name.removeprefix("plans/") in "".join(opened(laptop.bundle()).sidecar)
        until(lambda: service.status.sessions and not service.status.to_push)


def test_a_change_of_the_task_list_alone_arrives(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    prepare(laptop)
    task = f"tasks/{SESSION}/1.json"
    desktop.write(SESSION, said())
    desktop.write_companion(task, b"to do")
    desktop.push()
    laptop.pull()
    with serving(laptop, on_arrival="ask") as service:
        assert not service.status.arrivals
        desktop.write_companion(task, b"done")
        desktop.push()
        until(lambda: service.status.arrivals)
        (arrival,) = service.status.arrivals
        assert (arrival.session_id, arrival.machine, arrival.here) == (SESSION, "desktop", True)
        assert laptop.companions() == {task: b"to do"}
    with serving(laptop, on_arrival="pull") as service:
        until(lambda: laptop.companions() == {task: b"done"})
        until(lambda: not service.status.arrivals)
