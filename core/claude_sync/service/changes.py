"""What changed on this machine, as far as events and rescans tell, and when it is to be pushed.

Events are hints and the rescan is the truth: what an event names is looked at, and what a rescan
finds is believed. Reads directory listings and live files, never a transcript.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from claude_sync.claude.home import ClaudeHome
from claude_sync.claude.live_sessions import LiveSessions, read_live_sessions
from claude_sync.claude.session_files import TRANSCRIPT_SUFFIX
from claude_sync.model import LocalSession, Outcome, Result
from claude_sync.names import is_session_id
from claude_sync.service import schedule
from claude_sync.service.schedule import Change, Events

_EVENTS_COME_WITHIN_SECONDS = 5.0


class Changes:
    """What changed here since it was last pushed.

    Args:
        home: Claude Code's folders.
        clock: the clock that the schedule runs by.

    Attributes:
        pending: changed sessions, by id.
        live: what the client had open when that was last looked at.
        events: whether events of Claude's projects come.
        revision: another number whenever anything here has changed.
    """

    def __init__(self, home: ClaudeHome, clock: Callable[[], float] = time.monotonic) -> None:
        self._home = home
        self._clock = clock
        self._roots = {str(home.projects), os.path.realpath(home.projects)}
        self._local: dict[str, LocalSession] | None = None
        self._pushed_at: dict[str, float] = {}
        self.pending: dict[str, Change] = {}
        self.live = LiveSessions()
        self.events = Events.UNPROVED
        self.revision = 0

    # -- noticing -----------------------------------------------------------------------------

    def rescan(self) -> None:
        """Look at all of Claude's tree, and at what the client has open.

        The first one only learns what is there: what of it has to be pushed, `adopt` is told.

        A change that is older than any event takes to arrive shows that none come: on a network
        drive, or with a watch that has gone blind.

        Raises:
            ClaudeHomeError: the tree is there and can't be read.
        """
        found = {str(session.path): session for session in self._home.sessions()}
        known, self._local = self._local, found
        if known is not None:
            for path, session in found.items():
                before = known.get(path)
                if before is None or not _same(before, session):
                    self._note(session)
                    told = before is None or before.stamp != session.stamp
                    if told and _is_stale_news(session):
                        self.events = Events.MISSING
            if known.keys() - found.keys():
                self.revision += 1
        self.look_at_live()

    def look_at(self, path: str) -> bool:
        """Look at one session, because an event named its transcript or a file below it.

        Returns:
            whether a rescan is wanted, because a whole folder came, went or moved.
        """
        self.events = Events.COMING
        parts = self._parts(path)
        if self._local is None or parts is None:
            return False
        if len(parts) == 1:
            return True
        session_id = parts[1].removesuffix(TRANSCRIPT_SUFFIX)
        if is_session_id(session_id):
            self._look(parts[0], session_id)
        return False

    def look_at_companion(self, path: str) -> bool:
        """Look at the session whose task list or plan an event named.

        Returns:
            whether a rescan is wanted, because only all sessions together tell whose plan it is.
        """
        session_id = self._home.session_of_companion(path)
        if self._local is None or session_id is None:
            return False
        if not session_id:
            return True
        for known in [one for one in self._local.values() if one.session_id == session_id]:
            self._look(known.folder, known.path.stem)
        return False

    def doubt_events(self) -> None:
        """Take note that the watch was built anew: that events come has to be proved again."""
        if self.events is Events.COMING:
            self.events = Events.UNPROVED

    def look_at_live(self) -> bool:
        """Look at what the client has open; whether that changed.

        What it closed is looked at again, and pushed as soon as possible.
        """
        live = read_live_sessions(self._home.live_folder)
        closed, opened = self.live.open_ids - live.open_ids, live.open_ids - self.live.open_ids
        self.live = live
        if not (closed or opened):
            return False
        self.revision += 1
        for session_id in closed:
            # Afresh, for the events of its last lines may still be on the way. Also where nothing
            # seems to have changed: while it was open, its last line may not have been finished,
            # and wasn't pushed then.
            for copy in self._home.find(session_id):
                self._look(copy.folder, session_id, urgent=True)
        return True

    def rest(self, session_id: str, *, closed: bool) -> None:
        """Look at a session that waits for its person, or was closed, as the client says.

        It needn't be watched for any longer whether more is coming. One that was seen to be closed
        already, and hasn't changed since, is no change again.
        """
        if closed:
            self.look_at_live()
        for copy in self._home.find(session_id):
            self._look(copy.folder, session_id)
        change = self.pending.get(session_id)
        if change is not None:
            urgent = change.urgent or closed
            self.pending[session_id] = replace(change, rested=True, urgent=urgent)

    def adopt(self, sessions: Mapping[str, int]) -> None:
        """Count sessions as changed though no change of them was seen.

        Args:
            sessions: sizes of their transcripts, by id.
        """
        now, here = self._clock(), (self._local or {}).values()
        whole = {one.session_id: one.total_bytes for one in here if one.session_id in sessions}
        for session_id, size in sessions.items():
            if session_id not in self.pending:
                pushed = self._pushed_at.get(session_id)
                self.pending[session_id] = schedule.after_change(
                    None, now, whole.get(session_id, size), pushed
                )

    def _look(self, folder: str, session_id: str, *, urgent: bool = False) -> None:
        if self._local is None:
            return
        path = str(self._home.projects / folder / f"{session_id}{TRANSCRIPT_SUFFIX}")
        session, before = self._home.session_in(folder, session_id), self._local.get(path)
        if session is None:
            if self._local.pop(path, None) is not None:
                self.revision += 1
        elif urgent or before is None or not _same(before, session):
            self._local[path] = session
            self._note(session, urgent=urgent)

    def _note(self, session: LocalSession, *, urgent: bool = False) -> None:
        self.revision += 1
        session_id, size = session.session_id, session.total_bytes
        pushed = self._pushed_at.get(session_id)
        self.pending[session_id] = schedule.after_change(
            self.pending.get(session_id), self._clock(), size, pushed, urgent=urgent
        )

    def _parts(self, path: str) -> list[str] | None:
        """A path relative to Claude's projects, None where it isn't below them."""
        for root in self._roots:
            if path.startswith(root + os.sep):
                return path[len(root) + 1 :].split(os.sep)
        return None

    # -- what was done about it ---------------------------------------------------------------

    def installed(self, path: Path) -> None:
        """Take note of a transcript that was pulled: our own write is no change to push."""
        session_id, folder = path.stem, path.parent.name
        self.pending.pop(session_id, None)
        session = self._home.session_in(folder, session_id)
        if session is not None and self._local is not None:
            self._local[str(path)] = session

    def pushed(self, asked: Iterable[str], results: Iterable[Result]) -> None:
        """Take note of a push; what failed or was held back stays a change, for later."""
        now = self._clock()
        outcomes = {result.session_id: result.outcome for result in results}
        for session_id in asked:
            change = self.pending.pop(session_id, None)
            if change is not None and outcomes.get(session_id) in (Outcome.FAILED, Outcome.HELD):
                self.pending[session_id] = schedule.after_failure(change, now)
        for session_id, outcome in outcomes.items():
            if outcome is Outcome.PUSHED:
                self._pushed_at[session_id] = now

    def due(self, quiet_seconds: float) -> dict[str, float]:
        """When each changed session is to be pushed."""
        return {
            session_id: schedule.push_due(change, quiet_seconds)
            for session_id, change in self.pending.items()
        }

    def smallest_first(self) -> list[str]:
        """All changed sessions: as many as possible are to be pushed before a sleep."""
        return sorted(self.pending, key=lambda session_id: self.pending[session_id].size)


def _same(one: LocalSession, other: LocalSession) -> bool:
    return one.stamp == other.stamp and one.sidecar == other.sidecar


def _is_stale_news(session: LocalSession) -> bool:
    return time.time() - session.stamp.mtime_ns / 1e9 > _EVENTS_COME_WITHIN_SECONDS
