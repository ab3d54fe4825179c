"""Machines for tests: each with its own home, Claude tree, state and project; one store for all.

Everything is real: folders, records, locks, the store. A machine is told from another by its home,
so all of them can be played in one process.

    world = World(tmp_path)
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("hello"))
    laptop.push()
    desktop.pull()
    assert desktop.read(SESSION) == laptop.read(SESSION)
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from claude_sync.bundle.unpack import SidecarData, SidecarEnd, TranscriptData, Unpacked, unpack
from claude_sync.claude.home import encode_directory
from claude_sync.doctor import examine
from claude_sync.errors import ClaudeSyncError
from claude_sync.model import BundleHead, Finding, Outcome, Result, SessionState
from claude_sync.sealed.keys import Master
from claude_sync.sealed.names import sealed_file, sealed_folder
from claude_sync.spelling import extended
from claude_sync.state.keys import load_master
from claude_sync.state.paths import Paths
from claude_sync.sync.context import Context, open_context
from claude_sync.sync.forget import bundles_of_sessions, forget
from claude_sync.sync.pull import pull
from claude_sync.sync.push import push
from claude_sync.sync.resolve import resolve
from claude_sync.sync.restore import earlier_versions, restore
from claude_sync.sync.setup import SetUp, set_up
from claude_sync.sync.states import states
from claude_sync.sync.store_key import KeyChoice
from claude_sync.sync.undo import undo
from repositories import bare_bones
from sealed_files import opened_whole

PASSPHRASE = "correct horse battery staple"
SESSION = "0f4c1d9e-1111-4222-8333-444455556666"
OTHER = "1a2b3c4d-1111-4222-8333-444455556666"
KEY = "git:example.org/you/app"
REMOTE = "https://example.org/you/app"
KEY_FOLDER = "git+example.org+you+app"
CLIENT_VERSION = "2.1.330"
"""What the client writes beside what was said; this one writes live files."""
DAY_NS = 86_400 * 10**9

_numbers = itertools.count(1)
_NAMES_OF_THE_HOME = ("HOME", "USERPROFILE")
"""On Windows the second counts."""


# --- what a client writes ----------------------------------------------------------------------


def said(text: str = "hello", **more: object) -> bytes:
    """A line that holds something said; no two are alike."""
    event = {
        "type": "user",
        "uuid": f"u{next(_numbers)}",
        "version": CLIENT_VERSION,
        "message": {"content": text},
        **more,
    }
    return json.dumps(event).encode() + b"\n"


def bookkeeping(**more: object) -> bytes:
    """A line that the client writes when a session is merely looked at; no two are alike."""
    return json.dumps({"type": "cost-state", "number": next(_numbers), **more}).encode() + b"\n"


# --- a bundle, read to the end -----------------------------------------------------------------


class Opened(NamedTuple):
    """What a bundle holds."""

    head: BundleHead
    transcript: bytes
    sidecar: Mapping[str, bytes]


def opened(path: Path) -> Opened:
    """A bundle's contents, every hash checked."""
    return opened_bytes(path.read_bytes())


def opened_bytes(data: bytes) -> Opened:
    """The same of a bundle's bytes."""
    transcript, sidecar, pending = b"", dict[str, bytes](), b""
    for event in unpack([data]):
        if isinstance(event, TranscriptData):
            transcript += event.data
        elif isinstance(event, SidecarData):
            pending += event.data
        elif isinstance(event, SidecarEnd):
            sidecar[event.file.path], pending = pending, b""
        elif isinstance(event, Unpacked):
            return Opened(event.head, transcript, sidecar)
    raise AssertionError("a bundle without an end")


# --- machines ----------------------------------------------------------------------------------


