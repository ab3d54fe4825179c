"""From an exit here to the notification there: ``python tests/benchmarks/arrival.py [PLACE …]``.

Two machines with a thousand sessions that meet in a folder, or on a host (PLACE is *folder* or
*host*, both without one). On the one, the hooks of the plugin run as the client runs them: how long
it is kept waiting, with a running service and without one; and from its exit on, how long until the
bundle is in the folder, and until the tray of the other shows that it arrived. The host is a real
sshd behind a proxy that takes 50 ms for a round trip, and tells both machines what changes. Linux
only. The exit status is 1 if a limit was missed.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "app"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import PROGRAM
from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids
from claude_sync_app.inside_client.plugin_files import PLUGIN, this_program, write_copy
from conformance.proxy import through_proxy
from conformance.sshd import running_sshd
from desktop.notification_servers import NotificationServer
from desktop.panel import Panel
from desktop.programs import PrivateBus, Programs
from waiting import until

_SESSIONS = 1000
_SESSION_BYTES = 20_000
_HOOKS = 15
_EXITS = 9
_BETWEEN_SECONDS = 5.0
_EVENTS = ("start", "stop", "end")
_HOOK_LIMIT_MS = 200
_FOLDER_LIMIT_SECONDS = 1.0
_HOST_LIMIT_SECONDS = 3.0
_ROUND_TRIP_MS = 50
_SETTLING_SECONDS = 5.0


class Bench:
    """A machine with the plugin, another one with a tray, and the folder between them.

    Args:
        folder: where all of it lives.
        programs: what is started and has to end.
        location: where the machines meet, None for a folder beside them.
        ssh_command: the ssh that leads there.
    """

    def __init__(
        self,
        folder: Path,
        programs: Programs,
        location: str | None = None,
        ssh_command: Sequence[str] = (),
    ) -> None:
        self.location = location
        self.bus = PrivateBus(programs, folder, "bus")
        self.panel = Panel(self.bus.address)
        self.server = NotificationServer(self.bus.address)
        self.lines = Lines()
        self.here = BenchMachine(folder, "laptop", 20)
        self.there = BenchMachine(folder, "desk", 20)
        self.ids = iter(session_ids(_SESSIONS + 10 * (_HOOKS + _EXITS)))
        # Each machine its own runtime directory, as on a desktop.
        for machine in (self.here, self.there):
            runtime = machine.home / "run"
            runtime.mkdir(mode=0o700)
            machine.environment["XDG_RUNTIME_DIR"] = str(runtime)
        old = [next(self.ids) for _ in range(_SESSIONS)]
        self.here.fill(old, _SESSION_BYTES, self.lines)
        self.plugin = folder / "plugin"
        write_copy(self.plugin, this_program())
        for machine in (self.here, self.there):
            machine.set_up()
            if location is not None:
                machine("config", "set", "ssh_command", json.dumps(ssh_command))
                machine("init", location, "--name", machine.name)
        self.here("push", "--all")

    @contextmanager
    def service(self) -> Iterator[None]:
        """The first machine's service."""
        words = self.here.home / "said"
        with words.open("wb") as file:
            process = subprocess.Popen(
                [PROGRAM, "watch", "--no-pull"],
                env=self.here.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        try:
            until(lambda: "Watching" in words.read_text(), seconds=60)
            until(lambda: list(self.here.home.glob(".local/state/claude-sync/*.inlet")))
            yield
        finally:
            process.terminate()
            process.wait(10)

    @contextmanager
    def tray(self) -> Iterator[None]:
        """The second machine's tray, past its first look, with nothing left to tell."""
        self.there("pull", "--all")
        process = subprocess.Popen(
            [PROGRAM.with_name("claude-sync-tray")],
            env={**self.there.environment, "DBUS_SESSION_BUS_ADDRESS": self.bus.address},
            stdin=subprocess.DEVNULL,
        )
        try:
            until(lambda: len(self.panel.watcher.registered) > 0, seconds=60)
            until(lambda: self.panel.menu().rows[0].label.startswith("Up to date"), seconds=60)
            yield
        finally:
            process.terminate()
            process.wait(10)

    def session(self) -> str:
        """A new session of the first machine, open and just written to; its id."""
        session_id = next(self.ids)
        self.here.write(session_id, self.lines.blocks(self.here.directories[0], _SESSION_BYTES))
        os.utime(self.here.transcript(session_id))
        live = self.here.home / ".claude" / "sessions" / f"{os.getpid()}.json"
        live.write_text(json.dumps({"pid": os.getpid(), "sessionId": session_id}))
        return session_id

    def exit(self, session_id: str) -> None:
        """What the client does at its exit before its hooks: the last line, no live file."""
        with self.here.transcript(session_id).open("ab") as file:
            file.write(self.lines.line(self.here.directories[0]))
        for live in (self.here.home / ".claude" / "sessions").glob("*.json"):
            live.unlink()

    def hook(self, event: str, session_id: str) -> float:
        """Run an event's hook as the client does; how long it was kept waiting, milliseconds."""
        given = {
            "session_id": session_id,
            "transcript_path": str(self.here.transcript(session_id)),
            "cwd": str(self.here.directories[0]),
        }
        began = time.perf_counter()
        subprocess.run(
            ["sh", self.plugin / PLUGIN / "hooks" / "run", event],
            input=json.dumps(given).encode(),
            env=self.here.environment,
            capture_output=True,
            start_new_session=True,
            check=True,
        )
        return 1000 * (time.perf_counter() - began)

    def is_there(self, session_id: str) -> bool:
        """Whether the first machine's bundle of a session is in the folder."""
        return next(self.here.store.glob(f"*/{session_id}-laptop.ccsync"), None) is not None

    def close(self) -> None:
        self.panel.close()
        self.server.close()


def hook_rows(bench: Bench, how: str) -> list[Row]:
    """How long the client is kept waiting."""
    session_id = bench.session()
    rows = []
    for event in _EVENTS:
        figures = []
        for _ in range(_HOOKS):
            figures.append(bench.hook(event, session_id))
            # What it left to run by itself isn't to be measured with the next.
            until(lambda: not _late_ones())
        median = statistics.median(figures)
        rows.append(Row(f"{event}, {how}", median, "ms", _HOOK_LIMIT_MS, _worst(figures, "ms")))
    return rows


def arrival_rows(bench: Bench, how: str, limit_seconds: float) -> list[Row]:
    """How long from the client's exit to what others see of it."""
    bundles, notices = [], []
    for _ in range(_EXITS):
        # People don't exit one session after another, and looking often is put off.
        time.sleep(_BETWEEN_SECONDS)
        session_id, before = bench.session(), len(bench.server.shown)
        bench.exit(session_id)
        began = time.perf_counter()
        bench.hook("end", session_id)
        if bench.location is None:
            _until(lambda wanted=session_id: bench.is_there(wanted))  # type: ignore[misc]
            bundles.append(time.perf_counter() - began)
        _until(lambda seen=before: len(bench.server.shown) > seen)  # type: ignore[misc]
        notices.append(time.perf_counter() - began)
    rows = [_row(f"exit to bundle, {how}", bundles, None)] if bundles else []
    return [*rows, _row(f"exit to notification, {how}", notices, limit_seconds)]


def measure(folder: Path, programs: Programs) -> list[Row]:
    """All figures over a folder."""
    bench = Bench(folder, programs)
    rows: list[Row] = []
    try:
        for how, running in (("with a service", bench.service), ("without one", nullcontext)):
            with running():
                rows += hook_rows(bench, how)
        with bench.tray():
            for how, running in (("with a service", bench.service), ("without one", nullcontext)):
                with running():
                    rows += arrival_rows(bench, how, _FOLDER_LIMIT_SECONDS)
    finally:
        bench.close()
    return rows


def measure_host(folder: Path, programs: Programs) -> list[Row]:
    """From an exit to a notification over a host."""
    (folder / "sshd").mkdir()
    with running_sshd(folder / "sshd") as host:
        proxy = through_proxy(host.port, f"--round-trip={_ROUND_TRIP_MS}")
        location = host.location(host.root / "store")
        bench = Bench(folder, programs, location, host.command_with(proxy))
        try:
            with bench.tray(), bench.service():
                time.sleep(_SETTLING_SECONDS)
                return arrival_rows(bench, "with a service", _HOST_LIMIT_SECONDS)
        finally:
            bench.close()
            host.end_connections()


def _late_ones() -> list[int]:
    """Processes that hooks left to run by themselves."""
    script = this_program().script
    return [one.pid for one in psutil.process_iter() if script in _command_of(one)]


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []  # it has just ended


def _row(what: str, figures: Sequence[float], limit: float | None) -> Row:
    return Row(what, statistics.median(figures), "s", limit, _worst(figures, "s"))


def _worst(figures: Sequence[float], unit: str) -> str:
    return f"the worst of {len(figures)}: {max(figures):.3g} {unit}"


def _until(done: Callable[[], bool]) -> None:
    """Look a thousand times a second, which costs the measured program nothing on another core."""
    end = time.monotonic() + 30
    while not done():
        if time.monotonic() > end:
            raise SystemExit("what is measured never came")
        time.sleep(0.001)


def main() -> int:
    """Measure, show, and say whether all limits held."""
    places = {"folder": measure, "host": measure_host}
    all_hold = True
    for place in sys.argv[1:] or places:
        folder = Path(tempfile.mkdtemp(prefix="cs-arrival-"))
        programs = Programs()
        try:
            rows = places[place](folder, programs)
        finally:
            programs.end_all()
            shutil.rmtree(folder, ignore_errors=True)
        all_hold &= show(f"hooks and arrivals over a {place}, {_SESSIONS:,} sessions", rows)
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main())
