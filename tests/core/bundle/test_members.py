from __future__ import annotations

import hashlib
import json
import tracemalloc
from typing import Any

import pytest

from bundles import ABSENT, crafted, packed, sidecar_entry
from capabilities import require_posix
from claude_sync.bundle import members
from claude_sync.bundle.head import HEAD_SIZE, TAIL_SIZE, read_head
from claude_sync.bundle.members import (
    AFTER_FRONT,
    BEFORE_BACK,
    MAX_INTEGER,
    MEMBERS,
    SidecarPaths,
    sidecar_digest,
)
from claude_sync.bundle.unpack import read_whole
from claude_sync.errors import BundleCorrupt, BundleError, BundleTooNew, BundleUnsafe
from claude_sync.model import MAX_SIDECAR_FILES, SidecarFile

BAD_NAMES = [
    "..",
    "../x",
    "a/b",
    "a\\b",
    "a\0b",
    "a\nb",
    "C:",
    "C:x",
    "",
    ".hidden",
    "-x",
    "x.",
    "con",
    "NUL.txt",
    "com1",
    "lpt¹",
    "é",
    "a b",
]
BAD_PATHS = [
    "..",
    "../x",
    "a/../b",
    "/a",
    "a/",
    "a//b",
    "a/./b",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x7f",
    "C:",
    "c:/x",
    "a/con",
    "aux.jsonl/x",
    "a/b.",
    "a /b",
    "x" * 513,
    "é" * 257,
]

NO_UUIDS = [
    "memory",
    "sessions-index",
    "agent-0f4c1d9e",
    "0f4c1d9e-1111-4222-8333-444455556666 (conflicted copy)",
    "0f4c1d9e-1111-4222-8333-444455556666\n",
    "0f4c1d9e11114222833344445555 6666",
    "0f4c1d9e111142228333444455556666",
    "0f4c1d9g-1111-4222-8333-444455556666",
]

UNSAFE: list[tuple[str, object]] = [
    *(("session_id", name) for name in [*BAD_NAMES, *NO_UUIDS]),
    *(("machine", name) for name in [*BAD_NAMES, "x" * 65]),
    *(("subpath", path) for path in BAD_PATHS),
    ("project_key", ""),
    ("project_key", "git:"),
    ("project_key", "git:host"),
    ("project_key", "git:host/"),
    ("project_key", "git:host//x"),
    ("project_key", "git:host/../x"),
    ("project_key", "git:Host/x"),
    ("project_key", "git:host/e\u0301"),
    ("project_key", "name:"),
    ("project_key", "name:a\nb"),
    ("project_key", "name:" + "x" * 1020),
    ("project_key", "svn:host/x"),
    ("project_key", "/etc"),
]
WRONG: list[tuple[str, object]] = [
    *((name, None) for name in MEMBERS),
    *((name, {"a": []}) for name in MEMBERS),
    *((name, [[[]]]) for name in MEMBERS),
    *((name, 7) for name in MEMBERS if name not in ("schema", "size", "mtime_ns", "revision",
                                                   "decision", "encoded_size")),
    ("schema", "1"),
    ("schema", 0),
    ("schema", -1),
    ("schema", True),
    ("schema", 1.0),
    ("schema", 2.0),
    *((name, value)
      for name in ("revision", "decision", "size", "encoded_size")
      for value in (True, False, 1.0, "1", -1, MAX_INTEGER + 1, 10**30)),
    ("mtime_ns", True),
    ("mtime_ns", 0.5),
    ("mtime_ns", 1 << 63),
    ("mtime_ns", -(1 << 63)),
    ("open", 0),
    ("open", "false"),
    ("sha256", "a" * 63),
    ("sha256", "A" * 64),
    ("sha256", "g" * 64),
    ("sha256", "a" * 64 + "\n"),
    ("sidecar_sha256", "a" * 65),
    ("check", "a" * 64),
    ("machine_id", ""),
    ("machine_id", "12345678123451238123123456789abc"),
    ("machine_id", "12345678-1234-5123-8123-123456789ABC"),
    ("machine_id", "../../.."),
    ("pushed_at", "yesterday"),
    ("pushed_at", "2026-11-22 10:00:00Z"),
    ("pushed_at", "2026-11-22T10:00:00+01:00"),
    ("pushed_at", "2026-11-22T10:00:00Z\n"),
    ("title", "x" * 301),
    ("title", "x" * 5000),
    ("supersedes", ["a" * 64] * 65),
    ("supersedes", ["a" * 63]),
    ("supersedes", [None]),
    ("supersedes", [["a" * 64]]),
    ("supersedes", "a" * 64),
    ("encoded_size", 0),
    ("encoded_size", 2),
]  # fmt: skip


