"""What the client starts at its events: real processes, with a running service and without one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

from capabilities import require_linux, require_posix
from claude_sync.disk.locks import Lock
from claude_sync.service import schedule
from claude_sync.state import preferences
from claude_sync.state.paths import Paths, paths
from claude_sync.sync import context
from claude_sync_app.inside_client import late_push
from claude_sync_app.inside_client.plugin_files import PLUGIN, this_program, write_copy
from machines import KEY, OTHER, SESSION, PlayedMachine, World, opened, said
from repositories import clone
from services import prepare, serving
from waiting import PATIENCE_SECONDS, until

HOUR = 3600.0
EVENTS = {"start": "SessionStart", "stop": "Stop", "end": "SessionEnd"}
RESTS = ["stop", "end"]


class Said:
    """What a hook said, and how it ended."""

    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def is_quiet(self) -> bool:
        """Whether nobody notices that it ran."""
        return (self.status, self.out, self.err) == (0, b"", b"")

    @property
    def line(self) -> str:
        """What the client shows of it."""
        assert (self.status, self.err) == (0, b"")
        document = json.loads(self.out)
        assert list(document) == ["systemMessage"]
        return str(document["systemMessage"])


class Plugged:
    """A machine with the plugin: its hooks run as the client runs them."""

    def __init__(self, machine: PlayedMachine) -> None:
        self.machine = machine
        self.folder = machine.home / "plugin"
        write_copy(self.folder, this_program())

    @property
    def program_file(self) -> Path:
        return self.folder / PLUGIN / "hooks" / "program"

    def starts(self, program: Path) -> None:
        """Have the hooks start another program in Python's place."""
        lines = self.program_file.read_text().splitlines()
        self.program_file.write_text("\n".join([str(program), *lines[1:]]) + "\n")

    def command(self, event: str) -> list[str]:
        require_posix("a shell of POSIX")
        document = json.loads((self.folder / PLUGIN / "hooks" / "hooks.json").read_text())
        (group,) = document["hooks"][EVENTS[event]]
        command = group["hooks"][0]["command"]
        return ["/bin/sh", "-c", command.replace("${CLAUDE_PLUGIN_ROOT}", "$ROOT")]

    def environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "HOME": str(self.machine.home),
            "USERPROFILE": str(self.machine.home),
            "ROOT": str(self.folder / PLUGIN),
            "LC_ALL": "C",
        }

    def given(self, event: str, session: str = SESSION, **changes: object) -> bytes:
        """What the client gives to a hook."""
        document = {
            "session_id": session,
            "transcript_path": str(self.machine.path(session)),
            "cwd": str(self.machine.project),
            "hook_event_name": EVENTS[event],
        }
        return json.dumps({**document, **changes}).encode()

    def run(self, event: str, given: bytes | None = None) -> Said:
        """Run the hook of an event to its end, in a session of its own, as the client does."""
        done = subprocess.run(
            self.command(event),
            input=self.given(event) if given is None else given,
            capture_output=True,
            cwd=self.machine.project,
            env=self.environment(),
            start_new_session=True,
            timeout=PATIENCE_SECONDS,
        )
        return Said(done)

    def run_patiently(self, event: str, **environment: str) -> Said:
        """Run the program that the hook starts, without what ends it after its time."""
        program = this_program()
        done = subprocess.run(
            [program.python, "-I", "-S", program.script, event, program.packages],
            input=self.given(event),
            capture_output=True,
            env={**self.environment(), **environment},
            timeout=PATIENCE_SECONDS,
        )
        return Said(done)


def machine_at(world: World, name: str, runtime: Path) -> PlayedMachine:
    """A machine whose things are where the program looks for them by itself."""
    machine = PlayedMachine(world, name)
    if os.name == "nt":
        machine.paths = paths()  # asked of Windows, which knows nothing of HOME
    else:
        machine.paths = Paths(
            machine.home / ".config" / "claude-sync",
            machine.home / ".local" / "state" / "claude-sync",
            runtime,
        )
    machine.set_up()
    world.known.append(machine)
    return machine


