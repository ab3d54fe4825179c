"""Names in an encrypted store."""

from __future__ import annotations

import re

from claude_sync.names import writers
from claude_sync.sealed.cuts import AFTER_FRONT
from claude_sync.sealed.keys import Master
from claude_sync.sealed.names import (
    file_id_for,
    is_id_of,
    is_sealed_folder,
    sealed_file,
    sealed_folder,
)

MASTER, OTHERS = Master(bytes(32)), Master(bytes([1]) * 32)
SESSION = "0f4c1d9e-1111-4222-8333-444455556666"
FRONT = (
    b'{"schema":1,"session_id":"%s","machine":"laptop","machine_id":"0000aaaa-0"' % SESSION.encode()
    + AFTER_FRONT
)


def test_names_tell_nothing_and_are_the_same_on_every_machine() -> None:
    folder = sealed_folder(MASTER, "git:example.org/you/app")
    name = sealed_file(MASTER, SESSION, "laptop")
    for one in (folder, name):
        assert re.fullmatch("[a-z2-7]{26}", one)
    assert folder == sealed_folder(Master(bytes(32)), "git:example.org/you/app")
    assert folder != sealed_folder(OTHERS, "git:example.org/you/app")
    assert is_sealed_folder(folder)
    assert not is_sealed_folder("git+example.org+you+app")


def test_a_name_is_its_file_id() -> None:
    name = sealed_file(MASTER, SESSION, "laptop")
    assert file_id_for(MASTER, f"folder/{name}.ccsync") == MASTER.file_id(SESSION, "laptop")
    assert len(file_id_for(MASTER, "p/any other name")) == 16
    assert len(file_id_for(MASTER, "p/\udcff")) == 16


def test_a_file_is_only_that_of_its_session_and_machine() -> None:
    for writer in writers(SESSION, "laptop", "0000aaaa-0"):
        assert is_id_of(MASTER, MASTER.file_id(SESSION, writer), FRONT)
    assert not is_id_of(MASTER, MASTER.file_id(SESSION, "desktop"), FRONT)
    assert not is_id_of(MASTER, MASTER.file_id(SESSION[::-1], "laptop"), FRONT)
    assert not is_id_of(OTHERS, MASTER.file_id(SESSION, "laptop"), FRONT)
