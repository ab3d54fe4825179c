"""What macOS guards, and how it is told from folders that modes guard."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from claude_sync.disk.privacy import is_guarded
from claude_sync.transports.folder.errors import translate

HOME = "/Users/me"


@pytest.mark.parametrize(
    ("path", "guarded"),
    [
        ("/Users/me/Documents/app", True),
        ("/Users/me/Library/Mobile Documents/com~apple~CloudDocs/sync", True),
        ("/Users/me/Library/CloudStorage/Dropbox/sync", True),
        ("/Volumes/nas/sync", True),
        ("/Users/me/code/Documents", False),
        ("/Users/me/Documents2", False),
        ("/Users/me/Library/Caches", False),
    ],
)
def test_some_folders_are_opened_only_to_programs_that_were_allowed(
    path: str, *, guarded: bool
) -> None:
    assert is_guarded(path, HOME, "darwin") is guarded
    assert not is_guarded(path, HOME, "linux")


def test_a_refusal_names_the_setting_and_the_program() -> None:
    where = os.path.expanduser("~/Documents/sync")
    refused = OSError(errno.EPERM, "Operation not permitted")
    sentence = str(translate(refused, where, "darwin"))
    assert "System Settings > Privacy & Security > Full Disk Access" in sentence
    assert os.path.realpath(sys.executable) in sentence
    for error, system in ((refused, "linux"), (OSError(errno.EACCES, "denied"), "darwin")):
        assert "check the owner and mode" in str(translate(error, where, system))
