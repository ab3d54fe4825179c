"""Random histories of three machines, played through the real functions, and what must hold.

A history is a list of acts. Some are people's and the client's: saying something, looking, damage
of any kind, losing a home and restoring last week's. The others are claude-sync's, killed at any
step now and then. After each of these:

* every version that was ever written, and that nobody but claude-sync could have destroyed since,
  is still the beginning of some transcript, vault entry or bundle; so is every task, plan and
  checkpoint, unless the client wrote another in its place wherever it lay;
* every transcript is, whole, something that was written once;
* where no person decided anything yet, every line that was said in a transcript or a bundle is in
  what took its place;
* an open session, and all of Claude's tree where only the store is written, is as it was.

When all rest, resolve what is left and pull (naming what was declined or is gone), all agree.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from claude_sync.claude.transcript import is_said
from claude_sync.errors import ClaudeSyncError, UsageError
from claude_sync.model import Outcome, State
from claude_sync.sync.store_key import KeyChoice
from crashes import killed_at
from machines import KEY, OTHER, SESSION, PlayedMachine, World, bookkeeping, said
from plain_text import told

Done = TypeVar("Done")

MACHINES = ("ant", "bee", "cat")
SESSIONS = (SESSION, OTHER)
_ROUNDS = 40


class Act(NamedTuple):
    """One thing that happens.

    Attributes:
        kind: what.
        machine: to which machine, by number.
        session: to which session, by number.
        number: whatever the kind needs: how far back, which choice, before which step to die.
    """

    kind: str
    machine: int
    session: int = 0
    number: int = 0


OF_PEOPLE = {
    "say": 10,
    "look at": 3,
    "leave a line unfinished": 1,
    "leave only the newest turn": 1,
    "leave a stub": 1,
    "leave NULs": 1,
    "leave nothing": 1,
    "cut off": 2,
    "lose a line": 1,
    "garble": 1,
    "put out": 2,
    "put out anew": 1,
    "change a task": 4,
    "change a plan": 2,
    "keep a checkpoint": 2,
    "open": 1,
    "close": 1,
    "delete": 1,
    "back up": 1,
    "restore": 1,
}
OF_OURS = {
    "push": 10,
    "push by name": 4,
    "pull": 10,
    "pull by name": 3,
    "resolve": 5,
    "undo": 3,
    "bring back": 3,
    "forget": 1,
    "lose records": 1,
    "lose all state but the vault": 1,
}
DAMAGE: dict[str, Callable[[bytes, int], bytes]] = {
    "leave only the newest turn": lambda whole, number: said("all that is left"),
    "leave a stub": lambda whole, number: bookkeeping() + bookkeeping(),
    "leave NULs": lambda whole, number: whole[: number * 7 % (len(whole) + 1)].ljust(
        len(whole), b"\0"
    ),
    "leave nothing": lambda whole, number: b"",
    "cut off": lambda whole, number: whole[: number * 7 % (len(whole) + 1)],
    "lose a line": lambda whole, number: b"".join(
        line
        for index, line in enumerate(whole.splitlines(keepends=True))
        if index != number % (whole.count(b"\n") + 1)
    ),
    "garble": lambda whole, number: whole.replace(b"u", b"\xff", number % 5),
}
"""What clients, crashes and disks were seen to do to a transcript; nobody means it."""
CRASHING = (
    "push",
    "push by name",
    "pull",
    "pull by name",
    "resolve",
    "undo",
    "bring back",
    "forget",
)
DECIDING = ("resolve", "undo", "bring back")
SPARES_THE_TREE = ("push", "push by name", "forget", "lose records", "lose all state but the vault")
KINDS = [kind for kind, weight in (OF_PEOPLE | OF_OURS).items() for _ in range(weight)] + [
    f"{kind}, killed" for kind in CRASHING
]


class History:
    """A world in which acts happen.

    Args:
        folder: where the world lies; `prepared` made it.
        seed: for the choices that a person makes at rest.
        key: the store's, None for a plain one.
    """

    def __init__(self, folder: Path, seed: int, key: KeyChoice | None = None) -> None:
        self.world = World(folder, key=key)
        self.machines = [PlayedMachine(self.world, name) for name in MACHINES]
        self.world.known = self.machines
        self._ever: set[bytes] = set()
        self.backups = folder.with_name(folder.name + "-backups")
        self._random = random.Random(seed)
        self._claims: set[bytes] = set()
        self._whole: set[bytes] = {b""}
        self._open: dict[PlayedMachine, str] = {}
        self._bundles: dict[tuple[str, int, int, int], list[bytes]] = {}
        self._decided: set[str] = set()
        self._in_store: dict[Path, frozenset[bytes]] = {}

    # -- acts ---------------------------------------------------------------------------------

    def play(self, act: Act) -> None:
        """Let one thing happen, and check what must hold after it."""
        machine = self.machines[act.machine % len(self.machines)]
        sessions = [*SESSIONS[:1], *machine.sessions()]
        session = sessions[act.session % len(sessions)]
        kind, _, killed = act.kind.partition(", ")
        if kind in OF_PEOPLE:
            self._let_people(kind, machine, session, act.number)
            self._claims = {claim for claim in self._claims if self._is_kept(claim)}
            self._claim(machine, session)
            return
        before = self._tree(machine)
        if kind in DECIDING:
            self._decided.add(session)
        work = partial(self._work, kind, machine, session, act.number)
        if killed:
            killed_at(act.number, work)
        else:
            try:
                work()
            except ClaudeSyncError:
                pass
        self._check(kind, machine, before)

    def _let_people(self, kind: str, machine: PlayedMachine, session: str, number: int) -> None:
        if kind == "back up":
            self._back_up(machine)
        elif kind == "restore":
            self._restore(machine)
        elif kind == "open":
            self._open[machine] = session
            machine.open(session)
        elif kind == "close":
            self._open.pop(machine, None)
            machine.close()
        elif kind == "say" and not machine.has(session):
            if machine is self.machines[0]:
                machine.write(session, said())
        elif machine.has(session):
            self._let_client(kind, machine, session, number)

    def _let_client(self, kind: str, machine: PlayedMachine, session: str, number: int) -> None:
        whole = machine.read(session)
        if kind == "say":
            machine.write(session, said())
        elif kind == "look at":
            machine.write(session, bookkeeping())
        elif kind in DAMAGE:
            damaged = DAMAGE[kind](whole, number)
            # What is open is pushed as far as its lines are full.
            self._whole.add(damaged[: damaged.rfind(b"\n") + 1])
            machine.rewrite(session, damaged)
        elif kind == "leave a line unfinished":
            machine.write(session, said()[: 10 + number])
        elif kind == "put out":
            path = f"tool-results/{number % 3}.txt"
            old = machine.sidecar(session).get(path, b"")
            machine.write_sidecar(session, path, old + said("more"))
        elif kind == "put out anew":
            machine.write_sidecar(session, f"tool-results/{number % 3}.txt", said("new"))
        elif kind == "delete":
            machine.path(session).unlink()
            shutil.rmtree(machine.folder / session, ignore_errors=True)
        else:
            self._change_companion(kind, machine, session, number)

    def _change_companion(
        self, kind: str, machine: PlayedMachine, session: str, number: int
    ) -> None:
        """Let the client change a file that lies outside the projects, mostly with a line of it."""
        path = {
            "change a task": f"tasks/{session}/{number % 2}.json",
            "change a plan": f"plans/plan-{number % 2}.md",
            "keep a checkpoint": f"file-history/{session}/{number % 3:016x}@v1",
        }[kind]
        if kind == "change a plan":
            machine.write(session, said(slug=f"plan-{number % 2}"))
        elif number % 3:
            machine.write(session, said())
        old = machine.companions().get(path)
        machine.write_companion(path, said(f"in {path}"))
        if old is not None and not any(self._holds(other, old) for other in self.machines):
            self._claims.discard(old)

    @staticmethod
    def _holds(machine: PlayedMachine, data: bytes) -> bool:
        return data in machine.companions().values() or data in machine.kept()

    def _back_up(self, machine: PlayedMachine) -> None:
        shutil.rmtree(self.backups / machine.name, ignore_errors=True)
        shutil.copytree(machine.home, self.backups / machine.name)

    def _restore(self, machine: PlayedMachine) -> None:
        if (self.backups / machine.name).exists():
            shutil.rmtree(machine.home)
            shutil.copytree(self.backups / machine.name, machine.home)
            self._open.pop(machine, None)
            machine.close()

    def _work(self, kind: str, machine: PlayedMachine, session: str, number: int) -> None:
        if kind == "push":
            machine.push()
        elif kind == "push by name":
            machine.push(session)
        elif kind == "pull":
            machine.pull()
        elif kind == "pull by name":
            machine.pull(session)
        elif kind == "resolve":
            choices = ("mine", "theirs", "both", *MACHINES)
            machine.resolve(session, choices[number % len(choices)])
        elif kind == "undo":
            machine.undo(session)
        elif kind == "bring back":
            machine.bring_back(session, number)
        elif kind == "forget":
            machine.forget(session)
        elif kind == "lose records":
            machine.lose_records()
        elif kind == "lose all state but the vault":
            for path in machine.paths.state.iterdir():
                if path.name != "vault":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            if self.world.key is not None:
                machine.set_up()  # with the key that its person kept

    # -- what must hold -----------------------------------------------------------------------

    def _claim(self, machine: PlayedMachine, session: str) -> None:
        """What lies here now must never be lost by us, nor be readable in an encrypted store."""
        self._ever.update(machine.sidecar(session).values(), machine.companions().values())
        if machine.has(session):
            self._claims.add(machine.read(session))
            self._ever.update(machine.read(session).splitlines())
            self._whole.add(machine.read(session))
        self._claims.update(machine.sidecar(session).values())
        self._claims.update(machine.companions().values())

    def _check(self, kind: str, machine: PlayedMachine, before: dict[str, bytes]) -> None:
        after = self._tree(machine)
        for session in SESSIONS if machine in self._open else ():
            if self._open[machine] == session:
                assert _of(session, after) == _of(session, before), "an open session was touched"
        if kind in SPARES_THE_TREE:
            assert after == before, "Claude's tree was touched"
        for name, data in after.items():
            if name.endswith(".jsonl") and "/" not in name:
                assert self._was_whole(data), f"{name} was never written so"
        for claim in self._claims:
            assert self._is_kept(claim), f"lost: {claim!r}"
        self._check_nothing_gave_way(before, after)

    def _check_nothing_gave_way(self, before: dict[str, bytes], after: dict[str, bytes]) -> None:
        """Where nobody decided anything, a version gave way only to one that holds all of it."""
        for name in before.keys() & after.keys():
            if name.endswith(".jsonl") and "/" not in name and name[:-6] not in self._decided:
                gone = lines_said(before[name]) - lines_said(after[name])
                assert not gone, f"gave way in {name}: {gone}"
        in_store: dict[Path, frozenset[bytes]] = {}
        for path in self.world.bundles():
            bundle = self.world.opened(path)
            in_store[path] = lines_said(bundle.transcript)
            if path in self._in_store and bundle.head.session_id not in self._decided:
                gone = self._in_store[path] - in_store[path]
                assert not gone, f"gave way in {path.name}: {gone}"
        self._in_store = in_store

    def _was_whole(self, data: bytes) -> bool:
        """Whether somebody wrote this; of what is open only full lines are carried."""
        return data in self._whole or any(
            whole.startswith(data) and data.endswith(b"\n") for whole in self._whole
        )

    def _is_kept(self, data: bytes) -> bool:
        return any(kept.startswith(data) for kept in self._everything())

    def _everything(self) -> list[bytes]:
        found: list[bytes] = []
        for machine in self.machines:
            found += self._tree(machine).values()
            found += machine.kept()
        for path in self.world.bundles():
            status = path.stat()
            key = (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
            if key not in self._bundles:
                bundle = self.world.opened(path)
                self._bundles[key] = [bundle.transcript, *bundle.sidecar.values()]
            found += self._bundles[key]
        return found

    @staticmethod
    def _tree(machine: PlayedMachine) -> dict[str, bytes]:
        found = {
            path.relative_to(machine.folder).as_posix(): path.read_bytes()
            for path in machine.folder.rglob("*")
            if path.is_file() and ".ccsync-" not in path.name
        }
        return found | {f"../{name}": data for name, data in machine.companions().items()}

    # -- rest ---------------------------------------------------------------------------------

    def come_to_rest(self) -> None:
        """Everybody stops; one person settles what is left; then all must agree."""
        for machine in self.machines:
            machine.close()
        self._open.clear()
        for machine in self.machines:
            for session in machine.sessions():
                # Whoever waits a minute, for what was written a moment ago may count as open.
                machine.grow_old(session)
                self._at_rest(machine, partial(machine.push, session))
        for _ in range(_ROUNDS):
            if not self._round():
                break
        else:
            raise AssertionError("no agreement: " + self._story())
        trees = [self._transcripts(machine) for machine in self.machines]
        assert trees[0] == trees[1] == trees[2], "not the same: " + self._story()
        tasks = [self._tasks(machine) for machine in self.machines]
        assert tasks[0] == tasks[1] == tasks[2], f"not the same: {tasks} " + self._story()
        if self.world.key is not None:
            self._check_secrecy()

    def _check_secrecy(self) -> None:
        """Nothing that was ever written, and no name, can be read in the store."""
        names = [KEY, *(machine.project.name for machine in self.machines)]
        names += [session for machine in self.machines for session in machine.sessions()]
        secrets = self._ever.union(name.encode() for name in names)
        found = [one for store in self._stores() for one in told(store, secrets)]
        assert not found, f"readable in the store: {found}"

    def _stores(self) -> list[Path]:
        """The folders that the store is."""
        return [self.world.store]

    def _round(self) -> bool:
        """One round of everybody pushing, pulling and resolving; whether anything moved."""
        moved = False
        for machine in self.machines:
            pushed = self._at_rest(machine, machine.push)
            for session, result in pushed.items():
                if result.message.startswith("forgotten"):
                    # Nobody offers it again by himself; a person does.
                    self._at_rest(machine, partial(machine.push, session))
                    moved = True
            moved |= any(result.outcome is Outcome.PUSHED for result in pushed.values())
        for machine in self.machines:
            pulled = self._at_rest(machine, machine.pull)
            for session, state in machine.states().items():
                if state.shortened and session not in pulled:
                    self._settle(machine, session)  # nothing of it is in the store
                    moved = True
            for session, result in pulled.items():
                assert result.outcome is not Outcome.FAILED, result
                if result.outcome in (Outcome.GONE, Outcome.DECLINED):
                    named = self._at_rest(machine, partial(machine.pull, session))
                    if named[session].outcome is Outcome.CONFLICT:
                        self._decided.add(session)
                        # It is nowhere any more, and two bundles of it have parted.
                        self._at_rest(machine, partial(machine.resolve, session, "both"))
                    moved = True
                elif result.outcome is Outcome.CONFLICT:
                    self._settle(machine, session)
                    moved = True
                moved |= result.outcome not in (Outcome.UNCHANGED, Outcome.AHEAD)
        return moved

    def _settle(self, machine: PlayedMachine, session: str) -> None:
        state = machine.states()[session]
        assert state.state is State.CONFLICT, state
        choices = ["both"]
        for side in state.sides:
            if side.offered:
                choices.append(side.machine if side.machine_id else "mine")
        self._random.shuffle(choices)
        self._decided.add(session)
        for choice in choices:
            try:
                self._at_rest(machine, partial(machine.resolve, session, choice))
                return
            except UsageError:
                continue
        raise AssertionError(f"no side of {state} can be kept")

    def _at_rest(self, machine: PlayedMachine, work: Callable[[], Done]) -> Done:
        before = self._tree(machine)
        done = work()
        self._check("", machine, before)
        return done

    def _transcripts(self, machine: PlayedMachine) -> dict[str, bytes]:
        """What lies on a machine; a transcript of which not one line is whole is none."""
        found = {session: machine.read(session) for session in machine.sessions()}
        return {session: whole for session, whole in found.items() if b"\n" in whole}

    def _tasks(self, machine: PlayedMachine) -> dict[str, bytes]:
        """The task lists and checkpoints of the sessions that lie on a machine."""
        return {
            name: data
            for name, data in machine.companions().items()
            if name.split("/")[1] in self._transcripts(machine)
        }

    def _story(self) -> str:
        lines = []
        for machine in self.machines:
            states = {s: (x.state.value, x.rivals) for s, x in machine.states().items()}
            lines.append(f"{machine.name}: {self._transcripts(machine)} {states}")
        lines += [f"{path.name}: {self.world.opened(path)}" for path in self.world.bundles()]
        return "\n".join(lines)


def prepared(folder: Path, key: KeyChoice | None = None) -> Path:
    """A world of machines that are set up and have nothing yet, for `History`."""
    world = World(folder, key=key)
    world.machines(*MACHINES)
    return folder


def lines_said(transcript: bytes) -> frozenset[bytes]:
    """The full lines of a transcript that say something anybody can read."""
    full = transcript[: transcript.rfind(b"\n") + 1]
    return frozenset(line for line in full.split(b"\n") if line.isascii() and is_said(line))


def _of(session: str, tree: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in tree.items() if session in name}