def named(case: tuple[str, object]) -> str:
    return f"{case[0]}={str(case[1])[:20]!a}"


def looks(data: bytes) -> list[type[BundleError]]:
    """What both readers say of a file: of both ends, unless it must be read in full, and of all."""
    errors: list[type[BundleError]] = []
    tail = data[-TAIL_SIZE:] if len(data) > HEAD_SIZE else b""
    try:
        if read_head(data[:HEAD_SIZE], tail, len(data)) is not None:
            raise AssertionError("both ends were believed")
    except BundleError as error:
        errors.append(type(error))
    with pytest.raises(BundleError) as caught:
        read_whole([data])
    return [*errors, type(caught.value)]


@pytest.mark.parametrize("case", UNSAFE, ids=named)
def test_a_name_that_leads_astray_is_refused_though_every_hash_is_right(
    case: tuple[str, Any],
) -> None:
    assert set(looks(crafted(**dict([case])))) == {BundleUnsafe}


@pytest.mark.parametrize("case", WRONG, ids=named)
def test_a_member_of_a_wrong_type_or_range_is_refused(case: tuple[str, Any]) -> None:
    assert set(looks(crafted(**dict([case])))) == {BundleCorrupt}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_missing_member_is_refused(name: str) -> None:
    changes: dict[str, Any] = {name: ABSENT}
    assert set(looks(crafted(**changes))) == {BundleCorrupt}


@pytest.mark.parametrize("schema", [2, 10, 999, MAX_INTEGER, 10**30])
def test_a_newer_schema_is_told_apart_whatever_else_has_changed(schema: int) -> None:
    assert set(looks(crafted(schema=schema))) == {BundleTooNew}
    assert set(looks(crafted(schema=schema, transcript={}, size="big", check=ABSENT))) == {
        BundleTooNew
    }
    shuffled = json.dumps({"title": 5, "machine": "../..", "schema": schema}, indent=1)
    assert looks(shuffled.encode()) == [BundleTooNew]


def test_the_greatest_values_that_may_be_are_read() -> None:
    require_posix("quotation marks in names")
    data, made = packed(
        session_id="FFFFFFFF-" + "ffff-" * 3 + "f" * 12,
        project_key="name:" + '"' * 1019,
        subpath="/".join(['"' * 255, '"' * 256]),
        machine="m" * 64,
        title="\x1f" * 300,
        supersedes=("f" * 64,) * 64,
        revision=MAX_INTEGER,
        decision=MAX_INTEGER,
        mtime_ns=-MAX_INTEGER,
        pushed_at="2026-11-22T10:00:00.123456789+00:00",
        open=True,
    )
    assert data.index(AFTER_FRONT) + len(AFTER_FRONT) <= HEAD_SIZE
    assert len(data) - data.index(BEFORE_BACK) <= TAIL_SIZE
    assert read_head(data[:HEAD_SIZE], data[-TAIL_SIZE:], len(data)) == made.head
    assert read_whole([data]).head == made.head


def test_the_check_covers_every_small_member_and_is_what_the_format_says() -> None:
    values = json.loads(packed(b"x", {"a": b"1"})[0])
    check = values.pop("check")
    del values["transcript"]
    values["sidecar"] = []
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    assert check == hashlib.sha256(text.encode()).hexdigest()


# --- sidecar -----------------------------------------------------------------------------------


