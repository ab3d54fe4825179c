"""What a person decided about the sessions of one store, and what follows from it for this machine.

Losing these costs more than a question: a session that was forgotten would be uploaded again. So
they don't lie among the records, which a damaged database takes along, but in a file of their own
that is read at once when it changes and written before anything is remembered that hangs on it.

They are about the transcripts that lie here, and stay with them: in a copied home, which is another
machine, all of them stand as well. What was forgotten isn't uploaded from there, what was undone
isn't done again by itself, and a conflict that was settled stays so; whoever wants it otherwise
names the session.

Where that file was damaged, nobody knows what was forgotten. What this machine has no bundle of in
the store may have been, and nothing else can: so all such sessions of that moment count as
forgotten until they are named (`settle`). Sessions that are begun later are pushed as ever; while
something here or in the store can't be seen, later hasn't come yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from claude_sync.model import Version
from claude_sync.state.decisions_file import UNDECIDED, Decided, DecisionsFile
from claude_sync.state.paths import Paths

_MOST_SUPERSEDED = 1024
"""Kept of a session: more than all of its bundles that count can name, so that what is learned from
them is known the next time. Strangers may write into a store; this file must not grow with that."""


class Decisions:
    """The decisions of one store. Used by one thread.

    What is decided is written at once, or at the end of the outermost `together`.
    Every method may raise RecordsError where the file can't be read or written, and LockBusy where
    another claude-sync keeps writing it.

    Args:
        paths: where claude-sync keeps its things.
        store_id: the store's, or what stands for none.
        writable: False for whoever must change nothing: then whatever is wrong with the file, it is
            as if there were none, and what is decided is forgotten at the end.
    """

    def __init__(self, paths: Paths, store_id: str, *, writable: bool = True) -> None:
        self._file = DecisionsFile(paths, store_id, writable=writable)
        self._changed: dict[str, Decided] = {}
        self._lost: bool | None = None
        self._depth = 0

    @property
    def lost(self) -> bool:
        """Whether there were decisions that nobody knows any more: `settle` has to be called."""
        return self._file.lost if self._lost is None else self._lost

    @property
    def known(self) -> bool:
        """Whether the file holds anything of this store, or will."""
        return self._file.known or bool(self._changed)

    def refresh(self) -> None:
        """Take over what another process decided."""
        self._file.reload()

    def of(self, session_id: str) -> Decided:
        """What was decided about a session; nothing is an answer too."""
        known = self._changed.get(session_id)
        return self._file.sessions.get(session_id, UNDECIDED) if known is None else known

    def declining(self) -> frozenset[str]:
        """Sessions with a declined version."""
        return frozenset(
            session_id
            for session_id in self._file.sessions.keys() | self._changed.keys()
            if self.of(session_id).declined
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all that is decided inside at once, at the end; also where that is an error's.

        What was decided by then did happen: that the rest couldn't be done doesn't take it back.
        """
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            self._save()

    # -- deciding -----------------------------------------------------------------------------

    def forget(self, session_ids: Iterable[str]) -> None:
        """Don't push sessions any more until they are named."""
        with self.together():
            for session_id in session_ids:
                self._put(session_id, forgotten=True)

    def push_again(self, session_id: str) -> None:
        """Push a session that was forgotten like any other, because it was named."""
        self._put(session_id, forgotten=False)

    def decline(self, session_id: str, version: Version) -> None:
        """Skip a version that was undone here."""
        self._put(session_id, declined=self.of(session_id).declined | {version})

    def accept(self, session_id: str) -> None:
        """Skip no version any more, because the session was asked for by name."""
        self._put(session_id, declined=frozenset())

    def supersede(self, session_id: str, hashes: Iterable[str]) -> None:
        """Let the version here replace others, known by their SHA-256."""
        known = self.of(session_id).supersedes
        self._put(session_id, supersedes=tuple(dict.fromkeys((*known, *hashes))))

    def stop_superseding(self, session_id: str, sha256: str) -> None:
        """Let a version that is the one here again not be replaced by itself."""
        known = self.of(session_id).supersedes
        self._put(session_id, supersedes=tuple(one for one in known if one != sha256))

    def replace_supersedes(self, session_id: str, hashes: Iterable[str]) -> None:
        """Put back an earlier state of what is replaced, oldest first."""
        self._put(session_id, supersedes=tuple(dict.fromkeys(hashes)))

    def decide(self, session_id: str, decision: int) -> None:
        """Give the version here the number of the resolve that made it."""
        self._put(session_id, decision=decision)

    # -- what becomes of many at once ---------------------------------------------------------

    def adopt(self, older: Mapping[str, Decided]) -> None:
        """Take over what was kept elsewhere before; what is known here already stands above it.

        But a session that was forgotten either here or there is forgotten.
        """
        with self.together():
            for session_id, decided in older.items():
                known = self.of(session_id)
                if known == UNDECIDED:
                    self._put(session_id, **decided._asdict())
                elif decided.forgotten:
                    self._put(session_id, forgotten=True)

    def settle(
        self, missing: Iterable[str], *, inherited: Mapping[str, Decided], seen_whole: bool = True
    ) -> None:
        """Make the best of it where decisions were lost.

        Args:
            missing: sessions here that may have been forgotten: no bundle of this machine is there.
            inherited: what this machine's bundles say was decided about theirs.
            seen_whole: whether everything was seen, here and in the store. Where something
                wasn't, it has to be called again: what shows up then may have been forgotten, too.
        """
        with self.together():
            self.forget(missing)
            for session_id, decided in inherited.items():
                self.supersede(session_id, decided.supersedes)
                self.decide(session_id, max(decided.decision, self.of(session_id).decision))
            if seen_whole:
                self._lost = False

    def count_as_lost(self) -> None:
        """Have `settle` called at the next look: there were decisions, and they are gone."""
        self._lost = True
        self._save()

    # -- writing ------------------------------------------------------------------------------

    def _put(self, session_id: str, **changes: Any) -> None:
        known = self.of(session_id)
        decided = known._replace(**changes)
        decided = decided._replace(supersedes=decided.supersedes[-_MOST_SUPERSEDED:])
        if decided != known:
            self._changed[session_id] = decided
            self._save()

    def _save(self) -> None:
        if self._depth or (not self._changed and self._lost is None):
            return
        self._file.save(self._changed, lost=self._lost)
        self._changed, self._lost = {}, None
