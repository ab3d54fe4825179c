"""What the service shows: one immutable value with everything a front end needs."""

from __future__ import annotations

from dataclasses import dataclass

from claude_sync.model import (
    Finding,
    Machine,
    Progress,
    Result,
    SessionState,
    Version,
)
from claude_sync.state.preferences import Preferences


@dataclass(frozen=True, slots=True)
class Arrival:
    """A session that another machine holds a newer version of.

    Attributes:
        state: where it stands; its title is text that others wrote.
        machine: the one that pushed it.
        version: that machine's, to tell a new arrival from a known one.
        seen_at: when it was first seen here, seconds since the epoch.
        here: whether this machine has an older version.
        was_open: whether it was still open there when it was pushed.
        pushed_at: when it was pushed, as that machine's clock said, seconds since the epoch.
    """

    state: SessionState
    machine: str
    version: Version
    seen_at: float
    here: bool
    was_open: bool = False
    pushed_at: float = 0.0

    @property
    def session_id(self) -> str:
        return self.state.session_id


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done or failed, for notices; its number tells it from others.

    Attributes:
        number: greater than that of everything before.
        kind: "push", "pull", "resume" (it pulls), "resolve", "restore", "undo", "forget" or
            "failed".
        by_hand: whether a person asked for it.
        at: seconds since the epoch.
        results: of each session that something was done with.
        message: one sentence where it failed.
    """

    number: int
    kind: str
    by_hand: bool
    at: float
    results: tuple[Result, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything a front end shows, at one moment.

    Attributes:
        machine: this one, None before the first look.
        location: the store's, as the preferences spell it; "" where none is chosen.
        label: the same for a person.
        remote: whether the store is reached over a connection.
        sessions: every session, newest first, as of the last look.
        to_push: ids that a push of all would write.
        older: those of them that were last used more than seven days ago.
        arrivals: what could be pulled now; what `replaces` something, only if a person asks.
        deferred: ids whose pull waits until the client closes them.
        conflicts: sessions that need a decision.
        findings: the doctor's last, worst first.
        examined: whether the doctor has looked since the start.
        events: the last few, oldest first.
        last_sync: when the store was last looked at, seconds since the epoch.
        activity: what is being done now.
        offline_since: since when the store can't be reached, None while it can.
        offline_message: why, one sentence.
        unwatched: why a store that might tell of changes at once doesn't, so that only the interval
            finds them, without a full stop; "" where it does, and where no such store could.
        paused_until: seconds since the epoch, infinity until resumed by hand, None if not paused.
        preferences: the user's, as the service goes by them.
        error: what fails and won't go away by itself, one sentence; "" for nothing. A store that is
            merely out of reach is no error.
        started: whether the first look is over, or was in vain.
        stopped: whether the service has ended.
    """

    machine: Machine | None = None
    location: str = ""
    label: str = ""
    remote: bool = False
    sessions: tuple[SessionState, ...] = ()
    to_push: tuple[str, ...] = ()
    older: tuple[str, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    deferred: tuple[str, ...] = ()
    conflicts: tuple[SessionState, ...] = ()
    findings: tuple[Finding, ...] = ()
    examined: bool = False
    events: tuple[Event, ...] = ()
    last_sync: float | None = None
    activity: Progress | None = None
    offline_since: float | None = None
    offline_message: str = ""
    unwatched: str = ""
    paused_until: float | None = None
    preferences: Preferences = Preferences()  # noqa: RUF009 -- it is immutable
    error: str = ""
    started: bool = False
    stopped: bool = False
