"""The running service's inlet: real sockets, real services, and callers of every kind."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from capabilities import require_posix, require_unix_sockets
from claude_sync.service import inlet as inlet_module
from claude_sync.service import schedule
from claude_sync.service.inlet import MAX_SOCKET_PATH, Inlet
from claude_sync.service.inlet_address import Address, home_mark, read_address, send
from claude_sync.service.messages import (
    CLOSED,
    MAX_REQUEST_BYTES,
    NEWS,
    RESTED,
    Answer,
    News,
    Request,
    request_line,
)
from claude_sync.service.service import Service
from claude_sync.state import preferences
from claude_sync.state.paths import Paths
from machines import KEY, OTHER, SESSION, PlayedMachine, World, said
from services import prepare, serving
from waiting import PATIENCE_SECONDS, until

HOUR = 3600.0
NEWER = Answer((News(SESSION, "Fix", "laptop", 5, diverged=False),), 1)


class Listening:
    """An inlet, where it is, and what it heard."""

    def __init__(self, paths: Paths, home: Path) -> None:
        self.paths, self.home = paths, home
        self.file = paths.inlet_file_of(home_mark(home))
        self.heard: list[Request] = []
        self.inlet = Inlet(paths, home, tell=self.heard.append, ask=lambda _: NEWER)

    @property
    def address(self) -> Address:
        found = read_address(self.file)
        assert found is not None
        return found

    def call(self) -> socket.socket:
        """A connection to it."""
        if not self.address.path:
            return socket.create_connection(("127.0.0.1", self.address.port), PATIENCE_SECONDS)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(self.address.path)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def listening(paths: Paths, home: Path) -> Iterator[Listening]:
    listener = Listening(paths, home)
    listener.inlet.open()
    try:
        yield listener
    finally:
        listener.inlet.close()


def paths_in(folder: Path, *, runtime: str = "run") -> Paths:
    return Paths(folder / "config", folder / "state", folder / runtime)


@pytest.fixture
def short(home: Path) -> Iterator[Path]:
    """A folder whose path is short enough for a socket below it, however deep the tests' lie."""
    above = "/tmp" if os.name == "posix" else tempfile.gettempdir()
    folder = Path(above, f"claude-sync-{os.getpid()}-{home.name}")
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=["socket", "port"])
def listener(request: pytest.FixtureRequest, short: Path) -> Iterator[Listening]:
    """An inlet on a socket, and one on a port, since its socket's path would be too long."""
    if request.param == "socket":
        require_unix_sockets()
    runtime = "run" if request.param == "socket" else "r" * MAX_SOCKET_PATH
    with listening(paths_in(short, runtime=runtime), short / ".claude") as one:
        assert bool(one.address.path) is (request.param == "socket")
        yield one


def test_it_hears_and_answers(listener: Listening) -> None:
    for told in (Request(RESTED, SESSION), Request(CLOSED, OTHER)):
        assert send(listener.address, told, PATIENCE_SECONDS) == Answer()
    assert send(listener.address, Request(NEWS, project=KEY), PATIENCE_SECONDS) == NEWER
    assert listener.heard == [Request(RESTED, SESSION), Request(CLOSED, OTHER)]


def test_only_this_user_can_read_where_it_is_or_get_to_it(listener: Listening) -> None:
    require_posix("permission bits")
    assert stat.S_IMODE(listener.file.stat().st_mode) == 0o600
    if listener.address.path:
        assert stat.S_IMODE(os.stat(listener.address.path).st_mode) == 0o600
        assert stat.S_IMODE(listener.paths.runtime.stat().st_mode) == 0o700


def test_who_does_not_know_the_secret_gets_no_answer(listener: Listening) -> None:
    stranger = listener.address._replace(asking="cd" * 32)
    assert send(stranger, Request(NEWS, project=KEY), PATIENCE_SECONDS) is None
    assert send(stranger, Request(RESTED, SESSION), PATIENCE_SECONDS) is None
    assert listener.heard == []