class PlayedMachine:
    """One machine with one project; nothing of it exists before `set_up`.

    Args:
        world: where it lives.
        name: its name, and its home's.
        live_files: whether its client writes live files, as clients do now; without them a
            transcript that changed in the last minute counts as open.

    Attributes:
        home: its home directory.
        project: the directory its sessions are worked on in.
    """

    def __init__(self, world: World, name: str, *, live_files: bool = True) -> None:
        self.world = world
        self.name = name
        self.home = world.folder / name
        self.paths = Paths(self.home / "config", self.home / "state", self.home / "run")
        self.claude = self.home / ".claude"
        self.project = self.home / "code" / f"app-on-{name}"
        self._live_files = live_files

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @contextmanager
    def here(self) -> Iterator[None]:
        """Be at this machine: its home is the process's."""
        before = {name: os.environ[name] for name in _NAMES_OF_THE_HOME}
        os.environ.update(dict.fromkeys(_NAMES_OF_THE_HOME, str(self.home)))
        try:
            yield
        finally:
            os.environ.update(before)

    @contextmanager
    def at_work(self, should_stop: Callable[[], bool] | None = None) -> Iterator[Context]:
        """Be at this machine with everything open that claude-sync works with."""
        with self.here(), open_context(self.paths, should_stop=should_stop) as context:
            yield context

    # -- what claude-sync does ----------------------------------------------------------------

    def set_up(self, *, name: str | None = None, take_over: bool = False) -> SetUp:
        """Choose the world's store, and make the project known."""
        if not self.project.exists():
            bare_bones(self.project, REMOTE)
        if self._live_files:
            (self.claude / "sessions").mkdir(parents=True, exist_ok=True)
        with self.here():
            done = set_up(
                self.paths,
                self.world.location,
                name=name or self.name,
                take_over=take_over,
                key=self.world.key,
            )
        self.add_project()
        return done

    def add_project(self, key: str | None = KEY) -> None:
        """Register the project's directory, under a key that costs no look at git."""
        with self.at_work() as context:
            context.registry.add(self.project, key)

    def push(self, *sessions: str) -> dict[str, Result]:
        """Push what changed, or the sessions that are named; the results by session."""
        with self.at_work() as context:
            return _by_session(push(context, sessions or None))

    def pull(self, *sessions: str, replace: bool = True) -> dict[str, Result]:
        """Pull all, or the sessions that are named, as a person does; the results by session."""
        with self.at_work() as context:
            return _by_session(pull(context, sessions or None, replace=replace))

    def resolve(self, session: str = SESSION, keep: str = "theirs") -> list[Result]:
        """Settle a conflict."""
        with self.at_work() as context:
            return resolve(context, session, keep)

    def undo(self, session: str = SESSION) -> Result:
        """Take back the last pull or resolve."""
        with self.at_work() as context:
            return undo(context, session)

    def bring_back(self, session: str = SESSION, number: int = 0) -> list[Result]:
        """Bring back an earlier version, by its number, counted round; no result where none is."""
        with self.at_work() as context:
            found = earlier_versions(context, session)
        if not found:
            return []
        with self.at_work() as context:
            return restore(context, session, found[number % len(found)].version)

    def forget(self, session: str = SESSION) -> int:
        """Remove this machine's bundle."""
        with self.at_work() as context:
            return len(forget(context, bundles_of_sessions(context, [session])))

    def states(self) -> dict[str, SessionState]:
        """Where every session stands."""
        with self.at_work() as context:
            return {state.session_id: state for state in states(context)}

    # -- what lies in Claude's tree -----------------------------------------------------------

    @property
    def folder(self) -> Path:
        """The folder of the project's sessions in Claude's tree."""
        folders = Path(extended(str(self.claude / "projects")))
        return folders / encode_directory(os.path.realpath(self.project))

    def path(self, session: str = SESSION) -> Path:
        """A session's transcript."""
        return self.folder / f"{session}.jsonl"

    def has(self, session: str = SESSION) -> bool:
        """Whether a session's transcript is here."""
        return self.path(session).exists()

    def read(self, session: str = SESSION) -> bytes:
        """A transcript's bytes."""
        return self.path(session).read_bytes()

    def write(self, session: str, *lines: bytes) -> bytes:
        """Append to a transcript as the client does; the whole of it afterwards."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path(session).open("ab") as file:
            file.write(b"".join(lines))
        return self.read(session)

    def rewrite(self, session: str, data: bytes) -> None:
        """Replace a transcript's bytes in place, as a client, a crash or a disk may."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path(session).write_bytes(data)

    def begin_anew(self, session: str, data: bytes) -> None:
        """Replace a transcript that is in the store, and say that this is meant."""
        self.rewrite(session, data)
        self.grow_old(session)
        self.resolve(session, "mine")

    def write_sidecar(self, session: str, relative: str, data: bytes) -> Path:
        """Put a file into a session's sidecar folder."""
        path = self.folder / session / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def sidecar(self, session: str = SESSION) -> dict[str, bytes]:
        """Every file of a session's sidecar folder, save what is ours and unfinished."""
        folder = self.folder / session
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".ccsync-")
        }

    def write_companion(self, relative: str, data: bytes) -> Path:
        """Write a file that a client keeps outside the projects: `tasks/<id>/1.json`."""
        path = self.claude / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def companions(self) -> dict[str, bytes]:
        """Every task list, plan, checkpoint and to-do list, save what is ours and unfinished."""
        return {
            path.relative_to(self.claude).as_posix(): path.read_bytes()
            for kind in ("tasks", "plans", "file-history", "todos")
            for path in sorted((self.claude / kind).rglob("*"))
            if path.is_file() and not path.name.startswith(".ccsync-")
        }

    def sessions(self) -> list[str]:
        """Ids of the sessions in the project's folder."""
        return sorted(path.stem for path in self.folder.glob("*.jsonl"))

    def grow_old(self, session: str = SESSION, seconds: float = 3600) -> int:
        """Set a transcript's time back; its new modification time in nanoseconds."""
        then = time.time_ns() - int(seconds * 1e9)
        os.utime(self.path(session), ns=(then, then))
        return then

    # -- the client ---------------------------------------------------------------------------

    def open(self, session: str = SESSION) -> Path:
        """Have the client open a session; its live file."""
        live = self.claude / "sessions" / f"{os.getpid()}.json"
        live.parent.mkdir(parents=True, exist_ok=True)
        now = int(time.time() * 1000)
        live.write_text(json.dumps({"pid": os.getpid(), "sessionId": session, "updatedAt": now}))
        return live

    def close(self) -> None:
        """Have the client exit."""
        for live in (self.claude / "sessions").glob("*.json"):
            live.unlink()

    # -- what claude-sync keeps ---------------------------------------------------------------

    def bundle(self, session: str = SESSION) -> Path:
        """This machine's bundle of a session, where it lies unless something is in its way."""
        if self.world.key is None:
            return self.world.store / KEY_FOLDER / f"{session}-{self.name}.ccsync"
        master = self.world.master()
        folder = self.world.store / sealed_folder(master, KEY)
        return folder / f"{sealed_file(master, session, self.name)}.ccsync"

    def examined(self) -> dict[str, Finding]:
        """What the doctor says, by its code."""
        with self.at_work() as context:
            return {finding.code: finding for finding in examine(context)}

    def lose_records(self) -> None:
        """Lose everything remembered; the vault stays."""
        shutil.rmtree(self.paths.records_directory, ignore_errors=True)

    def records_file(self) -> Path:
        """The store's records."""
        (file,) = self.paths.records_directory.glob("*.sqlite")
        return file

    def kept(self) -> list[bytes]:
        """The bytes of every file that is kept in the vault."""
        return [kept for folder in self._vaults() for kept in contents(folder)]

    def _vaults(self) -> list[Path]:
        return [path for path in self.paths.vault_directory.glob("*") if path.is_dir()]

    def leftovers(self) -> list[Path]:
        """Temporaries of ours in Claude's tree."""
        return list(self.claude.rglob(".ccsync-*"))


