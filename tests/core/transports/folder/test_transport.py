"""What is a folder's own among transports; the rest is in `conformance` and `faults`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from claude_sync.transports.folder.transport import FolderTransport
from claude_sync.wording import short_path


@pytest.mark.parametrize("inside", ["", "Dropbox", "a/b", "../elsewhere"])
def test_it_is_named_as_any_path_is_to_a_person(home: Path, inside: str) -> None:
    folder = os.path.normpath(home / inside)
    transport = FolderTransport(folder)
    assert transport.label == short_path(folder)
    assert transport.label.startswith("~") is (inside != "../elsewhere")
    transport.close()
