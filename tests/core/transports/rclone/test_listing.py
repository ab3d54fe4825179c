"""What a listing of a cloud means, whatever it says."""

from __future__ import annotations

from typing import Any

import pytest

from claude_sync.transports.base import MARKER_NAME
from claude_sync.transports.rclone.listing import seen_in
from claude_sync.transports.rclone.names import (
    Revision,
    new_revision,
    plain_name,
    revision_of,
)

TIME = "2026-11-22T10:00:00Z"


def item(path: str, size: int = 3, time: str = TIME, **more: Any) -> dict[str, Any]:
    return {"Path": path, "Name": path, "Size": size, "ModTime": time, "IsDir": False, **more}


def names(*items: object) -> dict[str, str]:
    """What is listed, and under which name it lies there."""
    return {name: file.path for name, file in seen_in(items).files.items()}


@pytest.mark.parametrize("name", ["p/id-laptop.ccsync", "p/other", "p/id-host.7.ccsync"])
def test_a_revision_bears_its_files_name_its_number_and_its_size(name: str) -> None:
    path = new_revision(name, 12, 345)
    assert revision_of(path) == Revision(name, 12, 345)
    assert plain_name(path) == name
    assert path.endswith(".ccsync") is name.endswith(".ccsync")
    assert new_revision(name, 12, 345) != path


def test_the_newest_revision_has_the_name_and_the_older_ones_their_own() -> None:
    old, new = "p/a.9-3-00000000.ccsync", "p/a.10-3-00000000.ccsync"
    assert names(item(old), item(new)) == {"p/a.ccsync": new, old: old}


def test_a_file_without_a_revision_is_listed_beside_one() -> None:
    new = "p/a.1-3-00000000.ccsync"
    listed = names(item("p/a.ccsync"), item(new))
    assert listed.pop("p/a.ccsync") == new
    ((alias, path),) = listed.items()
    assert path == "p/a.ccsync"
    assert plain_name(alias) == "p/a.ccsync"


def test_a_machine_whose_name_ends_like_a_revision_is_no_revision() -> None:
    assert names(item("p/id-host.7.ccsync"), item("p/id-host.ccsync")) == {
        "p/id-host.7.ccsync": "p/id-host.7.ccsync",
        "p/id-host.ccsync": "p/id-host.ccsync",
    }


def test_a_revision_that_is_not_whole_is_unfinished() -> None:
    seen = seen_in([item("p/a.1-3-00000000.ccsync", 2), item("p/a.1-3-00000001.ccsync", 3)])
    assert [file.path for file in seen.files.values()] == ["p/a.1-3-00000001.ccsync"]
    assert [file.path for file in seen.unfinished] == ["p/a.1-3-00000000.ccsync"]


def test_of_files_that_share_a_name_the_newest_counts() -> None:
    """Google Drive allows that."""
    seen = seen_in([item("p/a"), item("p/a", 5, "2026-11-23T10:00:00Z"), item("p/a", 4)])
    assert [file.stamp.size for file in seen.files.values()] == [5]


def test_what_replaces_a_file_changes_its_stamp() -> None:
    stamps = {
        seen_in([one]).files[plain_name(one["Path"])].stamp
        for one in (
            item("p/a"),
            item("p/a", 4),
            item("p/a", time="2026-11-22T10:00:01Z"),
            item("p/a.1-3-00000000"),
            item("p/a.1-3-00000001"),
            item("p/a.2-3-00000000"),
        )
    }
    assert len(stamps) == 6


@pytest.mark.parametrize(
    "time",
    [
        TIME,
        "2026-11-22T10:00:00.999999999Z",
        "2026-11-22T12:00:00+02:00",
        "2026-11-22T04:30:00.5-05:30",
    ],
)
def test_times_are_whole_seconds_of_one_zone(time: str) -> None:
    (file,) = seen_in([item("p/a", time=time)]).files.values()
    assert file.stamp.mtime_ns == 1_795_341_600 * 10**9


@pytest.mark.parametrize(
    "strange",
    [
        None,
        "p/a",
        [],
        {},
        item("p/a", -1),
        item("p/a", 1 << 70),
        item("p/a", True, IsDir=1),
        {**item("p/a"), "Size": "3"},
        {**item("p/a"), "Path": 3},
        item("p/q/a"),
        item("p/.a"),
        item("../a"),
        item("p/a\n"),
        item("p/a", IsDir=True),
    ],
)
def test_what_is_no_usable_file_is_left_out(strange: object) -> None:
    assert names(strange, item("p/b")) == {"p/b": "p/b"}


@pytest.mark.parametrize("time", ["", "yesterday", "9999-99-99T00:00:00Z", "2026-11-22T10:00:00+x"])
def test_a_time_that_is_none_is_unknown(time: str) -> None:
    (file,) = seen_in([item("p/a", time=time)]).files.values()
    assert file.stamp.mtime_ns == 0


def test_markers_are_the_newest_first() -> None:
    newer = f"{MARKER_NAME}.2-3-00000000"
    seen = seen_in([item(MARKER_NAME), item(newer)])
    assert [marker.path for marker in seen.markers] == [newer, MARKER_NAME]
    assert seen.marker is seen.markers[0]
    assert seen.files == {}


def test_equal_listings_have_equal_digests_and_others_dont() -> None:
    one, same = (seen_in([item("p/a"), item("p/b")]) for _ in range(2))
    assert one.digest(b"m") == same.digest(b"m")
    others = [one.digest(None), one.digest(b"n"), seen_in([item("p/a")]).digest(b"m")]
    others.append(seen_in([item("p/a"), item("p/b", 4)]).digest(b"m"))
    assert len({one.digest(b"m"), *others}) == 5
