"""Whatever a stranger's bundle says, a machine keeps its own: any member replaced by any value.

The bundles bear right hashes, as whoever writes into a store can make them. Nothing of them leads
to a resume outside a directory that git tracks files in, to a file outside the session's place, or
to a replacement that nobody asked for.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundles import crafted, packed, sidecar_entry
from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Outcome
from claude_sync.sync.pack import unpack
from claude_sync.sync.pull import pull
from machines import KEY, KEY_FOLDER, OTHER, REMOTE, SESSION, PlayedMachine, World, said
from randomness import examples
from repositories import git, repository

TRACKED = ("", "web", "web/src")
IGNORED = ("node_modules", "node_modules/evil", ".claude", ".claude/skills", "new")
NAMES = ("web", "src", "node_modules", "evil", ".git", ".claude", "hooks", "link", "..", "new", "")

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
SIDECAR_PATHS = PATHS | st.sampled_from(
    [
        "tool-results/a.txt",
        f"../{OTHER}.jsonl",
        "@tasks/1.json",
        "@plans/../../settings.json",
        "../../../settings.json",
        "/etc/passwd",
        ".ccsync-x.tmp",
    ]
)


def _members(own: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Members to replace, with values that an attacker would choose, or any at all."""
    hashes = st.sampled_from([*own["hashes"], "0" * 64])
    chosen: dict[str, st.SearchStrategy[Any]] = {
        "session_id": st.sampled_from([SESSION, OTHER, SESSION.upper(), "../x", "agent-1"]),
        "project_key": st.sampled_from([KEY, "name:~", "name:app", "git:x/../y"]),
        "subpath": PATHS,
        "machine": st.sampled_from(["laptop", "desktop", "mallory", "../x", "con"]),
        "machine_id": st.sampled_from([own["machine_id"], "deadbeef-0000-4000-8000-000000000001"]),
        "revision": st.integers(0, 2**62),
        "decision": st.integers(0, 2**62),
        "supersedes": st.lists(hashes, max_size=3),
        "mtime_ns": st.integers(-(2**63), 2**63),
        "open": st.booleans(),
    }
    few = st.lists(st.sampled_from(sorted(chosen)), max_size=4, unique=True)
    plausible = few.flatmap(lambda names: st.fixed_dictionaries({n: chosen[n] for n in names}))
    # One that is nonsense is refused with all of its bundle: most have none.
    nonsense = st.dictionaries(st.sampled_from(sorted(chosen)), ANYTHING, max_size=1)
    attack = st.sampled_from([*IGNORED, ".git", "link", "../x"]).map(
        lambda subpath: {"session_id": OTHER, "subpath": subpath}
    ) | hashes.map(lambda sha256: {"session_id": SESSION, "supersedes": [sha256]})
    return st.builds(
        lambda some, odd, meant: {**some, **odd, **meant},
        st.just({}) | plausible,
        st.just({}) | nonsense,
        attack | attack | st.just({}),
    )


def _sidecar(paths: list[str]) -> dict[str, Any]:
    """The members for sidecar files of any paths, their hashes right."""
    entries = [sidecar_entry(path, b"x") for path in sorted(paths)]
    lines = "".join(f"{one['path']}\0{one['sha256']}\n" for one in entries)
    return {"sidecar": entries, "sidecar_sha256": hashlib.sha256(lines.encode()).hexdigest()}


class _Victim:
    """A machine with a real repository and a session that went on since it was pushed."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        machine = PlayedMachine(self.world, "laptop")
        repository(machine.project, REMOTE)
        for name in (*TRACKED[1:], *IGNORED):
            (machine.project / name).mkdir(parents=True, exist_ok=True)
            (machine.project / name / "file").write_text("x")
        (machine.project / ".gitignore").write_text("node_modules/\n")
        (machine.project / "link").symlink_to("node_modules/evil")
        git(machine.project, "add", ".gitignore", "web", ".claude", "link")
        git(machine.project, "commit", "-q", "-m", "x")
        machine.set_up()
        machine.write(SESSION, said("mine"), said("more"))
        machine.push()
        self.own = json.loads(machine.bundle().read_bytes())
        machine.write(SESSION, said("since"))
        self.machine = machine
        self.whole = machine.read()
        hashes = [hashlib.sha256(self.whole).hexdigest(), self.own["sha256"]]
        self.own["hashes"] = hashes
        self.claude_before = self._outside()

    def _outside(self) -> dict[str, bytes]:
        """Everything of the home that isn't a session's place or claude-sync's own."""
        home = self.machine.home
        ours = tuple(self.machine.paths)
        projects = self.machine.claude / "projects"
        return {
            str(path): path.read_bytes()
            for path in home.rglob("*")
            if path.is_file()
            and not any(path.is_relative_to(folder) for folder in (*ours, projects))
            and not path.is_relative_to(self.machine.project / ".git")
        }

    def check(self, results: list[Any]) -> None:
        """What must hold after a pull that nobody asked to replace anything."""
        allowed = {self.machine.project / name for name in TRACKED} | {self.machine.home}
        for result in results:
            assert result.outcome is not Outcome.REPLACED
            if result.directory is not None:
                assert result.directory in allowed, result
        assert self.machine.read().startswith(self.whole)
        outside = self._outside()
        companions = ("tasks", "plans", "file-history", "todos")
        new = {
            path
            for path in outside.keys() - self.claude_before.keys()
            if Path(path).relative_to(self.machine.home).parts[1] not in companions
        }
        assert not new
        assert self.claude_before.items() <= outside.items()
        for path in (self.machine.claude / "projects").rglob("*"):
            if path.is_file():
                place = path.relative_to(self.machine.claude / "projects").parts
                name = place[1].removesuffix(".jsonl")
                assert name.lower() in (SESSION, OTHER), path


@given(data=st.data())
@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
def test_no_strangers_bundle_leads_a_person_astray(data: st.DataObject, home: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        victim = _Victim(Path(folder).resolve())
        changes = data.draw(_members(victim.own))
        transcript = data.draw(
            st.sampled_from([said("theirs"), victim.whole + said("longer"), b"", said("mine")])
        )
        paths = data.draw(st.lists(SIDECAR_PATHS, max_size=2, unique=True))
        base = packed(
            transcript,
            session_id=data.draw(st.sampled_from([SESSION, OTHER])),
            project_key=KEY,
            machine="mallory",
            machine_id="deadbeef-0000-4000-8000-000000000001",
        )[0]
        if paths:
            changes |= _sidecar(paths)
        bundle = victim.world.store / KEY_FOLDER / "stranger.ccsync"
        bundle.write_bytes(crafted(base, **changes))
        with victim.machine.at_work() as context:
            victim.check(pull(context))
        with victim.machine.at_work() as context:
            try:
                done = [unpack(context, bundle)]
            except ClaudeSyncError:
                done = []
        victim.check(done)
