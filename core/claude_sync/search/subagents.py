"""The subagents of a session that is read, and their own transcripts, wherever those lie.

Of a bundle in the store nothing is unpacked: its sidecar is passed over, and what is read of a
subagent's transcript is read where it stands. A host is asked for the beginning of a sidecar only;
what lies behind that can be read once the session was pulled.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from claude_sync.bundle.codec import Decoder
from claude_sync.bundle.sidecar_parts import BEFORE_FIRST, SidecarPart, sidecar_parts
from claude_sync.claude.message import read_message
from claude_sync.claude.subagents import (
    FOLDER,
    MAX_NOTE_BYTES,
    Note,
    note_of_subagent,
    read_note,
    transcript_of_subagent,
)
from claude_sync.disk.snapshot import read_small
from claude_sync.errors import BundleError, SessionError, UsageError
from claude_sync.model import Bundle
from claude_sync.search.lines import EncodedLines, FileLines, Line, Lines, split_lines
from claude_sync.search.passages import TurnCount, turn_in
from claude_sync.sync.context import Context
from claude_sync.values import NamedTuple

_FROM_A_HOST_BYTES = 4 << 20
"""Of a sidecar, to find what it holds."""
_COUNTED_BYTES = 4 << 20
"""Of all subagents' transcripts together, to say how many turns they have."""
_FIRST_LINE_BYTES = 16 << 10
"""Of one that isn't counted, to say when it began."""
_MOST_SUBAGENTS = 1_000
_FIRST_BLOCK, _BIGGEST_BLOCK = 1 << 16, 4 << 20
_BEHIND = FOLDER + "0"
"""What comes behind all files of subagents where files are sorted by their paths."""

Opener = Callable[[], Lines]


class Subagent(NamedTuple):
    """A subagent of a session. Texts are other people's.

    Attributes:
        id: what it is called, also where it is asked for.
        description: what it was set to do, in a few words; "" where unknown.
        kind: what sort of subagent it is, "" where unknown.
        call_id: the tool call that set it to work, "" where unknown.
        size: of its transcript, bytes.
        turns: how many there are in it; None where that wasn't counted.
        began: when its first line was written as that says, seconds since the epoch, None where it
            doesn't.
    """

    id: str
    description: str = ""
    kind: str = ""
    call_id: str = ""
    size: int = 0
    turns: int | None = None
    began: float | None = None

    def noted(self, note: Note) -> Subagent:
        """The same with what the client noted of it."""
        return self._replace(description=note.description, kind=note.kind, call_id=note.call_id)


class Subagents:
    """The subagents of one session.

    Args:
        found: each with what opens its transcript.
        complete: whether all that there may be were looked for.
    """

    def __init__(
        self, found: Iterable[tuple[Subagent, Opener]] = (), *, complete: bool = True
    ) -> None:
        ordered = sorted(found, key=lambda one: (one[0].began or float("inf"), one[0].id))
        self._openers = {subagent.id: opener for subagent, opener in ordered}
        self._known = {subagent.id: subagent for subagent, _ in ordered}
        self.complete = complete

    def __iter__(self) -> Iterator[Subagent]:
        """Each of them, the one that began first coming first."""
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def get(self, agent_id: str) -> Subagent | None:
        """The one of that very id."""
        return self._known.get(agent_id)

    def by_call(self) -> Mapping[str, str]:
        """Ids of subagents by the tool call that set each to work, as far as that was noted."""
        return {one.call_id: one.id for one in self if one.call_id}

    def find(self, text: str) -> Subagent:
        """The one that an id, or its beginning, names.

        Raises:
            UsageError: none or several of them are named so.
        """
        fitting = [one for one in self if one.id.startswith(text)]
        if found := self.get(text) or (fitting[0] if len(fitting) == 1 else None):
            return found
        how_many = "more than one subagent's id begins" if fitting else "no subagent's id begins"
        todo = "see `claude-sync show`"
        if not fitting and not self.complete:
            todo = "pull the session, for not all of them can be seen before that"
        raise UsageError(f"{how_many} with that", where=text, todo=todo)

    def open(self, subagent: Subagent) -> Lines:
        """The lines of its transcript.

        Raises:
            OSError: it can't be opened.
        """
        return self._openers[subagent.id]()


# --- in files ----------------------------------------------------------------------------------