@pytest.fixture
def short(home: Path) -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    above = "/tmp" if os.name == "posix" else tempfile.gettempdir()
    folder = Path(above, f"claude-sync-{os.getpid()}-{home.name}")
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def laptop(world: World, short: Path) -> PlayedMachine:
    machine = machine_at(world, "laptop", short / "run")
    prepare(machine, quiet_seconds=HOUR)
    return machine


@pytest.fixture
def plugged(laptop: PlayedMachine) -> Plugged:
    return Plugged(laptop)


def goes_on(machine: PlayedMachine, laptop: PlayedMachine) -> None:
    """Have another machine go on with a session of the laptop's."""
    laptop.write(SESSION, said("first"))
    laptop.push()
    machine.pull()
    machine.write(SESSION, said("more"))
    machine.push()


def everything_in(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def session_leaders(home: Path) -> list[int]:
    """The processes of a home that lead a session of their own."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("HOME") == str(home)
            if ours and os.getsid(process.pid) == process.pid:
                found.append(process.pid)
        except (psutil.Error, ProcessLookupError):
            continue  # it has ended, or is another user's
    return found


# --- a session comes to rest -------------------------------------------------------------------


@pytest.mark.parametrize("event", RESTS)
def test_the_service_is_told_and_pushes_at_once(
    plugged: Plugged, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    monkeypatch.setattr(schedule, "LATEST_SECONDS", HOUR)
    laptop = plugged.machine
    with serving(laptop):
        laptop.write(SESSION, said())
        assert plugged.run(event).is_quiet
        until(laptop.bundle().exists)


@pytest.mark.parametrize("event", RESTS)
def test_without_a_service_it_is_pushed_all_the_same(plugged: Plugged, event: str) -> None:
    laptop = plugged.machine
    laptop.write(SESSION, said())
    laptop.write(OTHER, said())
    assert plugged.run(event).is_quiet
    until(laptop.bundle().exists)
    assert opened(laptop.bundle()).transcript == laptop.read()
    assert not laptop.bundle(OTHER).exists()


def test_what_ends_the_client_and_its_terminal_does_not_end_the_push(plugged: Plugged) -> None:
    laptop = plugged.machine
    laptop.write(SESSION, said())
    with subprocess.Popen(
        plugged.command("end"),
        stdin=subprocess.PIPE,
        env=plugged.environment(),
        start_new_session=True,
    ) as hook:
        assert hook.stdin is not None
        assert hook.wait(PATIENCE_SECONDS) == 0
        for number in (signal.SIGHUP, signal.SIGINT):
            try:
                os.killpg(hook.pid, number)
            except ProcessLookupError:
                pass  # it has a session of its own already
        hook.stdin.write(plugged.given("end"))
    until(laptop.bundle().exists)


def test_once_it_is_under_way_not_even_a_kill_of_the_clients_group_ends_it(
    plugged: Plugged,
) -> None:
    laptop = plugged.machine
    laptop.write(SESSION, said())
    with (
        Lock(laptop.paths.lock_file, "pulling"),
        subprocess.Popen(
            plugged.command("end"),
            stdin=subprocess.PIPE,
            env=plugged.environment(),
            start_new_session=True,
        ) as hook,
    ):
        hook.communicate(plugged.given("end"), PATIENCE_SECONDS)
        until(lambda: session_leaders(laptop.home))
        try:
            os.killpg(hook.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nothing is left in it
    until(laptop.bundle().exists)


def test_two_clients_that_end_at_once_push_both_sessions(plugged: Plugged) -> None:
    laptop = plugged.machine
    for session in (SESSION, OTHER):
        laptop.write(session, said())
    hooks = [
        subprocess.Popen(plugged.command("end"), stdin=subprocess.PIPE, env=plugged.environment())
        for _ in range(2)
    ]
    for hook, session in zip(hooks, (SESSION, OTHER), strict=True):
        hook.communicate(plugged.given("end", session), PATIENCE_SECONDS)
        assert hook.returncode == 0
    until(lambda: laptop.bundle().exists() and laptop.bundle(OTHER).exists())


@pytest.mark.parametrize(
    "chosen",
    [{"push_on_change": False}, {"paused_until": float("inf")}, {"ignore": [KEY]}],
    ids=str,
)
def test_what_is_not_pushed_by_itself_stays_here(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, object]
) -> None:
    laptop.write(SESSION, said())
    preferences.change(laptop.paths, **chosen)
    with laptop.here():
        late_push.push_late(SESSION, closed=True)
        assert not laptop.bundle().exists()
        preferences.change(laptop.paths, **dict.fromkeys(chosen))
        late_push.push_late(SESSION, closed=True)
    assert laptop.bundle().exists()


def test_a_big_session_is_not_rewritten_after_each_answer(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "FREE_BYTES", 10)
    laptop.write(SESSION, said())
    with laptop.here():
        late_push.push_late(SESSION, closed=False)
        assert not laptop.bundle().exists()
        late_push.push_late(SESSION, closed=True)
    assert laptop.bundle().exists()


def test_a_closed_session_is_pushed_once_another_claude_sync_is_done(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "LOCK_PATIENCE_SECONDS", 0.0)
    laptop.write(SESSION, said())
    other = Lock(laptop.paths.lock_file, "pulling")
    other.acquire()
    pauses = list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            other.release()

    with laptop.here():
        late_push.push_late(SESSION, closed=False, pause=pause)
        assert pauses == [], "it is pushed when it rests next"
        late_push.push_late(SESSION, closed=True, pause=pause)
    assert len(pauses) == 3
    assert laptop.bundle().exists()


def test_a_closed_session_is_pushed_once_the_host_answers(laptop: PlayedMachine) -> None:
    laptop.write(SESSION, said())
    before = preferences.load(laptop.paths)
    away = {"location": "box:store", "ssh_command": [sys.executable, "-c", "exit(255)"]}
    preferences.change(laptop.paths, **away)

    def pause(_: float) -> None:
        preferences.change(laptop.paths, location=before.location, ssh_command=None)

    with laptop.here():
        late_push.push_late(SESSION, closed=True, pause=pause)
    assert laptop.bundle().exists()


def test_after_ten_minutes_it_is_given_up_and_logged(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "LOCK_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(late_push, "_PATIENCE_SECONDS", 0.0)
    laptop.write(SESSION, said())
    with Lock(laptop.paths.lock_file, "pulling"), laptop.here():
        late_push.push_late(SESSION, closed=True)
    assert "push failed: another claude-sync" in laptop.paths.log_file.read_text()


def test_what_fails_is_written_into_the_log(plugged: Plugged) -> None:
    laptop = plugged.machine
    laptop.write(SESSION, said())
    shutil.rmtree(laptop.world.store)
    assert plugged.run("end").is_quiet
    log = laptop.paths.log_file
    until(lambda: log.exists() and "push failed" in log.read_text())


# --- a session starts --------------------------------------------------------------------------


def is_told_of(title: str, line: str) -> bool:
    """Whether a line says that the desktop went on with a session, however slow this machine is."""
    when = r"(just now|\d+ minutes? ago)"
    return re.match(f"desktop went on with “{title}”, {when}: `claude-sync ", line) is not None


def test_the_service_says_what_another_machine_went_on_with(
    plugged: Plugged, world: World, tmp_path: Path
) -> None:
    goes_on(world.machine("desktop"), plugged.machine)
    with serving(plugged.machine) as service:
        until(lambda: service.status.arrivals)
        # Where nothing is set up, so that nobody else can say it.
        done = until(
            lambda: plugged.run_patiently("start", XDG_CONFIG_HOME=str(tmp_path)),
            lambda done: done.out,
        )
    assert is_told_of("first", done.line)


def test_without_a_service_a_folder_says_it_and_nothing_is_written(
    plugged: Plugged, world: World
) -> None:
    goes_on(world.machine("desktop"), plugged.machine)
    before = everything_in(plugged.machine.home)
    done = plugged.run_patiently("start")
    assert is_told_of("first", done.line)
    assert everything_in(plugged.machine.home) == before


@pytest.mark.parametrize("served", [True, False])
def test_a_project_that_was_just_cloned_is_known_as_well(
    plugged: Plugged, world: World, served: bool
) -> None:
    laptop, desktop = plugged.machine, world.machine("desktop")
    desktop.write(SESSION, said("never here"))
    desktop.push()
    laptop.paths.projects_file.unlink()
    with serving(laptop) if served else nullcontext():
        done = plugged.run_patiently("start")
    assert is_told_of("never here", done.line)


@pytest.mark.parametrize("served", [True, False])
def test_a_repository_whose_sessions_all_lie_further_down_is_the_same_project(
    plugged: Plugged, world: World, served: bool
) -> None:
    laptop, root = plugged.machine, plugged.machine.project
    laptop.project = root / "src"
    laptop.project.mkdir()
    laptop.add_project(None)
    goes_on(world.machine("desktop"), laptop)
    laptop.project = root
    with serving(laptop) if served else nullcontext():
        done = plugged.run_patiently("start")
    assert is_told_of("first", done.line)


@pytest.mark.parametrize("served", [True, False])
def test_of_another_project_that_lies_in_this_one_nothing_is_said(
    plugged: Plugged, world: World, served: bool
) -> None:
    laptop = plugged.machine
    goes_on(world.machine("desktop"), laptop)
    laptop.project = clone(laptop.project / "part-of-it")
    with serving(laptop) if served else nullcontext():
        assert plugged.run_patiently("start").is_quiet


def test_without_a_service_a_folder_says_what_has_diverged(plugged: Plugged, world: World) -> None:
    goes_on(world.machine("desktop"), plugged.machine)
    plugged.machine.write(SESSION, said("here as well"))
    done = plugged.run_patiently("start")
    assert done.line.startswith("“first” has diverged, here and on desktop: `claude-sync ")


def test_what_the_program_says_in_time_reaches_the_client(plugged: Plugged, tmp_path: Path) -> None:
    quick = tmp_path / "quick"
    quick.write_text('#!/bin/sh\ncat >/dev/null; echo \'{"systemMessage": "news"}\'\n')
    quick.chmod(0o755)
    plugged.starts(quick)
    # On a busy machine it may not be done in its time, and then says nothing.
    assert until(lambda: plugged.run("start"), lambda done: done.out).line == "news"


@pytest.mark.parametrize("served", [True, False])
def test_where_there_is_no_news_nothing_is_said(
    plugged: Plugged, world: World, served: bool
) -> None:
    laptop = plugged.machine
    laptop.write(SESSION, said())
    laptop.push()
    if served:
        with serving(laptop):
            assert plugged.run_patiently("start").is_quiet
    else:
        assert plugged.run_patiently("start").is_quiet


def test_a_host_is_never_asked(plugged: Plugged, tmp_path: Path) -> None:
    laptop = plugged.machine
    asked = tmp_path / "asked"
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\n: > {asked}\nexit 255\n")
    ssh.chmod(0o755)
    preferences.change(laptop.paths, location="ssh://nas/store", ssh_command=[str(ssh)])
    assert plugged.run_patiently("start").is_quiet
    assert not asked.exists()


# --- whatever is wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("event", EVENTS)
def test_a_program_that_was_removed_is_not_missed(plugged: Plugged, event: str) -> None:
    plugged.starts(Path("/gone/python"))
    assert plugged.run(event).is_quiet
    write_copy(plugged.folder, this_program()._replace(script="/gone/hook.py"))
    assert plugged.run(event).is_quiet
    plugged.program_file.unlink()
    assert plugged.run(event).is_quiet


@pytest.mark.parametrize("event", EVENTS)
def test_a_program_that_breaks_is_not_heard(plugged: Plugged, tmp_path: Path, event: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho Traceback >&2\nexit 3\n")
    broken.chmod(0o755)
    plugged.starts(broken)
    assert plugged.run(event).is_quiet


@pytest.mark.parametrize("event", EVENTS)
def test_a_program_that_never_ends_keeps_nobody_waiting(
    plugged: Plugged, tmp_path: Path, event: str
) -> None:
    slow, pid = tmp_path / "slow", tmp_path / "pid"
    slow.write_text(f"#!/bin/sh\necho $$ > {pid}.new; mv {pid}.new {pid}\nexec sleep 3600\n")
    slow.chmod(0o755)
    plugged.starts(slow)
    assert plugged.run(event).is_quiet
    if event != "start":
        os.kill(int(until(lambda: pid.read_text() if pid.exists() else "")), signal.SIGKILL)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"{",
        b"[]",
        b"\xff" * 1000,
        b"[" * 100_000,
        b'{"session_id": 7, "cwd": 7, "transcript_path": 7}',
        b'{"session_id": "../../x", "cwd": "/a\\u0000b", "transcript_path": "/a\\u0000/b/c"}',
        b'{"session_id": "$(touch x)", "cwd": "`touch x`", "transcript_path": "/;touch x"}',
        json.dumps({"cwd": "/" + "x" * 100_000, "session_id": SESSION}).encode(),
    ],
    ids=lambda given: repr(given[:24]),
)
def test_whatever_the_client_gives_nothing_goes_wrong(
    plugged: Plugged, event: str, given: bytes
) -> None:
    before = sorted(plugged.machine.home.rglob("*"))
    assert plugged.run(event, given).is_quiet
    assert [path for path in sorted(plugged.machine.home.rglob("*")) if path.name == "x"] == []
    assert "Traceback" not in "".join(
        path.read_text() for path in plugged.machine.home.rglob("*.log")
    )
    assert set(before) <= set(plugged.machine.home.rglob("*"))


@pytest.mark.parametrize("event", EVENTS)
def test_where_nothing_is_set_up_nothing_is_made(tmp_path: Path, event: str, world: World) -> None:
    nobody = PlayedMachine(world, "nobody")
    nobody.project.mkdir(parents=True)
    plugged = Plugged(nobody)
    before = set(nobody.home.rglob("*"))
    assert plugged.run_patiently(event).is_quiet
    assert set(nobody.home.rglob("*")) == before


# --- it starts quickly -------------------------------------------------------------------------

LISTING = """
import os, runpy, sys
os._exit = sys.exit
sys.argv[:] = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""
HEAVY = (
    "asyncio ctypes dataclasses inspect multiprocessing platformdirs psutil shutil site sqlite3 "
    "subprocess tempfile typing_extensions watchdog claude_sync.sync claude_sync.state.database"
)


@pytest.mark.parametrize(("event", "most"), [("start", 22), ("stop", 14), ("end", 14)])
def test_where_a_service_answers_next_to_nothing_is_imported(
    plugged: Plugged, event: str, most: int
) -> None:
    require_linux("folders of a user that are known without platformdirs")
    program = this_program()
    with serving(plugged.machine):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", LISTING, program.script, event, program.packages],
            input=plugged.given(event),
            env=plugged.environment(),
            capture_output=True,
            check=True,
        )
    loaded = set(done.stderr.decode().split())
    assert "claude_sync.service.inlet_address" in loaded
    assert loaded & set(HEAVY.split()) == set()
    assert len([name for name in loaded if name.startswith("claude_sync")]) <= most
