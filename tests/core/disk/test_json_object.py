from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync.disk.json_object import NoObject, read_object, write_object

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(st.characters()), values, max_size=4))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, given_object: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "objects" / "object.json"
    write_object(path, given_object)
    assert read_object(path) == given_object


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{}}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xff"}',
        b"\xff\xfe{\0}\0",
        b'{"a":' + b"[" * 100_000,
        b'{"a": "' + b"x" * (1 << 20) + b'"}',
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "object.json"
    path.write_bytes(data)
    with pytest.raises(NoObject, match="isn't valid JSON"):
        read_object(path)


@pytest.mark.parametrize("data", [b"[]", b"null", b"7", b'"text"'])
def test_json_that_is_no_object_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "object.json"
    path.write_bytes(data)
    with pytest.raises(NoObject, match="isn't a JSON object"):
        read_object(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "object.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_object(path) == {"a": 1}


def test_a_link_to_where_configuration_is_kept_stays_a_link(tmp_path: Path) -> None:
    kept = tmp_path / "kept" / "object.json"
    link = tmp_path / "config" / "object.json"
    kept.parent.mkdir()
    link.parent.mkdir()
    kept.write_text('{"a": 1}')
    link.symlink_to(kept)
    write_object(link, {**read_object(link), "b": "ü"})
    assert link.is_symlink()
    assert kept.read_text(encoding="utf-8") == '{\n  "a": 1,\n  "b": "ü"\n}\n'


def test_files_and_directories_are_private(tmp_path: Path) -> None:
    path = tmp_path / "config" / "object.json"
    write_object(path, {})
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_pipe_where_the_file_should_be_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "object.json"
    if os.name == "nt":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(OSError, match=r".+"):
        read_object(path)