def test_the_sidecar_digest_is_of_sorted_lines() -> None:
    files = [SidecarFile("b", 1, "11"), SidecarFile("a/c", 9, "22"), SidecarFile("a", 0, "33")]
    assert sidecar_digest(files) == hashlib.sha256(b"a\x0033\na/c\x0022\nb\x0011\n").hexdigest()
    assert sidecar_digest([]) == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("path", [*BAD_PATHS, ""])
def test_a_sidecar_path_that_leads_astray_is_refused(path: str) -> None:
    data = crafted(packed(b"x", {"a": b""})[0], sidecar=[sidecar_entry(path)])
    with pytest.raises(BundleUnsafe):
        read_whole([data])


@pytest.mark.parametrize(
    "paths",
    [
        ("a", "a"),
        ("a", "A"),
        ("x/é", "x/e\u0301"),
        ("x/É", "x/e\u0301"),
        ("straße", "STRASSE"),
        ("a", "a/b"),
        ("A/b/c", "a"),
        ("a/b", "a/B/c"),
    ],
)
def test_two_sidecar_files_that_are_one_on_some_system_are_refused(paths: tuple[str, str]) -> None:
    entries = [sidecar_entry(path) for path in paths]
    for sidecar in (entries, entries[::-1]):
        data = crafted(packed(b"x", {"a": b""})[0], sidecar=sidecar)
        with pytest.raises(BundleUnsafe):
            read_whole([data])


def test_neighbours_in_a_sidecar_are_no_rivals() -> None:
    paths = SidecarPaths()
    for path in ("a/b", "a/c", "a/b.txt", "ab", "b/a/b"):
        paths.add(path)


def test_a_file_is_no_folder_however_many_lie_between() -> None:
    for first, then in (("b/c/d", "b"), ("b", "b/c/d"), ("b/c", "B/C"), ("b/c/d/e", "b/c/d")):
        paths = SidecarPaths()
        for path in ("b!", "b-c/d", "a", "b\u0301/c", first, "c/d"):
            paths.add(path)
        with pytest.raises(BundleUnsafe):
            paths.add(then)


def test_the_folders_of_ten_thousand_deep_paths_take_little_memory() -> None:
    tracemalloc.start()
    try:
        paths = SidecarPaths()
        for number in range(MAX_SIDECAR_FILES):
            paths.add(f"{number}/{'d/' * 250}x")
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_more_sidecar_files_than_may_be_are_refused_while_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(members, "MAX_SIDECAR_FILES", 20)
    data, made = packed(b"x", {f"d/{number}": b"" for number in range(20)})
    assert len(read_whole([data]).sidecar) == len(made.sidecar) == 20
    entries = json.loads(data)["sidecar"] + [sidecar_entry("one-more")]
    with pytest.raises(BundleCorrupt, match="more than"):
        read_whole([crafted(data, sidecar=entries)])


@pytest.mark.parametrize(
    "entry",
    [
        {"path": 1},
        {"path": None},
        {"path": ABSENT},
        {"data": 1},
        {"data": None},
        {"data": ABSENT},
        {"data": ["x"]},
        {"data": "y"},
        {"size": 2},
        {"size": True},
        {"size": 1.0},
        {"size": "1"},
        {"size": ABSENT},
        {"sha256": "a" * 64},
        {"sha256": ABSENT},
    ],
    ids=str,
)
def test_a_sidecar_file_that_is_not_what_it_says_is_refused(entry: dict[str, object]) -> None:
    made = sidecar_entry("a", b"x") | entry
    made = {name: value for name, value in made.items() if value is not ABSENT}
    with pytest.raises(BundleCorrupt):
        read_whole([crafted(packed(b"x", {"a": b"x"})[0], sidecar=[made])])


@pytest.mark.parametrize("sidecar", [[1], [[]], ["a"], [None]])
def test_a_sidecar_of_other_things_than_files_is_refused(sidecar: list[object]) -> None:
    with pytest.raises(BundleCorrupt):
        read_whole([crafted(sidecar=sidecar)])
