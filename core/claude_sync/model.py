"""Frozen values that travel between the rooms. Nothing here reads, writes or decides.

They are tuples with names, for every start pays for making their classes: a dataclass takes fifty
times as long.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from claude_sync.values import NamedTuple


class Version(NamedTuple):
    """A transcript's identity: two transcripts are the same if and only if both fields are.

    Attributes:
        size: bytes.
        sha256: lower-case hex digest of all the bytes.
    """

    size: int
    sha256: str


class Stamp(NamedTuple):
    """What tells, without reading it, that a file is the one seen before.

    Attributes:
        size: bytes.
        mtime_ns: nanoseconds since the epoch (whole seconds where a host knows no better).
        inode: the file's number, 0 where there is none.
    """

    size: int
    mtime_ns: int
    inode: int


class Machine(NamedTuple):
    """A machine as the store knows it.

    Attributes:
        name: what people call it; part of file names.
        id: a UUID, what really tells two machines apart.
        named: of this machine: whether the name was chosen, and not just taken from the host.
    """

    name: str
    id: str
    named: bool = True

    def __eq__(self, other: object) -> bool:
        """Whether it is the same machine; how it came by its name makes no other of it."""
        return isinstance(other, Machine) and self[:2] == other[:2]

    def __hash__(self) -> int:
        return hash(self[:2])


class ProjectKey(NamedTuple):
    """A project under the name that is the same on every machine.

    Attributes:
        key: ``git:<host>/<path>`` or ``name:<basename>``.
        subpath: the directory relative to the repository's root, ``/``-separated, "" for the root.
    """

    key: str
    subpath: str = ""


MAX_SIDECAR_FILES = 10_000
"""Of one session."""

MAX_TITLE_CHARACTERS = 300

MAX_SUPERSEDES = 64
"""Of the versions that a bundle can say it replaces: the newest."""


class SidecarFile(NamedTuple):
    """One file of a session beside its transcript.

    Attributes:
        path: as a bundle has it, ``/``-separated (FORMAT.md, "The sidecar").
        size: bytes.
        sha256: lower-case hex digest.
    """

    path: str
    size: int
    sha256: str


class LocalSession(NamedTuple):
    """A session as it lies in Claude's tree, known from a directory listing alone.

    Attributes:
        session_id: the transcript's file stem.
        path: the transcript.
        folder: name of the directory it lies in (the encoded working directory).
        stamp: of the transcript.
        sidecar: stamps of the session's files but the transcript, by their path in a bundle,
            sorted.
        left_out: how many of the regular files in its sidecar folder can't travel, and so aren't
            among them.
        held_back: how many of its checkpoints there are beyond what travels.
    """

    session_id: str
    path: Path
    folder: str
    stamp: Stamp
    sidecar: tuple[tuple[str, Stamp], ...] = ()
    left_out: int = 0
    held_back: int = 0

    @property
    def total_bytes(self) -> int:
        """Of all that travels, about as many as the session's bundle has."""
        return self.stamp.size + sum(stamp.size for _, stamp in self.sidecar)


class BundleHead(NamedTuple):
    """Everything a bundle says about itself but the transcript and the sidecars' bytes.

    Attributes:
        session_id, project_key, subpath: whose it is, and where it belongs.
        machine, machine_id: the writer's name, and what tells it from others of that name.
        sidecar_sha256: of the sidecar files' paths and hashes.
        size, sha256, mtime_ns: of the transcript.
        revision: how often that machine had written this session.
        pushed_at, title, open: for showing.
        supersedes: SHA-256 of versions that this one knowingly replaces.
        decision: the number of the resolve that made it, 0 for none.
        encoded_size: bytes of the transcript as it stands in the file.
        schema: of the format.
        start: where the encoded transcript begins in the file, bytes; 0 where the file isn't in
            canonical form, so that no range of it can be used.
    """

    session_id: str
    project_key: str
    subpath: str
    machine: str
    machine_id: str
    sidecar_sha256: str
    size: int
    sha256: str
    mtime_ns: int
    revision: int
    pushed_at: str
    title: str
    open: bool
    supersedes: tuple[str, ...]
    decision: int
    encoded_size: int
    schema: int = 1
    start: int = 0

    @property
    def version(self) -> Version:
        return Version(self.size, self.sha256)


class Bundle(NamedTuple):
    """A bundle that lies in the store.

    Attributes:
        name: its file's name there, ``<encoded project key>/<file>``.
        stamp: of that file.
        head: what it says of itself.
    """

    name: str
    stamp: Stamp
    head: BundleHead


class Outcome(str, Enum):
    """What became of one session in a push or a pull; the values are the contract of --json."""

    PUSHED = "pushed"
    BEHIND = "behind"
    SHORTENED = "shortened"
    IMPORTED = "imported"
    UPDATED = "updated"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    AHEAD = "ahead"
    CONFLICT = "conflict"
    OPEN = "open"
    GONE = "gone"
    DECLINED = "declined"
    UNPLACED = "unplaced"
    INCOMPLETE = "incomplete"
    HELD = "held"
    FAILED = "failed"

    def __str__(self) -> str:
        return self.value


class State(str, Enum):
    """Where one session stands, for listings."""

    CHANGED = "changed"
    SYNCED = "synced"
    WAITING = "waiting"
    AHEAD = "ahead"
    CONFLICT = "conflict"
    INCOMPLETE = "incomplete"
    UNPLACED = "unplaced"
    UNKNOWN = "unknown"
    GONE = "gone"

    def __str__(self) -> str:
        return self.value


