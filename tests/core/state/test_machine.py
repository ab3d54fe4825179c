from __future__ import annotations

import errno
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync.errors import RecordsError, UsageError
from claude_sync.names import is_machine_name
from claude_sync.state import machine
from claude_sync.state.machine import default_name, load_machine, name_machine, safe_name
from claude_sync.state.paths import Paths, paths
from failing_calls import failing

SYSTEM_ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A machine whose system has an id, whatever the one that runs the tests has."""
    monkeypatch.setattr(machine, "_system_id", lambda: SYSTEM_ID)
    return paths()


@pytest.fixture
def without_id(here: Paths, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setattr(machine, "_system_id", lambda: None)
    return here


def test_a_machine_without_a_name_is_called_like_its_host(here: Paths) -> None:
    found = load_machine(here)
    assert found.name == default_name()
    assert not found.named
    assert not here.state.exists()


def test_a_given_name_is_kept(here: Paths) -> None:
    given = name_machine(here, "laptop")
    assert given.named
    assert load_machine(here) == given
    assert given.name == "laptop"


def test_naming_does_not_change_the_id(here: Paths) -> None:
    before = load_machine(here).id
    assert name_machine(here, "laptop").id == before
    here.machine_file.unlink()
    assert load_machine(here).id == before


@pytest.mark.parametrize("name", ["", "-x", "a/b", "con", "a.", "x" * 65, "ü", "a\n"])
def test_a_name_that_no_file_could_bear_is_refused(here: Paths, name: str) -> None:
    name_machine(here, "laptop")
    with pytest.raises(UsageError, match="letters, digits"):
        name_machine(here, name)
    assert load_machine(here).name == "laptop"


def test_the_id_is_a_version_5_uuid_of_system_user_and_home(here: Paths, home: Path) -> None:
    namespace = uuid.UUID(bytes=machine._NAMESPACE)
    whole = f"{SYSTEM_ID}\0{machine._user()}\0{os.path.normcase(os.path.realpath(home))}"
    assert load_machine(here).id == str(uuid.uuid5(namespace, whole))


def test_a_copied_home_is_another_machine(
    here: Paths, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_machine(here, "laptop")
    first = load_machine(here)
    monkeypatch.setattr(machine, "_system_id", lambda: SYSTEM_ID[::-1])
    second = load_machine(here)
    monkeypatch.setattr(machine, "_system_id", lambda: SYSTEM_ID)
    monkeypatch.setenv("HOME", str(home / "other"))
    monkeypatch.setenv("USERPROFILE", str(home / "other"))
    third = load_machine(here)
    assert len({first.id, second.id, third.id}) == 3
    assert {first.name, second.name, third.name} == {"laptop"}


def test_a_home_reached_through_a_link_is_the_same_home(
    here: Paths, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_machine(here).id
    link = home.parent / f"{home.name}-link"
    link.symlink_to(home)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, f"{link}/")
    assert load_machine(here).id == before


def test_a_system_without_an_id_gets_a_random_one_that_stays(without_id: Paths) -> None:
    first = load_machine(without_id)
    assert uuid.UUID(first.id).version == 4
    assert not first.named
    named = name_machine(without_id, "laptop")
    assert named.id == first.id
    assert load_machine(without_id) == named


def test_two_first_starts_at_once_agree_on_the_random_id(home: Path) -> None:
    script = (
        "from claude_sync.state import machine, paths\n"
        "machine._system_id = lambda: None\n"
        "print(machine.load_machine(places.paths()).id)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in started}) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "../x", "id": "../x"}', '{"name": 7}'])
def test_a_spoilt_machine_file_counts_as_lost(without_id: Paths, text: str) -> None:
    without_id.state.mkdir(parents=True)
    without_id.machine_file.write_text(text)
    found = load_machine(without_id)
    assert found.name == default_name()
    assert not found.named
    assert load_machine(without_id).id == found.id


def test_a_machine_file_that_cannot_be_read_is_not_replaced(without_id: Paths) -> None:
    without_id.machine_file.mkdir(parents=True)
    with pytest.raises(RecordsError, match="name can't be read"):
        load_machine(without_id)


def test_an_id_that_cannot_be_kept_is_an_error(without_id: Paths) -> None:
    without_id.state.parent.mkdir(parents=True)
    without_id.state.write_text("")
    with pytest.raises(RecordsError):
        load_machine(without_id)


def test_keys_of_a_newer_version_are_kept(here: Paths) -> None:
    here.state.mkdir(parents=True)
    here.machine_file.write_text('{"schema": 1, "name": "old", "colour": "red"}')
    name_machine(here, "new")
    text = here.machine_file.read_text()
    assert '"colour": "red"' in text
    assert '"name": "new"' in text


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("desktop", "desktop"),
        ("Müllers Mac (2)", "Mullers-Mac-2"),
        ("-", "machine"),
        ("", "machine"),
        ("日本", "machine"),
        ("NUL", "NUL_"),
        ("x" * 80, "x" * 64),
        ("host-", "host"),
    ],
)
def test_a_host_name_is_made_safe(host: str, name: str) -> None:
    assert safe_name(host) == name


@given(st.text())
def test_every_host_name_makes_a_machine_name(text: str) -> None:
    assert is_machine_name(safe_name(text))


def test_only_the_first_label_of_the_host_counts() -> None:
    assert is_machine_name(default_name())
    assert "." not in default_name()


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ((SYSTEM_ID + "\n",), SYSTEM_ID),
        (("uninitialized\n", SYSTEM_ID), SYSTEM_ID),
        (("", SYSTEM_ID.upper()), SYSTEM_ID),
        (("0" * 32,), None),
        (("x" * 32,), None),
        ((), None),
    ],
)
def test_the_systems_id_is_read_where_linux_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: tuple[str, ...], found: str | None
) -> None:
    paths = (tmp_path / "machine-id", tmp_path / "dbus-machine-id")
    for path, text in zip(paths, texts, strict=False):
        path.write_text(text)
    monkeypatch.setattr(machine, "_LINUX_FILES", paths)
    assert machine._linux_id() == found


def test_this_systems_id_has_the_plain_form() -> None:
    found = machine._system_id()
    assert found is None or (len(found) == 32 and int(found, 16) > 0)


def test_it_is_no_other_machine_while_its_home_can_not_be_looked_at(
    here: Paths, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "home"
    link.symlink_to(home)
    monkeypatch.setenv("HOME", str(link))
    known = load_machine(here)
    with failing(link, errno.EIO, "lstat"), pytest.raises(RecordsError, match="can't be told"):
        load_machine(here)
    assert load_machine(here) == known


def test_it_gets_no_random_id_while_the_systems_can_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "machine-id"
    file.write_text(SYSTEM_ID)
    monkeypatch.setattr(machine, "_LINUX_FILES", (file,))
    assert machine._linux_id() == SYSTEM_ID
    with failing(file, errno.EIO, "open"), pytest.raises(RecordsError, match="can't be told"):
        machine._linux_id()
    # One that is shut will be so the next time, too.
    with failing(file, errno.EACCES, "open"):
        assert machine._linux_id() is None
