"""What the checks are given: this machine and the store, read once and shared by all checks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

from claude_sync.errors import (
    ClaudeHomeError,
    ClaudeSyncError,
    RecordsError,
    Stopped,
    StoreOffline,
    UsageError,
)
from claude_sync.model import Bundle, Finding, SessionState
from claude_sync.store.store import StoreView
from claude_sync.sync.bundles.allowance import held_back
from claude_sync.sync.context import Context
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.survey import Survey
from claude_sync.transports.location import (
    CloudLocation,
    FolderLocation,
    HostLocation,
    Location,
    parse_location,
)
from claude_sync.values import NamedTuple
from claude_sync.wording import quoted

DAY_SECONDS = 86_400.0


class Surveyed(NamedTuple):
    """A survey of this machine and the store that was made just before, for something else.

    Attributes:
        survey: both, joined.
        states: every session's state.
    """

    survey: Survey
    states: Sequence[SessionState]


class Facts:
    """What the checks are given.

    Args:
        context: what to read with.
        deep: whether the store may be written to, and read through.
        now: seconds since the epoch.
        surveyed: a survey made just before, for something else; None to make one.

    Attributes:
        store_error: why the store can't be read, None if it can.
        view: what is in the store, None if it can't be read.
        round_trip_seconds: how long a host takes to answer, None for a folder.
        home_error: why Claude Code's sessions can't be listed, None if they can.
        states_error: why sessions can't be compared, although the store could be read.
        survey: both, joined; None if Claude Code's sessions can't be listed.
    """

    def __init__(
        self, context: Context, *, deep: bool, now: float, surveyed: Surveyed | None = None
    ) -> None:
        self.context = context
        self.deep = deep
        self.now = now
        self.store_error: ClaudeSyncError | None = None
        self.round_trip_seconds: float | None = None
        self.home_error: ClaudeHomeError | None = None
        self.states_error: ClaudeSyncError | None = None
        self._surveyed = surveyed
        self.view = self._look()
        self.survey = self._survey() if surveyed is None else surveyed.survey

    def _look(self) -> StoreView | None:
        surveyed = self._surveyed
        try:
            store = self.context.store
            if surveyed is None:
                view = store.view()
            else:
                view = StoreView(surveyed.survey.bundles, surveyed.survey.skipped)
            if store.remote:
                # The first reading had to connect.
                begun = time.perf_counter()
                store.listing()
                self.round_trip_seconds = time.perf_counter() - begun
            return view
        except (Stopped, RecordsError):
            raise
        except ClaudeSyncError as error:
            self.store_error = error
            return None

    def _survey(self) -> Survey | None:
        try:
            return Survey(self.context, self.view)
        except ClaudeHomeError as error:
            self.home_error = error
            return None

    @cached_property
    def states(self) -> dict[str, SessionState]:
        """The state of each session that other machines pushed, too, or that changed here, by id.

        Sessions that were never pushed or pulled aren't compared: that would read whole transcripts
        for nothing. Empty if the store can't be read.
        """
        survey = self.survey
        if survey is None:
            return {}
        ids = {session_id for session_id in survey.bundles if survey.split(session_id)[2]}
        ids |= {
            session_id
            for session_id in survey.local
            if survey.record(session_id).seen and survey.cheap_outcome(session_id) is None
        }
        try:
            if self._surveyed is None:
                judged = states_surveyed(self.context, survey, sorted(ids))
            else:
                judged = [state for state in self._surveyed.states if state.session_id in ids]
        except StoreOffline as error:
            self.states_error = error
            return {}
        return {state.session_id: state for state in judged}

    @cached_property
    def held_back(self) -> frozenset[str]:
        """Ids of the sessions that changed and that no push sends by itself today."""
        survey = self.survey
        if survey is None or self.view is None or not self.context.daily_limit:
            return frozenset()
        try:
            surveyed = self._surveyed
            every = surveyed.states if surveyed else states_surveyed(self.context, survey)
            return held_back(self.context, survey, every)
        except StoreOffline as error:
            self.states_error = error
            return frozenset()

    @cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """Every bundle in the store."""
        view = self.view
        return tuple(one for bundles in view.bundles.values() for one in bundles) if view else ()

    @cached_property
    def names(self) -> dict[str, str]:
        """The latest name of each machine with a bundle in the store, by its id."""
        newest: dict[str, tuple[str, int, str]] = {}
        for bundle in self.bundles:
            head = bundle.head
            label = (head.pushed_at, head.revision, head.machine)
            newest[head.machine_id] = max(label, newest.get(head.machine_id, label))
        return {machine_id: name for machine_id, (_, _, name) in newest.items()}

    @cached_property
    def machine_name(self) -> str:
        """This machine's name; if its own record of it was lost, the one in the store."""
        machine = self.context.machine
        return machine.name if machine.named else self.names.get(machine.id, machine.name)

    @cached_property
    def _store_location(self) -> Location | None:
        """Where the shared folder is, None if none is chosen or what was typed names nothing."""
        location = self.context.preferences.location
        try:
            return parse_location(location) if location else None
        except UsageError:
            return None

    @property
    def store_folder(self) -> Path | None:
        """The shared folder as a path, None if it is on a host."""
        location = self._store_location
        return Path(location.path) if isinstance(location, FolderLocation) else None

    @property
    def store_host(self) -> HostLocation | None:
        """The host that the shared folder is on, None if it is on this machine."""
        location = self._store_location
        return location if isinstance(location, HostLocation) else None

    @property
    def store_cloud(self) -> CloudLocation | None:
        """The place in a cloud that the shared folder is, None if it is in none."""
        location = self._store_location
        return location if isinstance(location, CloudLocation) else None

    @property
    def location(self) -> str:
        """The shared folder as a person would type it; a word to fill in if none is chosen."""
        location = self.context.preferences.location
        return quoted(location) if location else "LOCATION"


Check = Callable[[Facts], Iterable[Finding]]