def test_who_answers_without_the_other_secret_is_not_believed(listener: Listening) -> None:
    usurped = listener.address._replace(answering="cd" * 32)
    assert send(usurped, Request(NEWS, project=KEY), PATIENCE_SECONDS) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\n", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="a browser"),
        pytest.param(b"\x00" * 100_000 + b"\n", id="zeros"),
        pytest.param(b"a" * (10 * MAX_REQUEST_BYTES), id="no end"),
    ],
)
def test_what_makes_no_sense_is_cut_off_and_others_are_served(
    listener: Listening, data: bytes
) -> None:
    with listener.call() as caller:
        try:
            caller.sendall(data)
            assert caller.recv(1) == b""
        except ConnectionError:
            pass  # cut off before it had said all
    assert send(listener.address, Request(RESTED, SESSION), PATIENCE_SECONDS) == Answer()


def test_who_says_nothing_is_cut_off_after_a_while(listener: Listening) -> None:
    with listener.call() as silent:
        assert silent.recv(1) == b""


def test_callers_who_say_nothing_keep_nobody_out(
    listener: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inlet_module, "_MESSAGE_SECONDS", HOUR)
    with ExitStack() as stack:
        for _ in range(5 * inlet_module._MAX_CONNECTIONS):
            stack.enter_context(listener.call())
        told = send(listener.address, Request(RESTED, SESSION), PATIENCE_SECONDS)
        assert told == Answer()


def test_a_message_may_come_in_pieces_and_its_sender_needn_t_wait(listener: Listening) -> None:
    line = request_line(Request(CLOSED, SESSION), listener.address.asking)
    with listener.call() as caller:
        for index in range(0, len(line), 7):
            caller.sendall(line[index : index + 7])
    until(lambda: listener.heard)
    assert listener.heard == [Request(CLOSED, SESSION)]


def test_at_its_end_it_takes_away_what_says_where_it_was(listener: Listening) -> None:
    address = listener.address
    listener.inlet.close()
    assert not listener.file.exists()
    assert not address.path or not os.path.exists(address.path)
    assert send(address, Request(RESTED, SESSION), PATIENCE_SECONDS) is None
    listener.inlet.open()


def test_what_is_no_socket_is_left_alone(short: Path) -> None:
    paths = paths_in(short)
    in_the_way = paths.inlet_socket_of(home_mark(short / ".claude"))
    in_the_way.parent.mkdir(mode=0o700)
    in_the_way.write_text("somebody's")
    with listening(paths, short / ".claude") as one:
        assert one.address.port
        assert send(one.address, Request(RESTED, SESSION), PATIENCE_SECONDS) == Answer()
    assert in_the_way.read_text() == "somebody's"


def test_a_folder_that_others_get_into_holds_no_socket(short: Path) -> None:
    paths = paths_in(short)
    paths.runtime.mkdir()
    paths.runtime.chmod(0o755)
    with listening(paths, short / ".claude") as one:
        assert one.address.port


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"path": "/x"}',
        '{"path": 7, "port": 0, "asking": "a", "answering": "b"}',
        '{"path": "", "port": 99999, "asking": "a", "answering": "b"}',
        '{"path": "", "port": true, "asking": "a", "answering": "b"}',
        '{"path": "", "port": 80, "asking": "", "answering": ""}',
    ],
)
def test_an_address_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "inlet"
    file.write_text(text)
    assert read_address(file) is None


# --- a running service -------------------------------------------------------------------------


@pytest.fixture
def laptop(world: World, short: Path) -> PlayedMachine:
    machine = world.machine("laptop")
    machine.paths = machine.paths._replace(runtime=short / "run")
    prepare(machine, quiet_seconds=HOUR)
    return machine


def address_of(machine: PlayedMachine) -> Address:
    found = read_address(machine.paths.inlet_file_of(home_mark(machine.claude)))
    assert found is not None
    return found


def tell(machine: PlayedMachine, kind: str, session_id: str = SESSION) -> None:
    told = send(address_of(machine), Request(kind, session_id), PATIENCE_SECONDS)
    assert told == Answer()


