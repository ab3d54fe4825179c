"""What is kept though Claude Code deleted it here, and what it is about to delete."""

from __future__ import annotations

import json
import shutil

import pytest

from claude_sync.model import SessionState, State
from claude_sync.sync.kept import Keeping, deleted_soon, keeping
from claude_sync.sync.pull import pull
from machines import KEY, OTHER, SESSION, PlayedMachine, World, said

DAY_NS = 86_400 * 10**9
THIRD = "2b3c4d5e-1111-4222-8333-444455556666"
NOW_NS = 1_800_000_000 * 10**9


def kept_at(machine: PlayedMachine) -> Keeping:
    with machine.at_work() as context:
        return keeping(context)


def a_state(days_old: float, **more: object) -> SessionState:
    mtime_ns = NOW_NS - int(days_old * DAY_NS)
    values: dict[str, object] = {
        "title": "",
        "project_key": KEY,
        "directory": None,
        "size": 1,
        "state": State.SYNCED,
    }
    values |= {"path": "here", "mtime_ns": mtime_ns, **more}
    return SessionState(SESSION, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "due_in_days"),
    [
        (a_state(22.9), None),
        (a_state(23.1), 6.9),
        (a_state(40), -10),
        (a_state(40, open=True), None),
        (a_state(40, path=None), None),
    ],
)
def test_when_it_deletes_a_session(state: SessionState, due_in_days: float | None) -> None:
    found = deleted_soon([state], 30, NOW_NS)
    assert [round((one.due_ns - NOW_NS) / DAY_NS, 3) for one in found] == (
        [] if due_in_days is None else [due_in_days]
    )


@pytest.mark.parametrize(
    ("state", "is_kept"),
    [
        (State.SYNCED, True),
        (State.AHEAD, True),
        (State.WAITING, True),
        (State.CHANGED, False),
        (State.CONFLICT, False),
    ],
)
def test_whether_all_of_it_is_kept(state: State, is_kept: bool) -> None:
    (found,) = deleted_soon([a_state(29, state=state)], 30, NOW_NS)
    assert found.is_kept is is_kept


def test_what_was_deleted_is_found_in_the_store_and_in_the_vault(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    for session in (SESSION, OTHER):
        laptop.write(session, said(f"title of {session}"))
    laptop.push()
    laptop.begin_anew(OTHER, said("another beginning"))  # so the vault has the first
    for session in (SESSION, OTHER):
        laptop.path(session).unlink()
    laptop.forget(OTHER)
    found = kept_at(laptop)
    assert found.has_store
    gone = {one.session_id: one for one in found.gone}
    assert set(gone) == {SESSION, OTHER}
    assert (gone[SESSION].machines, gone[SESSION].kept) == (("laptop",), 0)
    assert (gone[SESSION].project_key, gone[SESSION].size > 0) == (KEY, True)
    assert gone[OTHER].machines == ()
    assert gone[OTHER].kept >= 1
    shutil.move(world.location, f"{world.location}-away")
    found = kept_at(laptop)
    assert not found.has_store
    assert [one.session_id for one in found.gone] == [OTHER]
    shutil.move(f"{world.location}-away", world.location)
    assert kept_at(desktop).gone == ()  # it never had them
    with laptop.at_work() as context:
        pull(context, [SESSION])
    assert [one.session_id for one in kept_at(laptop).gone] == [OTHER]


def test_it_goes_by_what_claude_code_is_told(world: World) -> None:
    laptop = world.machine("laptop")
    for session, days in ((SESSION, 5), (OTHER, 12), (THIRD, 1)):
        laptop.write(session, said())
        laptop.grow_old(session, days * 86_400)
    assert kept_at(laptop).soon == ()
    (laptop.claude / "settings.json").write_text(json.dumps({"cleanupPeriodDays": 10}))
    found = kept_at(laptop)
    assert found.cleanup_days == 10
    assert [(one.session.session_id, one.is_kept) for one in found.soon] == [
        (OTHER, False),
        (SESSION, False),
    ]
