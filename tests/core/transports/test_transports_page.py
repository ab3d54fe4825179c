"""TRANSPORTS.md: its example is found and used as an installed package's is.

That it keeps the protocol is for the conformance suite, which runs over it as well.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from capabilities import require_posix
from claude_sync import errors
from claude_sync.errors import UsageError
from claude_sync.store.marker import check_marker, create_store
from claude_sync.transports import ENTRY_POINT_GROUP, open_transport
from claude_sync.transports.base import ChangeWatch, Transport
from conformance.page_example import NAME, PAGE, blocks


class _EntryPoint(NamedTuple):
    group: str
    scheme: str
    opener: str


def _entry_point() -> _EntryPoint:
    (project,) = blocks("toml")
    table = re.fullmatch(r'\[project\.entry-points\."(.+)"\]\n(\w+) = "(.+)"\n', project)
    assert table is not None
    return _EntryPoint(*table.groups())


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example as a package: its code, and the entry point that the page gives."""
    (source,) = blocks("python")
    package = tmp_path / "site"
    metadata = package / "claude_sync_sqlite-1.0.dist-info"
    metadata.mkdir(parents=True)
    (package / f"{NAME}.py").write_text(source, encoding="utf-8")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    group, scheme, opener = _entry_point()
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{scheme} = {opener}\n")
    monkeypatch.syspath_prepend(str(package))
    monkeypatch.delitem(sys.modules, NAME, raising=False)


@pytest.mark.usefixtures("installed")
def test_an_installed_transport_is_found_by_its_scheme(tmp_path: Path) -> None:
    require_posix("a question mark in a file's name")
    location = f"SQLite://{tmp_path}/a store?.db"
    transport = open_transport(location, [], tmp_path / "runtime")
    assert transport.location == f"sqlite://{tmp_path}/a store?.db"
    assert not (tmp_path / "a store?.db").exists(), "nothing is made yet"
    marker = create_store(transport)
    assert create_store(transport) == marker
    check_marker(transport.list_files(), marker.store_id, transport.label)
    assert ((tmp_path / "a store?.db").stat().st_mode & 0o777) == 0o600
    transport.close()


def test_without_that_package_its_locations_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="sqlite://"):
        open_transport(f"sqlite://{tmp_path}/store.db", [], tmp_path / "runtime")


def test_the_page_names_each_method_error_and_the_group() -> None:
    page = PAGE.read_text(encoding="utf-8")
    protocols = [*inspect.getmembers(Transport), *inspect.getmembers(ChangeWatch)]
    methods = [name for name, _ in protocols if not name.startswith("_")]
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    named = set(re.findall(r"`(\w+)", " ".join(rows)))
    assert set(methods) <= named
    assert _entry_point().group == ENTRY_POINT_GROUP
    for name in named - set(methods):
        assert issubclass(getattr(errors, name), errors.ClaudeSyncError)
