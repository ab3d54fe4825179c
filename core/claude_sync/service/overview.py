"""Where everything stands, as one round of the service saw it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from claude_sync.model import Bundle, SessionState, State
from claude_sync.service import schedule
from claude_sync.service.arrivals import Arrivals
from claude_sync.service.status import Arrival
from claude_sync.sync.context import Context
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.survey import Survey


@dataclass(frozen=True, slots=True)
class Overview:
    """Where everything stands.

    Attributes:
        sessions: every session, newest first.
        to_push: ids that a push of all would write.
        older: those of them that were last used more than seven days ago.
        arrivals: what could be pulled now.
        conflicts: sessions that need a decision.
        quiet: when each session that waits, and counts as open only since it was written a moment
            ago, will count as closed; seconds since the epoch, by id.
    """

    sessions: tuple[SessionState, ...] = ()
    to_push: tuple[str, ...] = ()
    older: tuple[str, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    conflicts: tuple[SessionState, ...] = ()
    quiet: Mapping[str, float] = field(default_factory=dict)

    @property
    def quiet_at(self) -> float | None:
        """When the first of `quiet` will count as closed, None where there is none."""
        return min(self.quiet.values(), default=None)

    def unsent(self, written: Collection[str]) -> dict[str, int]:
        """What is to be pushed although no change of it was seen: sizes by id.

        What was used in the last seven days, or was pushed before; the rest waits to be asked for.

        Args:
            written: ids of sessions that this machine has pushed before.
        """
        older = set(self.older)
        known = {
            one.session_id: one.size
            for one in self.sessions
            if one.session_id in self.to_push
            and (one.session_id in written or one.session_id not in older)
        }
        # Our side of a conflict too, so that the other machines see how far it went.
        diverged = {
            one.session_id: one.size
            for one in self.conflicts
            if one.path is not None
            and not (one.ignored or one.forgotten or one.shortened)
            and (one.session_id in written or not _is_old(one))
        }
        return known | diverged


def make_overview(
    context: Context,
    survey: Survey,
    before: Overview,
    arrivals: Arrivals,
    *,
    broken: Collection[str] = (),
    read: Collection[str] = (),
) -> Overview:
    """Where everything stands by a survey that was just made; call it under the lock.

    A big session that is growing isn't read through only to say that it has changed.

    Args:
        context: what to work with.
        survey: of both sides.
        before: the overview before this one.
        arrivals: remembers since when each is known.
        broken: ids of sessions whose bundles can't be used as they are.
        read: ids of sessions to read however big they are.

    Raises:
        TransportError, Stopped
    """
    growing = [one for one in _growing(survey, before) if one.session_id not in read]
    skipped = {one.session_id for one in growing}
    sessions = sorted(
        [*states_surveyed(context, survey, but=skipped), *growing],
        key=lambda one: (-one.mtime_ns, one.session_id),
    )
    to_push = [one for one in sessions if _is_to_push(one)]
    waiting: list[tuple[SessionState, tuple[Bundle, ...]]] = [
        (one, survey.bundles.get(one.session_id, ()))
        for one in sessions
        if one.state is State.WAITING and one.session_id not in broken
    ]
    return Overview(
        sessions=tuple(sessions),
        to_push=tuple(one.session_id for one in to_push),
        older=tuple(one.session_id for one in to_push if _is_old(one)),
        arrivals=tuple(arrivals.of(waiting)),
        conflicts=tuple(one for one in sessions if one.state is State.CONFLICT),
        quiet=dict(_quiet(survey, (one.session_id for one, _ in waiting))),
    )


def _quiet(survey: Survey, sessions: Iterable[str]) -> Iterator[tuple[str, float]]:
    for session_id in sessions:
        copies = survey.local.get(session_id, ())
        moments = [moment for copy in copies if (moment := survey.quiet_at(copy)) is not None]
        if moments:
            yield session_id, max(moments)


def _growing(survey: Survey, before: Overview) -> Iterable[SessionState]:
    """Big sessions that have grown since `before`, as changed ones, without reading them."""
    known = {one.session_id: one for one in before.sessions if one.size > schedule.FREE_BYTES}
    for session_id, state in known.items():
        copies = survey.local.get(session_id, ())
        if len(copies) != 1 or state.state not in (State.CHANGED, State.SYNCED, State.AHEAD):
            continue
        if survey.known_version(copies[0]) is None:
            stamp = copies[0].stamp
            yield state._replace(
                state=State.CHANGED,
                size=stamp.size,
                mtime_ns=stamp.mtime_ns,
                open=survey.is_open(copies[0]),
            )


def _is_to_push(one: SessionState) -> bool:
    return (
        one.state is State.CHANGED and one.path is not None and not (one.ignored or one.forgotten)
    )


def _is_old(one: SessionState) -> bool:
    return one.mtime_ns < (time.time() - schedule.RECENT_SECONDS) * 1e9