class Result(NamedTuple):
    """What a push or a pull did with one session.

    Attributes:
        session_id: the session.
        outcome: what became of it.
        project_key: its project, "" where unknown.
        machine: the other machine where there is one, else this one's name.
        bundle: name of the file in the store, "" where there is none.
        path: the transcript in Claude's tree, None where it has no place here.
        directory: the working directory to resume it in, None where unknown.
        bytes: what went through the transport.
        message: one sentence for people, safe to show.
        from_elsewhere: so many bytes at the beginning of the transcript came from elsewhere.
        code: the name of the error where it failed, else "".
        broken: whether the bundle itself is at fault, so that trying again is of no use before
            it has changed.
        title: what the session is called, "" where unknown, or where nothing happened to a session
            that nobody named. Other people's text; escape it for where it is shown.
        mtime_ns: of its transcript, 0 where there is no title.
        todo: what to type about it, with which the message ends behind a colon; "" where there is
            nothing to type.
    """

    session_id: str
    outcome: Outcome
    project_key: str = ""
    machine: str = ""
    bundle: str = ""
    path: Path | None = None
    directory: Path | None = None
    bytes: int = 0
    message: str = ""
    broken: bool = False
    from_elsewhere: int = 0
    code: str = ""
    title: str = ""
    mtime_ns: int = 0
    todo: str = ""

    @property
    def reason(self) -> str:
        """The message without what to type, for those who have something else to offer."""
        return self.message.removesuffix(f": {self.todo}") if self.todo else self.message


class Side(NamedTuple):
    """One side of a conflict, for showing.

    Attributes:
        machine: its name; machine_id: its id ("" for the transcript that lies here).
        version: its transcript.
        lines: full lines beyond what all sides share.
        mtime_ns: when its transcript was last written.
        offered: whether a resolve may keep this one.
        pushed_from_here: whether it is what this machine pushed itself, of a session that lost
            something since.
    """

    machine: str
    machine_id: str
    version: Version
    lines: int
    mtime_ns: int
    offered: bool = True
    pushed_from_here: bool = False


class SessionState(NamedTuple):
    """One row of a listing.

    Attributes:
        session_id: the session.
        title: other people's text; escape it for where it is shown.
        project_key: "" where unknown.
        directory: its working directory here, None where unknown.
        path: its transcript here, None where it isn't here.
        size: of the transcript, bytes.
        mtime_ns: of the transcript.
        state: where it stands.
        open: whether the client has it open, here or (where it isn't here) at its last push.
        machines: names of the machines whose bundles of it are in the store.
        rivals: names of the machines that are ahead or in conflict with this one.
        sides: in a conflict, every side, this machine's first.
        detail: a sentence where the state needs one.
        replaces: where it waits, how many lines that are only here a pull would replace, because
            someone chose another version elsewhere; 0 where nothing would be lost.
        shortened: whether its transcript here lacks something that was said in it here before, so
            that it was damaged unless a person says otherwise.
        ignored: whether the preferences keep its project from being pushed by itself.
        forgotten: whether it isn't pushed until it is named, because a person said so.
        undoable: whether there is a pull or a resolve of it that can be undone.
        from_elsewhere: so many bytes at the beginning of its transcript came from elsewhere.
    """

    session_id: str
    title: str
    project_key: str
    directory: Path | None
    path: Path | None
    size: int
    mtime_ns: int
    state: State
    open: bool = False
    machines: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    sides: tuple[Side, ...] = ()
    detail: str = ""
    replaces: int = 0
    shortened: bool = False
    ignored: bool = False
    forgotten: bool = False
    undoable: bool = False
    from_elsewhere: int = 0


class Level(str, Enum):
    """How bad a finding is; the order of the members is the order of severity."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    def __str__(self) -> str:
        return self.value


class Finding(NamedTuple):
    """One thing the doctor has to say.

    Attributes:
        code: stable name, for scripts and for ignoring it.
        level: how bad it is.
        title: what is the matter, a few words.
        detail: what it means, a sentence.
        fix: the command or setting that mends it, "" where nothing needs mending.
    """

    code: str
    level: Level
    title: str
    detail: str = ""
    fix: str = ""


class SkippedFile(NamedTuple):
    """A file in the store that had to be skipped, and why.

    Attributes:
        name: the file's name in the store.
        outcome: INCOMPLETE where waiting may help, else FAILED.
        message: one sentence for people.
        session_id: the session it seems to be of, "" where that can't be told.
        kind: the name of the error.
    """

    name: str
    outcome: Outcome
    message: str
    session_id: str = ""
    kind: str = ""


class Progress(NamedTuple):
    """How far one piece of work is.

    Attributes:
        verb: "Pushing", "Pulling" or "Reading".
        session_id: the session at work, "" between two.
        done: bytes that went through.
        total: bytes in all, 0 where unknown.
        sessions_done, sessions_total: the same, counted in sessions.
    """

    verb: str
    session_id: str = ""
    done: int = 0
    total: int = 0
    sessions_done: int = 0
    sessions_total: int = 0


class IndexProgress(NamedTuple):
    """How far the index of what was said is filled.

    Attributes:
        read: how many sessions were read to their end.
        total: how many are to be read in all.
        complete: whether nothing is known to be left to read.
    """

    read: int
    total: int
    complete: bool