def subagents_in_files(
    files: Iterable[tuple[str, Path]], check: Callable[[], None] = lambda: None
) -> Subagents:
    """The subagents whose transcripts lie in files; those that can't be read are left out.

    Args:
        files: a session's, each by its path in a bundle, and where it is.
        check: called between blocks; raises to stop.
    """
    here = dict(files)
    notes = {agent: path for name, path in here.items() if (agent := note_of_subagent(name))}
    counting, found = _Counting(), list[tuple[Subagent, Opener]]()
    for name, path in here.items():
        agent = transcript_of_subagent(name)
        if not agent or len(found) == _MOST_SUBAGENTS:
            continue
        try:
            with FileLines(path, check) as lines:
                subagent = counting.look(agent, lines.size, lines.forward(0))
        except (OSError, SessionError):
            continue
        if agent in notes:
            with suppress(OSError):
                subagent = subagent.noted(read_note(read_small(notes[agent], MAX_NOTE_BYTES)))
        found.append((subagent, _file_opener(path, check)))
    return Subagents(found)


def _file_opener(path: Path, check: Callable[[], None]) -> Opener:
    return lambda: FileLines(path, check)


# --- in a bundle -------------------------------------------------------------------------------


def subagents_in_bundle(context: Context, bundle: Bundle) -> Subagents:
    """The subagents whose transcripts stand in a bundle in the store, one in canonical form.

    Raises:
        BundleError, TransportError: it can't be read.
    """
    reading = _Sidecar(context, bundle)
    counting, notes = _Counting(), dict[str, Note]()
    found: list[tuple[Subagent, Opener]] = []
    for part in sidecar_parts(reading.blocks(), _COUNTED_BYTES):
        if agent := note_of_subagent(part.path):
            notes[agent] = read_note(_decoded(part.beginning))
        elif agent := transcript_of_subagent(part.path):
            whole = part.encoded_size <= len(part.beginning) and counting.takes(part.size)
            wanted = part.beginning if whole else part.beginning[:_FIRST_LINE_BYTES]
            lines = split_lines([_decoded(wanted)], 0)
            subagent = counting.look(agent, part.size, lines, whole=whole)
            found.append((subagent, reading.opener(part)))
        if part.path >= _BEHIND or len(found) > _MOST_SUBAGENTS:
            break
    return Subagents(
        ((one.noted(notes[one.id]) if one.id in notes else one, opener) for one, opener in found),
        complete=not reading.cut,
    )


class _Sidecar:
    """Reads what stands behind the transcript of a bundle.

    Attributes:
        cut: whether there was more than is asked for.
    """

    def __init__(self, context: Context, bundle: Bundle) -> None:
        self._context = context
        self._bundle = bundle
        self._start = bundle.head.encoded_size + BEFORE_FIRST
        self.cut = False

    def blocks(self) -> Iterator[bytes]:
        """All of it; of a host's the beginning."""
        at, size = 0, _FIRST_BLOCK
        most = _FROM_A_HOST_BYTES if self._context.store.remote else sys.maxsize
        while at < most:
            self._context.check()
            size = min(size, most - at)
            # Whole, for who has enough leaves early, and a connection would be given up by that.
            block = b"".join(self._read(at, size))
            yield block
            if len(block) < size:
                return
            at, size = at + size, min(2 * size, _BIGGEST_BLOCK)
        self.cut = True

    def _read(self, offset: int, length: int) -> Iterator[bytes]:
        return self._context.store.encoded(self._bundle, self._start + offset, length)

    def opener(self, part: SidecarPart) -> Opener:
        """What opens a file in it."""
        return lambda: EncodedLines(
            lambda offset, length: self._read(part.start + offset, length),
            part.size,
            part.encoded_size,
            self._context.check,
        )


def _decoded(beginning: bytes) -> bytes:
    """What the first bytes of an encoding stand for, as far as they tell."""
    decoder = Decoder()
    try:
        return decoder.feed(beginning)
    except BundleError:
        return b""


# --- both --------------------------------------------------------------------------------------


class _Counting:
    """Counts the turns of subagents, as long as there aren't too many bytes of them."""

    def __init__(self) -> None:
        self._left = _COUNTED_BYTES

    def takes(self, size: int) -> bool:
        """Whether so many bytes more are looked through."""
        return size <= self._left

    def look(self, agent: str, size: int, lines: Iterator[Line], *, whole: bool = True) -> Subagent:
        """What the lines of a subagent tell; `whole` says whether they are all there are."""
        began, turns = None, None
        if whole and self.takes(size):
            self._left -= size
            count = TurnCount()
            for line in lines:
                began = _moment(line) if began is None else began
                turn = turn_in(line)
                count = count if turn is None else count.after(turn._replace(subagent=False))
            turns = count.number
        elif (first := next(lines, None)) is not None:
            began = _moment(first)
        return Subagent(agent, size=size, turns=turns, began=began)


def _moment(line: Line) -> float | None:
    message = read_message(line.data) if line.data is not None else None
    return message.at if message is not None else None
