"""Histories in which everything around goes wrong as well: mirrors, strangers, disks, clients.

Each machine has a folder of its own, and a mirror between them that is late, delivers halves and
doubles, and puts older files back. Strangers write bundles with right hashes that claim whatever
helps them. The disk that all of it lies on fills up, and clients append while claude-sync works.
What must hold is what holds for any history (`histories.py`): nothing that was written is lost by
claude-sync, nothing that was said gives way unasked, and once the mirror has delivered all, the
strangers' files are gone and the disk has room, all agree.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bundles import crafted, packed
from claude_sync.errors import ClaudeSyncError
from claude_sync.sealed.names import sealed_folder
from claude_sync.sync.pull import pull
from claude_sync.sync.push import push
from claude_sync.sync.store_key import KeyChoice
from machines import KEY, KEY_FOLDER, SESSION, PlayedMachine, World, said
from properties.histories import KINDS, MACHINES, OF_PEOPLE, Act, History, lines_said

Done = TypeVar("Done")

DISK_BYTES = 24 << 20
_STRANGER = "mallory"
_STRANGERS_ID = "deadbeef-0000-4000-8000-000000000001"
_MARKER = ".ccsync-store"
_COPY = " (conflicted copy)"
_MOST_VERSIONS = 30
OF_THE_WORLD = {
    "mirror": 14,
    "mirror half": 2,
    "mirror twice": 2,
    "put back an older bundle": 2,
    "a stranger writes": 4,
    "fill the disk": 1,
    "make room": 3,
}
WATCHING = {
    "pull watching": 6,
    "push while the client writes": 3,
    "pull while the client writes": 3,
}
HARD_KINDS = KINDS + [
    kind for kind, weight in (OF_THE_WORLD | WATCHING).items() for _ in range(weight)
]

_BEGINNING = [
    Act("say", 0),
    Act("put out", 0),
    Act("push", 0),
    Act("mirror", 0, number=0),
    Act("mirror", 0, number=1),
    Act("pull watching", 1),
    Act("pull watching", 2),
    Act("say", 1),
    Act("push", 1),
]
"""How histories begin: a session comes to be on several machines, as far as this goes."""


class MirroredWorld(World):
    """All the machines' folders, of which each sees its own."""

    def bundles(self) -> list[Path]:
        """Every bundle in any of them that is whole, strangers' left out."""
        found = []
        for path in sorted((self.folder / "stores").glob("*/*/*.ccsync")):
            try:
                head = self.opened(path).head
            except ClaudeSyncError:
                continue
            if head.machine_id != _STRANGERS_ID:
                found.append(path)
        return found


def store_of(folder: Path, name: str) -> Path:
    """The folder that a machine sees."""
    return folder / "stores" / name


def machine_of(folder: Path, name: str, key: KeyChoice | None = None) -> PlayedMachine:
    """A machine around the folder that only it sees."""
    world = World(folder, key=key)
    world.store = store_of(folder, name)
    return PlayedMachine(world, name)


def prepared_mirror(folder: Path, key: KeyChoice | None = None) -> Path:
    """A world of machines that are set up and have nothing yet, for `HardHistory`."""
    first = store_of(folder, MACHINES[0])
    for name in MACHINES:
        store = store_of(folder, name)
        store.mkdir(parents=True)
        if name != MACHINES[0]:
            shutil.copy(first / _MARKER, store / _MARKER)
        machine_of(folder, name, key).set_up()
    return folder


def hard_acts(seed: int) -> list[Act]:
    """What happens in the history of this number."""
    chance = random.Random(seed)
    beginning = _BEGINNING[: chance.randrange(2, len(_BEGINNING) + 1)]
    return [
        *beginning,
        *(
            Act(
                kind=chance.choice(HARD_KINDS),
                machine=chance.randrange(3),
                session=chance.randrange(4),
                number=chance.randrange(60),
            )
            for _ in range(chance.randrange(15, 60))
        ),
    ]


