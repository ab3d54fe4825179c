"""Hosts as they come: login shells, start-up files that talk, folders with any name."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from claude_sync.errors import StoreDenied
from claude_sync.model import Outcome
from claude_sync.state import preferences
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, Get, Listing, Put, Range, Transport
from claude_sync.transports.location import parse_location
from claude_sync.transports.ssh import session as ssh_session
from claude_sync.transports.ssh.session import Session
from conformance.sshd import SshHost
from conformance.storages import MARKER, put_of, write_all
from conformance.turns import Turns
from machines import SESSION, World, agree, outcomes, said

SHELLS = ["box-csh", "box-fish", "box-bash", "box-chatty"]

FOLDERS = [
    "plain",
    "two words",
    " leading and trailing ",
    "'single' \"double\" `back`",
    "$(touch injected) ${HOME} $HOME",
    "semi;touch injected;& | > x",
    "new\nline and\ttab",
    "line feed at the end\n",
    "~",
    "~root",
    "-rf",
    "--",
    "%s %n %41",
    "back\\slash \\n \\101",
    "* ? [a-z] {a,b}",
    "ünïcode 日本語 😀",
    "no UTF-8 \udcff\udcfe",
    "#! =",
]


@pytest.fixture
def opened(ssh_host: SshHost, tmp_path: Path) -> Iterator[list[Transport]]:
    """Transports to close at the end."""
    transports: list[Transport] = []
    yield transports
    for transport in transports:
        transport.close()


def reach(host: SshHost, location: str, opened: list[Transport], tmp_path: Path) -> Transport:
    transport = open_transport(location, host.command_alone(), tmp_path / "run")
    opened.append(transport)
    return transport


def use(store: Transport) -> Listing:
    """Everything that can be done with a store, once."""
    store.create()
    write_all(store, put_of(MARKER_NAME, MARKER), put_of("p/it's", b"12345"), put_of("q/b", b"b"))
    listing = store.list_files()
    assert listing.marker == MARKER
    assert [entry.name for entry in listing.entries] == ["p/it's", "q/b"]
    assert store.list_files(listing) is listing
    (end,) = store.ends(["p/it's"], 2, 2)
    assert (end.head, end.tail) == (b"12", b"45")
    gets = [Get("p/it's", [Range(1, 2)]), Get("q/b", [Range(0, -1)])]
    assert [b"".join(got.blocks) for got in store.read(gets)] == [b"23", b"b"]
    store.remove(["q/b"])
    return store.list_files()


@pytest.mark.parametrize("flavour", SHELLS)
def test_any_login_shell_will_do_and_may_talk(
    ssh_host: SshHost, opened: list[Transport], tmp_path: Path, flavour: str
) -> None:
    location = ssh_host.location(tmp_path / "the 'store'", flavour)
    listing = use(reach(ssh_host, location, opened, tmp_path))
    assert [entry.name for entry in listing.entries] == ["p/it's"]


@pytest.mark.parametrize("name", FOLDERS, ids=range(len(FOLDERS)))
def test_a_folder_may_have_any_name(
    ssh_host: SshHost, opened: list[Transport], tmp_path: Path, name: str
) -> None:
    above = tmp_path / "above"
    root = above / name / "store"
    location = ssh_host.location(os.fspath(root))
    assert location.isprintable()
    store = reach(ssh_host, location, opened, tmp_path)
    assert store.location == location
    use(store)
    assert [path.name for path in above.iterdir()] == [name]
    assert not (ssh_host.home / "injected").exists()
    assert {path.name for path in root.iterdir()} == {MARKER_NAME, "p"}
    assert [path.name for path in (root / "p").iterdir()] == ["it's"]


@pytest.mark.parametrize(
    ("spelling", "where"),
    [
        ("box:sessions of mine", "~/sessions of mine"),
        ("box:~/tilde", "~/tilde"),
        ("ssh://box/~/url", "~/url"),
        ("ssh://box/~/-rf/%24%28id%29", "~/-rf/$(id)"),
        ("ssh://box//absolute/~/path", "/absolute/~/path"),
        ("box:/absolute too", "/absolute too"),
        ("box:a:b", "~/a:b"),
    ],
)
def test_every_spelling_makes_a_private_folder_where_it_says(
    ssh_host: SshHost, opened: list[Transport], tmp_path: Path, spelling: str, where: str
) -> None:
    wanted = ssh_host.home / where[2:] if where.startswith("~/") else tmp_path / where[1:]
    if not where.startswith("~/"):
        spelling = spelling.replace("absolute", f"{tmp_path}/absolute".lstrip("/"), 1)
    store = reach(ssh_host, parse_location(spelling).spelling, opened, tmp_path)
    use(store)
    for path in (wanted, wanted / "p"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((wanted / "p/it's").stat().st_mode) == 0o600


# --- round trips -------------------------------------------------------------------------------


def test_a_look_is_one_round_trip_and_batches_do_not_cost_one_each(
    ssh_host: SshHost, opened: list[Transport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = ssh_host.location(tmp_path / "store")
    reach(ssh_host, location, opened, tmp_path).create()
    turns = Turns(monkeypatch)
    store = reach(ssh_host, location, opened, tmp_path)
    store.list_files()
    assert turns.taken() == 1
    names = [f"p/{number}" for number in range(100)]

    def puts(count: int) -> Iterator[Put]:
        return (put_of(name, b"x" * 2_000) for name in names[:count])

    assert len(list(store.write(puts(100)))) == 100
    assert turns.taken() == 1
    listing = store.list_files()
    assert turns.taken() == 1
    assert len([end for end in store.ends(names, 100, 100) if end.error is None]) == 100
    assert turns.taken() == 1
    gets = [Get(entry.name, [Range(0, -1)], entry.stamp) for entry in listing.entries]
    assert sum(len(block) for got in store.read(gets) for block in got.blocks) == 200_000
    assert turns.taken() == 1
    assert all(store.digests(gets))
    assert turns.taken() == 1
    store.remove(names)
    assert turns.taken() == 1


def test_pulling_many_sessions_that_grew_costs_as_many_round_trips_as_one(
    ssh_host: SshHost, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    ids = [f"{number:08x}{SESSION[8:]}" for number in range(40)]
    for session in ids:
        laptop.write(session, said("hello"))
    for machine in (laptop, desktop):
        preferences.change(
            machine.paths,
            location=ssh_host.location(world.store),
            ssh_command=ssh_host.command_alone(),
        )
    turns = Turns(monkeypatch)
    taken: list[list[int]] = []
    for grown in (ids, ids, ids[:1]):
        for session in grown:
            laptop.write(session, said("and on"))
        turns.taken()
        assert set(outcomes(laptop.push()).values()) <= {Outcome.PUSHED, Outcome.UNCHANGED}
        pushed = turns.taken()
        desktop.states()
        seen = turns.taken()
        desktop.pull()
        taken.append([pushed, seen, turns.taken()])
        assert all(agree(laptop, desktop, session=session) for session in ids)
    _, many, one = taken
    assert many == one
    assert sum(one) <= 9


def test_one_connection_serves_a_whole_pull(
    ssh_host: SshHost, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    started: list[Session] = []
    opened = Session.__init__

    def counted(session: Session, *arguments: Any) -> None:
        started.append(session)
        opened(session, *arguments)

    monkeypatch.setattr(Session, "__init__", counted)
    for machine in (laptop, desktop):
        preferences.change(
            machine.paths,
            location=ssh_host.location(world.store),
            ssh_command=ssh_host.command_alone(),
        )
    for count in (1, 2):
        laptop.write(SESSION, said("hello"))
        laptop.push()
        desktop.pull()
        assert agree(laptop, desktop)
        assert len(started) == 2 * count


def test_an_answer_that_came_while_something_else_was_done_is_taken_in(
    ssh_host: SshHost, opened: list[Transport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = ssh_host.location(tmp_path / "store")
    reach(ssh_host, location, opened, tmp_path).create()
    # As after a wait as long as a host may take for its greeting.
    monkeypatch.setattr(ssh_session, "_GREETING_SECONDS", 0.0)
    monkeypatch.setattr(ssh_session, "_MOMENT_SECONDS", 10.0)
    store = reach(ssh_host, location, opened, tmp_path)
    with store.start_listing() as answer:
        assert answer().entries == ()


def test_closing_ends_what_somebody_left_in_the_middle_and_still_holds(
    ssh_host: SshHost, opened: list[Transport], tmp_path: Path
) -> None:
    before = set(psutil.Process().children())
    store = reach(ssh_host, ssh_host.location(tmp_path / "store"), opened, tmp_path)
    store.create()
    write_all(store, put_of("p/a", b"x" * (8 << 20)))
    gots = iter(store.read([Get("p/a", [Range(0, -1)])]))
    left = next(gots)
    assert next(left.blocks)
    started = set(psutil.Process().children()) - before
    assert started
    store.close()
    assert [one for one in started if one.is_running()] == []
    del gots


@pytest.mark.parametrize("location", ["nas:sessions", "ssh://nas{home}/sessions"])
def test_a_home_that_is_not_there_is_not_made(tmp_path: Path, location: str) -> None:
    home = tmp_path / "volume1" / "homes" / "me"
    ssh = tmp_path / "ssh"
    lines = ["#!/bin/sh", "for last; do :; done", f"HOME={home}; export HOME; cd /"]
    ssh.write_text("\n".join([*lines, 'exec /bin/sh -c "$last"', ""]))
    ssh.chmod(0o755)
    transport = open_transport(location.format(home=home), [str(ssh)], tmp_path / "run")
    try:
        with pytest.raises(StoreDenied, match="home directory isn't there"):
            transport.create()
        assert not (tmp_path / "volume1").exists()
        home.mkdir(parents=True)
        transport.create()
        assert (home / "sessions").is_dir()
    finally:
        transport.close()
