"""A real conflict and a choice in a dialog: real transcripts, a real store."""

from __future__ import annotations

import time

import pytest

from claude_sync.errors import SessionChanging
from claude_sync.service.status import Status
from claude_sync.sync.resolve import resolve
from claude_sync_app.tray.conflict_choice import read_choice
from claude_sync_app.tray.dialog_choices import conflict_choices, side_lines
from claude_sync_app.tray.verbs import Action
from machines import SESSION, Pair, PlayedMachine, World, agree, said


@pytest.fixture
def apart(world: World) -> Pair:
    """Two machines on which a session has diverged."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("Where is the bug?"))
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said("Try the cookie."), said("Not the cookie."))
    laptop.push()
    desktop.write(SESSION, said("Try the <session>."))
    return laptop, desktop


def seen(machine: PlayedMachine) -> Status:
    """What the tray of a machine knows."""
    states = tuple(machine.states().values())
    conflicts = tuple(state for state in states if state.state == "conflict")
    return Status(location="/x", sessions=states, conflicts=conflicts, started=True)


def offered(status: Status) -> dict[str, Action]:
    """What can be chosen, by what its button says."""
    (state,) = status.conflicts
    return dict(conflict_choices(state))


def choose(machine: PlayedMachine, action: Action, status: Status) -> None:
    chosen = read_choice(action, status)
    assert chosen is not None
    what, versions = chosen
    with machine.at_work() as context:
        resolve(context, action.subject, what, shown=versions)


def test_it_is_said_how_far_each_side_has_got(
    apart: Pair,
) -> None:
    _, desktop = apart
    (state,) = seen(desktop).conflicts
    assert side_lines(state, int(time.time() // 60)) == [
        "This machine: 1 line more since they diverged, just now",
        "laptop: 2 lines more since they diverged, just now",
    ]


@pytest.mark.parametrize(
    ("label", "texts"),
    [
        ("Keep this machine's", [b"<session>"]),
        ("Keep laptop's", [b"cookie"]),
        ("Keep both", [b"<session>", b"cookie"]),
    ],
)
def test_a_choice_settles_it_for_all(apart: Pair, label: str, texts: list[bytes]) -> None:
    laptop, desktop = apart
    status = seen(desktop)
    choose(desktop, offered(status)[label], status)
    assert seen(desktop).conflicts == ()
    kept_texts = b"".join(desktop.read(sid) for sid in desktop.sessions())
    for text in (b"<session>", b"cookie"):
        assert (text in kept_texts) == (text in texts)
    laptop.pull()
    assert agree(laptop, desktop)
    assert seen(laptop).conflicts == ()


def test_a_choice_that_was_overtaken_decides_nothing(
    apart: Pair,
) -> None:
    laptop, desktop = apart
    before = seen(desktop)
    action = offered(before)["Keep laptop's"]
    laptop.write(SESSION, said("It was the session after all."))
    laptop.push()
    assert read_choice(action, seen(desktop)) is None
    mine = desktop.read()
    # Also where the tray hasn't seen it yet.
    with pytest.raises(SessionChanging):
        choose(desktop, action, before)
    assert desktop.read() == mine
