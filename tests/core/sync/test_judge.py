"""Every verb judges a session alike, and fetches what it needs for that once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from claude_sync.model import State
from claude_sync.sync.context import Context
from claude_sync.sync.read_conflict import read_conflict
from claude_sync.sync.states import states
from claude_sync.transports.base import Get, Got
from claude_sync.transports.folder.transport import FolderTransport
from machines import SESSION, Pair


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the bundles that were read, beyond both their ends."""
    names: list[str] = []
    really = FolderTransport.read

    def noted(place: FolderTransport, gets: Iterable[Get]) -> Iterator[Got]:
        gets = list(gets)
        names.extend(get.name for get in gets)
        return really(place, gets)

    monkeypatch.setattr(FolderTransport, "read", noted)
    return names


@pytest.mark.parametrize(
    "looking", [states, lambda context: read_conflict(context, SESSION)], ids=["states", "read"]
)
def test_a_conflict_is_looked_at_with_one_fetch(
    diverged: Pair, read: list[str], looking: Callable[[Context], object]
) -> None:
    _, desktop = diverged
    with desktop.at_work() as context:
        looking(context)
    assert len(read) == 1


def test_a_listing_shows_the_sides_that_a_conflict_has(diverged: Pair) -> None:
    _, desktop = diverged
    with desktop.at_work() as context:
        [state] = states(context)
        sides = tuple(side.side for side in read_conflict(context, SESSION).sides)
    assert state.state is State.CONFLICT
    assert state.sides == sides
    assert [side.machine for side in sides] == ["desktop", "laptop"]
