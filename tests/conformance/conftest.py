from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync.transports.base import MARKER_NAME, Transport
from conformance.places import (
    MARKER,
    FileHouse,
    MemoryHouse,
    Place,
    folder_house,
    put_of,
    write_all,
)

FILE_PLACES = ["folder"]


def _file_house(kind: str, tmp_path: Path) -> FileHouse:
    assert kind == "folder"
    return folder_house(tmp_path / "the store")


@pytest.fixture(params=["memory", *FILE_PLACES])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place that isn't there yet."""
    return MemoryHouse() if request.param == "memory" else _file_house(request.param, tmp_path)


@pytest.fixture(params=FILE_PLACES)
def file_place(request: pytest.FixtureRequest, tmp_path: Path) -> FileHouse:
    """A place made of real files that isn't there yet."""
    return _file_house(request.param, tmp_path)


def _set_up(place: Place) -> Iterator[Transport]:
    transport = place.open()
    transport.create()
    write_all(transport, put_of(MARKER_NAME, MARKER))
    yield transport
    transport.close()


@pytest.fixture
def store(place: Place) -> Iterator[Transport]:
    """A transport over the place, set up with a marker."""
    yield from _set_up(place)


@pytest.fixture
def file_store(file_place: FileHouse) -> Iterator[Transport]:
    """The same over a place made of real files."""
    yield from _set_up(file_place)
