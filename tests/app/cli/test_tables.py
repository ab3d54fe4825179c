"""The widths of a table's columns, and the short ids of sessions."""

from __future__ import annotations

import pytest

from claude_sync_app.cli.listing import short_ids
from claude_sync_app.cli.tables import Column, fitted

COLUMNS = (
    Column("id"),
    Column("title", least=20),
    Column("project", least=10, dispensable=1),
    Column("size", dispensable=2),
)


@pytest.mark.parametrize(
    ("room", "widths"),
    [
        (200, [8, 60, 30, 6]),
        (110, [8, 60, 30, 6]),
        (109, [8, 59, 30, 6]),
        (80, [8, 30, 30, 6]),
        (79, [8, 29, 30, 6]),
        (60, [8, 20, 20, 6]),
        (50, [8, 20, 10, 6]),
        (49, [8, 20, 17, 0]),
        (42, [8, 20, 10, 0]),
        (41, [8, 31, 0, 0]),
        (30, [8, 20, 0, 0]),
        (20, [8, 10, 0, 0]),
        (5, [8, 4, 0, 0]),
    ],
)
def test_what_gives_way_first(room: int, widths: list[int]) -> None:
    assert fitted(COLUMNS, [8, 60, 30, 6], room) == widths


def test_no_room_is_wasted_and_none_exceeded() -> None:
    for room in range(30, 150):
        widths = fitted(COLUMNS, [8, 60, 30, 6], room)
        taken = sum(widths) + 2 * (sum(map(bool, widths)) - 1)
        assert taken <= room
        assert taken == room or [bool(width) for width in widths].count(False) or room >= 110


def test_an_id_is_as_short_as_it_can_be_and_fits_one_session_only() -> None:
    ids = ["aaaaaaaa-1", "aaaaaaaa-2", "aaaaaaaa-22", "bbbbbbbbb", "c"]
    shorts = short_ids(ids)
    assert shorts == {
        "aaaaaaaa-1": "aaaaaaaa-1",
        "aaaaaaaa-2": "aaaaaaaa-2",
        "aaaaaaaa-22": "aaaaaaaa-22",
        "bbbbbbbbb": "bbbbbbbb",
        "c": "c",
    }
    assert short_ids([]) == {}