@pytest.mark.parametrize("kind", [RESTED, CLOSED])
def test_what_the_client_is_done_with_is_pushed_at_once(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(schedule, "LATEST_SECONDS", HOUR)
    with serving(laptop):
        laptop.write(SESSION, said())
        tell(laptop, kind)
        until(laptop.bundle().exists)


def test_two_clients_at_once_are_both_heard(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LATEST_SECONDS", HOUR)
    with serving(laptop):
        for session in (SESSION, OTHER):
            laptop.write(session, said())
        tell(laptop, RESTED, OTHER)
        tell(laptop, CLOSED, SESSION)
        until(lambda: laptop.bundle().exists() and laptop.bundle(OTHER).exists())


@pytest.mark.parametrize(
    "chosen", [{"push_on_change": False}, {"paused_until": float("inf")}], ids=str
)
def test_nothing_is_pushed_that_is_not_pushed_by_itself(
    laptop: PlayedMachine, chosen: dict[str, object]
) -> None:
    preferences.change(laptop.paths, **chosen)
    with serving(laptop) as service:
        laptop.write(SESSION, said())
        tell(laptop, CLOSED)
        service.look_now().result(PATIENCE_SECONDS)
        until(lambda: service.status.sessions)
        assert not laptop.bundle().exists()


def test_a_session_of_which_there_is_none_changes_nothing(laptop: PlayedMachine) -> None:
    with serving(laptop) as service:
        tell(laptop, CLOSED)
        service.call(lambda _: None).result(PATIENCE_SECONDS)
        assert service.status.error == ""


def test_a_question_is_answered_from_what_the_last_look_saw(laptop: PlayedMachine) -> None:
    desktop = laptop.world.machine("desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    desktop.write(SESSION, said("more"))
    with serving(laptop) as service:
        desktop.push()
        until(lambda: service.status.arrivals)
        question = Request(NEWS, project=KEY)
        answer = send(address_of(laptop), question, PATIENCE_SECONDS)
        assert answer is not None
        (news,) = answer.news
        assert (news.session_id, news.machine, news.diverged) == (SESSION, "desktop", False)
        elsewhere = Request(NEWS, project="name:another")
        assert send(address_of(laptop), elsewhere, PATIENCE_SECONDS) == Answer()


def test_services_of_two_folders_of_claude_codes_are_told_apart(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LATEST_SECONDS", HOUR)
    second = laptop.home / ".claude-work"
    (second / "projects").mkdir(parents=True)
    with serving(laptop):
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(second))
        with laptop.here():
            other = Service(laptop.paths, interval_seconds=HOUR)
            other.start()
        try:
            assert read_address(laptop.paths.inlet_file_of(home_mark(second))) is not None
            laptop.write(SESSION, said())
            tell(laptop, CLOSED)
            until(laptop.bundle().exists)
        finally:
            assert other.stop(PATIENCE_SECONDS)


WATCHING = """
import sys, time
from pathlib import Path
from claude_sync.service.service import Service
from claude_sync.state.paths import Paths
service = Service(Paths(*map(Path, sys.argv[1:])))
service.start()
print("watching", flush=True)
time.sleep(3600)
"""


def test_what_a_killed_service_left_behind_is_in_nobodys_way(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", WATCHING, *map(str, laptop.paths)]
    with laptop.here(), subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "watching\n"
        left = address_of(laptop)
        killed.kill()
    assert not left.path or os.path.exists(left.path)  # a port leaves nothing
    assert send(left, Request(CLOSED, SESSION), PATIENCE_SECONDS) is None
    monkeypatch.setattr(schedule, "LATEST_SECONDS", HOUR)
    with serving(laptop):
        assert address_of(laptop).asking != left.asking
        laptop.write(SESSION, said())
        tell(laptop, CLOSED)
        until(laptop.bundle().exists)


def test_a_service_that_cannot_be_told_watches_all_the_same(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Callable[[], None]:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(inlet_module, "write_object", refuse)
    preferences.change(laptop.paths, quiet_seconds=0.2)
    with serving(laptop):
        laptop.write(SESSION, said())
        until(laptop.bundle().exists)
        assert "can't be told by the client" in laptop.paths.log_file.read_text()