class HardHistory(History):
    """A world in which acts happen, and everything around goes wrong.

    Args:
        folder: where the world lies; `prepared_mirror` made it.
        seed: for what chance decides.
        key: the store's, None for a plain one.
    """

    def __init__(self, folder: Path, seed: int, key: KeyChoice | None = None) -> None:
        super().__init__(folder, seed, key)
        self.world = MirroredWorld(folder, key=key)
        self.world.store = store_of(folder, MACHINES[0])
        self.machines = [machine_of(folder, name, key) for name in MACHINES]
        self.world.known = self.machines
        if key is not None:
            self.world.master()  # as long as all have it
        self._chance = random.Random(seed + 1)
        self._ballast = folder / "ballast"
        self._versions: dict[str, list[bytes]] = {}
        self._delivered: dict[Path, PlayedMachine | None] = {}

    # -- acts ---------------------------------------------------------------------------------

    def play(self, act: Act) -> None:
        """Let one thing happen, and check what must hold after it."""
        self._note_versions()
        machine = self.machines[act.machine % len(self.machines)]
        if act.kind in OF_THE_WORLD:
            with contextlib.suppress(OSError):
                self._let_world(act.kind, machine, act.number)
            self._claims = {claim for claim in self._claims if self._is_kept(claim)}
            self._in_store = {}
        elif act.kind in WATCHING:
            self._watch(act, machine)
        else:
            if act.kind.partition(",")[0] in ("back up", "restore"):
                self._ballast.unlink(missing_ok=True)
            if act.kind.startswith(("pull", "pull by name")):
                # A person asked for it, so what somebody decided elsewhere may replace here.
                self._decided.update(machine.sessions())
            if act.kind in OF_PEOPLE:
                with contextlib.suppress(OSError):
                    super().play(act)
                self._see_what_the_client_left(machine)
            else:
                super().play(act)

    def _see_what_the_client_left(self, machine: PlayedMachine) -> None:
        """What a client could write of a line on a full disk is what lies there."""
        for session in machine.sessions():
            self._claims = {claim for claim in self._claims if self._is_kept(claim)}
            self._claim(machine, session)

    def _let_world(self, kind: str, machine: PlayedMachine, number: int) -> None:
        others = [one for one in self.machines if one is not machine]
        other = others[number % 2]
        if kind == "mirror":
            self._deliver(machine, other)
        elif kind == "mirror half":
            self._deliver(machine, other, lambda data: data[: len(data) // 2])
        elif kind == "mirror twice":
            self._deliver(machine, other, suffix=_COPY)
        elif kind == "put back an older bundle":
            self._put_back(machine, number)
        elif kind == "a stranger writes":
            self._let_stranger(machine)
        elif kind == "fill the disk":
            self._fill(number)
        else:
            self._ballast.unlink(missing_ok=True)

    def _own_files(self, machine: PlayedMachine) -> list[Path]:
        """What a machine wrote itself, whatever it is called now: nobody else put it there."""
        found = store_of(self.world.folder, machine.name).glob("*/*.ccsync")
        return sorted(path for path in found if path not in self._delivered)

    def _deliver(
        self,
        machine: PlayedMachine,
        other: PlayedMachine,
        change: Callable[[bytes], bytes] = bytes,
        suffix: str = "",
    ) -> None:
        for path in self._own_files(machine):
            to = store_of(self.world.folder, other.name) / path.parent.name
            to.mkdir(mode=0o700, exist_ok=True)
            delivered = to / f"{path.stem}{suffix}.ccsync"
            waiting = to / f".{path.name}.part"
            waiting.write_bytes(change(path.read_bytes()))
            waiting.replace(delivered)
            self._delivered[delivered] = machine

    def _note_versions(self) -> None:
        for machine in self.machines:
            for path in self._own_files(machine):
                known = self._versions.setdefault(path.name, [])
                data = path.read_bytes()
                if data not in known:
                    known.append(data)
                    del known[:-_MOST_VERSIONS]

    def _put_back(self, machine: PlayedMachine, number: int) -> None:
        for path in self._own_files(machine):
            known = self._versions[path.name]
            path.write_bytes(known[number % len(known)])

    def _let_stranger(self, machine: PlayedMachine) -> None:
        chance = self._chance
        known = [self.world.opened(path) for path in self.world.bundles()]
        if not known:
            return
        model = chance.choice(known)
        lines = model.transcript.splitlines(keepends=True)
        kept = b"".join(lines[: chance.randrange(len(lines) + 1)])
        transcript = kept + said("from a stranger") * chance.randrange(3)
        session = model.head.session_id
        hashes = {one.head.sha256 for one in known}
        hashes |= {
            hashlib.sha256(one.read(session)).hexdigest()
            for one in self.machines
            if one.has(session)
        }
        base = packed(
            transcript,
            session_id=session,
            project_key=KEY,
            machine=_STRANGER,
            machine_id=_STRANGERS_ID,
        )[0]
        data = crafted(
            base,
            supersedes=sorted(hashes - {json.loads(base)["sha256"]}),
            decision=chance.choice([0, 1, 10**9]),
            revision=chance.choice([1, 10**6]),
        )
        if self.world.key is None:
            self._put_by_stranger(machine, f"{KEY_FOLDER}/{session}-{_STRANGER}.ccsync", data)
            self._whole.add(transcript)
            return
        # He has no key: he can write what he likes, or bytes that he found, changed or not.
        found = bytearray(chance.choice([data, *map(Path.read_bytes, self.world.bundles())]))
        if chance.randrange(2):
            found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
        folder = sealed_folder(self.world.master(), KEY)
        name = chance.choice(["a" * 26, "b" * 26, f"{session}-{_STRANGER}"])
        self._put_by_stranger(machine, f"{folder}/{name}.ccsync", bytes(found))

    def _put_by_stranger(self, machine: PlayedMachine, name: str, data: bytes) -> None:
        path = store_of(self.world.folder, machine.name) / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._delivered[path] = None
        path.write_bytes(data)

    def _stores(self) -> list[Path]:
        return [store_of(self.world.folder, machine.name) for machine in self.machines]

    def _fill(self, kilobytes: int) -> None:
        """Leave so many kilobytes of the disk."""
        free = shutil.disk_usage(self.world.folder).free
        with self._ballast.open("ab") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, max(1, free - (kilobytes << 10)))

    # -- what nobody asked for ----------------------------------------------------------------

    def _watch(self, act: Act, machine: PlayedMachine) -> None:
        before = self._tree(machine)
        sessions = machine.sessions()
        session = sessions[act.session % len(sessions)] if sessions else SESSION
        writes = act.kind.endswith("while the client writes") and machine.has(session)
        asked = 0

        def should_stop() -> bool:
            nonlocal asked
            asked += 1
            if writes and asked == act.number:
                with contextlib.suppress(OSError):
                    machine.write(session, said("meanwhile"))
            return False

        with contextlib.suppress(ClaudeSyncError), machine.at_work(should_stop) as context:
            if act.kind.startswith("push"):
                push(context)
            else:
                pull(context, replace=False)
        if writes:
            self._append_to(before, session, machine)
            self._see_what_the_client_left(machine)
            self._whole.update(
                data for name, data in self._tree(machine).items() if name.endswith(".jsonl")
            )
        self._check("", machine, before)
        # Whatever somebody decided elsewhere, nobody asked for it here.
        after = self._tree(machine)
        for name in before.keys() & after.keys():
            if name.endswith(".jsonl") and "/" not in name:
                gone = lines_said(before[name]) - lines_said(after[name])
                assert not gone, f"replaced unasked in {name}: {gone}"

    def _append_to(self, before: dict[str, bytes], session: str, machine: PlayedMachine) -> None:
        """Count what the client appended meanwhile among what was there before."""
        name = f"{session}.jsonl"
        now = machine.read(session) if machine.has(session) else b""
        if now.startswith(before.get(name, b"")):
            before[name] = now

    # -- rest ---------------------------------------------------------------------------------

    def come_to_rest(self) -> None:
        """The disk has room, the strangers' files go, the mirror delivers; then all must agree."""
        self._ballast.unlink(missing_ok=True)
        self._mirror_all()
        # What only the mirror's copies and the strangers' files held is gone with them.
        self._claims = {claim for claim in self._claims if self._is_kept(claim)}
        super().come_to_rest()

    def _at_rest(self, machine: PlayedMachine, work: Callable[[], Done]) -> Done:
        done = super()._at_rest(machine, work)
        self._mirror_all()
        self._in_store = {}
        return done

    def _mirror_all(self) -> None:
        """Deliver all, and take away what is no longer where it came from."""
        for path in self._delivered:
            path.unlink(missing_ok=True)
        self._delivered.clear()
        for machine in self.machines:
            for other in self.machines:
                if other is not machine:
                    self._deliver(machine, other)