class World:
    """A store and the machines around it.

    Args:
        folder: for all of it.
        location: of the store, "" for a folder in that one.
        key: the store's, which makes it encrypted; None for a plain one.
    """

    def __init__(self, folder: Path, location: str = "", key: KeyChoice | None = None) -> None:
        self.folder = folder
        self.key = key
        self.store = folder / "store"
        self._location = location
        self.known: list[PlayedMachine] = []
        self._masters: dict[str, Master] = {}

    @property
    def location(self) -> str:
        """How the machines spell the store."""
        return self._location or str(self.store)

    def machine(self, name: str, *, live_files: bool = True) -> PlayedMachine:
        """One more machine, set up."""
        machine = PlayedMachine(self, name, live_files=live_files)
        machine.set_up()
        self.known.append(machine)
        return machine

    def machines(self, *names: str) -> list[PlayedMachine]:
        """Several more machines, set up."""
        return [self.machine(name) for name in names]

    def stored(self) -> dict[str, bytes]:
        """Every file of the store, by its path there."""
        return {
            path.relative_to(self.store).as_posix(): path.read_bytes()
            for path in sorted(self.store.rglob("*"))
            if path.is_file()
        }

    def bundles(self) -> list[Path]:
        """Every bundle in the store."""
        return sorted(self.store.glob("*/*.ccsync"))

    def master(self) -> Master:
        """The key that the machines have of an encrypted store, or had when it was asked for."""
        store_id = self.store_id()
        if store_id not in self._masters:
            found = load_master(self.known[0].paths, store_id)
            assert found is not None
            self._masters[store_id] = found
        return self._masters[store_id]

    def store_id(self) -> str:
        """As the marker has it."""
        return str(json.loads((self.store / ".ccsync-store").read_bytes())["store_id"])

    def opened(self, path: Path) -> Opened:
        """A bundle's contents, every hash checked."""
        if self.key is None:
            return opened(path)
        return opened_bytes(opened_whole(self.master(), path.read_bytes()))

    def everything(self) -> list[bytes]:
        """All bytes that lie anywhere: in Claude's trees, in vaults, in the store's bundles."""
        found: list[bytes] = []
        for machine in self.known:
            found += [*contents(machine.claude / "projects"), *machine.companions().values()]
            found += machine.kept()
        for path in self.bundles():
            try:
                bundle = self.opened(path)
            except ClaudeSyncError:
                continue
            found += [bundle.transcript, *bundle.sidecar.values()]
        return found

    def keeps(self, data: bytes) -> bool:
        """Whether these bytes are still to be had, as the beginning of a file somewhere."""
        return any(kept.startswith(data) for kept in self.everything())


Pair = tuple[PlayedMachine, PlayedMachine]
"""Two machines that have to do with each other: a laptop and a desktop."""


def agree(*machines: PlayedMachine, session: str = SESSION) -> bool:
    """Whether a session is here on all machines, and the same."""
    return (
        len({machine.read(session) if machine.has(session) else None for machine in machines}) == 1
    )


def contents(folder: Path) -> list[bytes]:
    """The bytes of every regular file below a folder."""
    return [
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    ]


def outcomes(results: Mapping[str, Result]) -> dict[str, Outcome]:
    """What became of each session."""
    return {session: result.outcome for session, result in results.items()}


def _by_session(results: Iterable[Result]) -> dict[str, Result]:
    return {result.session_id: result for result in results}
