"""Going on with a session: which one is meant, and what has to be here before the client may.

Nothing is started here: a front end does that with what comes back, once the lock is released.

Order of steps: look · which session · is it open here · pull it by the ordinary rules · what lies
here now, or what a person has to decide first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from claude_sync.claude.transcript import title_of
from claude_sync.errors import (
    ClaudeSyncError,
    NotSetUp,
    SessionError,
    SessionNotFound,
    SessionOpen,
    SessionUnplaced,
    TransportError,
)
from claude_sync.model import Bundle, LocalSession, Outcome, Result, SessionState, State
from claude_sync.sync.context import Context
from claude_sync.sync.parents import with_parents
from claude_sync.sync.pull import pull_surveyed
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.opening import announce
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.undo_record import from_elsewhere
from claude_sync.values import NamedTuple

PULLED = frozenset({Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED})
"""What became of a session that came from elsewhere."""

_AS_IT_WAS = frozenset({Outcome.UNCHANGED, Outcome.AHEAD, Outcome.DECLINED})
_UNREAD = frozenset({Outcome.INCOMPLETE, Outcome.FAILED})
# Clocks that are set by the network differ by less.
_CLOCK_SLACK_NS = 2 * 10**9


class Question(str, Enum):
    """What a person has to decide before a session can be resumed."""

    DIVERGED = "diverged"
    """Which side is kept: see `show_conflict` and `resolve`."""
    SHORTENED = "shortened"
    """What is brought back of what it lost: see `earlier_versions` and `restore`."""
    REPLACES = "replaces"
    """Whether a version that was chosen elsewhere may take the place of lines only here."""
    UNREAD = "unread"
    """Whether to go on with what is here, though another version couldn't be read."""

    def __str__(self) -> str:
        return self.value


class Resumption(NamedTuple):
    """A session that is ready to be resumed, or what has to be decided before.

    Attributes:
        session_id: the session.
        title: other people's text, "" where it has none; escape it for where it is shown.
        project_key: "" where unknown.
        directory: where it is resumed, None where that isn't known; it may be missing.
        path: its transcript, None where it isn't here.
        from_elsewhere: so many bytes at the beginning of that came from elsewhere.
        results: what a pull of it did, and then of what it branched from; nothing where the store
            couldn't be asked.
        put_back: whether what was pulled is what this machine itself had pushed.
        written_ns: when what was pulled was last written there, nanoseconds since the epoch.
        was_open: whether it was open there when it was pushed.
        question: what a person has to decide first, None where it can be resumed.
        message: the same as a sentence with what to type; else a sentence on what was pulled,
            mostly "".
        replaces: how many lines that are only here another version would replace.
        only_here: why the store couldn't be asked, a sentence; "" where it was.
        deleted: a session of the project that is newer, but was deleted here; "" for none.
    """

    session_id: str
    title: str
    project_key: str
    directory: Path | None
    path: Path | None
    from_elsewhere: int = 0
    results: tuple[Result, ...] = ()
    put_back: bool = False
    written_ns: int = 0
    was_open: bool = False
    question: Question | None = None
    message: str = ""
    replaces: int = 0
    only_here: str = ""
    deleted: str = ""

    @property
    def pulled(self) -> Result | None:
        """What was pulled of it, None for nothing."""
        own = self.results[0] if self.results else None
        return own if own is not None and own.outcome in PULLED else None

    def checked_directory(self) -> Path:
        """The directory to resume in, which is there.

        Raises:
            SessionUnplaced: it isn't, or none is known.
        """
        if self.directory is None:
            raise SessionUnplaced(
                "no directory of this machine is known for that session",
                where=self.session_id,
                todo="`claude-sync projects add DIR` with its project's",
            )
        if not os.path.isdir(self.directory):
            raise SessionUnplaced(
                "the session's directory isn't there",
                where=str(self.directory),
                todo="switch to the branch that has it, or make it, then resume again",
            )
        return self.directory


def prepare_resume(
    context: Context,
    session: str | None = None,
    *,
    project: str | None = None,
    replace: bool = False,
    as_it_is: bool = False,
    opens_within: float = 0.0,
) -> Resumption:
    """Have the newest version of a session here, so that the client can go on with it.

    Where the store can't be reached, or none was chosen, what is here counts.

    Args:
        context: what to work with.
        session: its id, or the beginning of it; None for the one of the project that was used
            last on any machine, of those that weren't deleted here.
        project: the project's key, where no session is named.
        replace: whether a person agreed that a version which was chosen elsewhere takes the place
            of lines that are only here.
        as_it_is: whether a person agreed to go on with what is here, though another version
            couldn't be read.
        opens_within: in how many seconds the caller has a client open it, infinity where its own
            process becomes that client. So long, and as long as the process lives, the session
            counts as open here, until the client says so itself.

    Raises:
        UsageError: no session, or more than one, has that id; or the project has none.
        SessionOpen: the client has it open here.
        SessionUnplaced: it isn't here, and no directory of its project is.
        SessionError: it can't be read, or its version elsewhere can't and nothing is here.
        TransportError, NotSetUp: it isn't here, and the store can't be asked.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("resuming"):
        try:
            survey, refusal = look(context), None
        except (TransportError, NotSetUp) as error:
            survey, refusal = look(context, store=False), error
        session_id, deleted = _which(survey, session, project, refusal)
        found = _Preparing(context, survey, session_id, replace=replace, as_it_is=as_it_is).run(
            asked=refusal is None
        )
        if found.question is None and opens_within:
            announce(context.paths.opening_file, context.home.path, session_id, opens_within)
    return found._replace(only_here=str(refusal or ""), deleted=deleted)


# --- which session -----------------------------------------------------------------------------


def _which(
    survey: Survey,
    session: str | None,
    project: str | None,
    refusal: TransportError | NotSetUp | None,
) -> tuple[str, str]:
    """The session that is meant; and a newer one of the project that was deleted here, or ""."""
    if session is not None:
        try:
            return survey.find(session), ""
        except SessionNotFound as error:
            if refusal is not None:
                raise refusal from error
            raise _still_arriving(survey, session) or error from None
    in_order = _newest_first(survey, project)
    chosen = next((one for one in in_order if not _is_gone(survey, one)), "")
    deleted = in_order[0] if in_order and in_order[0] != chosen else ""
    if chosen:
        return chosen, deleted
    if refusal is not None:
        raise refusal
    if deleted:
        raise SessionNotFound(
            "this project's sessions were deleted here",
            where=project or "",
            todo=f"`claude-sync resume {deleted}` brings the newest of them back",
        )
    raise SessionNotFound(
        "no machine has pushed a session of this project, and none is here",
        where=project or "",
        todo="push it there first, or begin one with `claude`",
    )


def _still_arriving(survey: Survey, prefix: str) -> SessionError | None:
    """The error for a session that is known only from a file which can't be read yet."""
    for one in survey.skipped:
        if prefix and one.session_id.startswith(prefix.lower()):
            return SessionError(one.message)
    return None


def _newest_first(survey: Survey, project: str | None) -> list[str]:
    """A project's sessions, the one that was used last on any machine first.

    What is of a time that is still to come was written by a clock that runs ahead, and says nothing
    of when: it comes after all others. Where all are, it is this machine's clock that is behind.
    """
    latest_ns = time.time_ns() + _CLOCK_SLACK_NS

    def used(session_id: str) -> tuple[bool, int]:
        times = [one.stamp.mtime_ns for one in survey.local.get(session_id, ())]
        times += [one.head.mtime_ns for one in survey.bundles.get(session_id, ())]
        return max((time_ns <= latest_ns, time_ns) for time_ns in times)

    ids = [one for one in survey.ids() if not survey.is_blank(one)]
    ids.sort(key=lambda one: (one not in survey.local, one))
    ids.sort(key=used, reverse=True)
    found = []
    for session_id in ids:
        if _is_of(survey, session_id, project):
            found.append(session_id)
            if not _is_gone(survey, session_id):
                break  # what is older isn't asked for, and would have to be looked at
    return found


def _is_of(survey: Survey, session_id: str, project: str | None) -> bool:
    if project is None:
        return True
    copies = survey.local.get(session_id, ())
    if not copies:
        return any(one.head.project_key == project for one in survey.bundles.get(session_id, ()))
    try:
        found = survey.project(copies[0])
    except ClaudeSyncError:
        return False  # the listing says why it can't be told
    return found is not None and found.key == project


def _is_gone(survey: Survey, session_id: str) -> bool:
    return session_id not in survey.local and survey.record(session_id).seen


# --- what has to be here -----------------------------------------------------------------------


class _Preparing:
    def __init__(
        self, context: Context, survey: Survey, session_id: str, *, replace: bool, as_it_is: bool
    ) -> None:
        self._context = context
        self._survey = survey
        self._session_id = session_id
        self._replace = replace
        self._as_it_is = as_it_is

    def run(self, *, asked: bool) -> Resumption:
        """Pull the session if that is to be done, and say how it stands.

        Args:
            asked: whether the store was looked at.
        """
        local = self._survey.copy(self._session_id)
        if local is not None:
            self._check_closed(local)
        if not asked:
            assert local is not None  # else it would not have been found
            return self._without_store(local)
        # Not named, where something is here: what a person undid stays undone.
        results = self._pull(self._session_id, named=local is None)
        result = results[0]
        if result.outcome is Outcome.CONFLICT:
            return self._undecided(local, result)
        if local is not None:  # a pull by name has done so
            results = with_parents(self._context, self._survey, results, self._pull)
        if result.outcome in PULLED:
            return self._unless_unread(self._pulled(results))
        if local is None or result.outcome not in _AS_IT_WAS | _UNREAD:
            raise _refused(result)
        lacks = results[0].message.removeprefix(result.message).removeprefix("; ")
        ready = self._as_it_is_here(local)._replace(results=tuple(results), message=lacks)
        return self._unless_unread(ready, result)

    def _pull(self, session_id: str, *, named: bool = True) -> list[Result]:
        """Pull a session; its own result comes first."""
        return pull_surveyed(
            self._context, self._survey, [session_id], named=named, replace=self._replace
        )

    def _check_closed(self, local: LocalSession) -> None:
        if not self._survey.is_open(local):
            return
        live = self._survey.live.open_files.get(self._session_id)
        if live is not None and not live.background and not self._survey.live.unreadable:
            raise SessionOpen(
                "that session is open here already",
                where=self._session_id,
                todo="go on where it is open, or close it there first",
            )
        raise SessionOpen(
            f"that session isn't opened twice: {self._survey.live.explain(local)}",
            where=self._session_id,
        )

    def _without_store(self, local: LocalSession) -> Resumption:
        ready = self._as_it_is_here(local)
        if self._survey.is_blank(self._session_id) or not self._state().shortened:
            return ready
        how = f"`claude-sync restore {self._session_id}` shows what can be brought back"
        message = f"{self._state().detail}: {how}"
        return ready._replace(question=Question.SHORTENED, message=message)

    def _pulled(self, results: Sequence[Result]) -> Resumption:
        result = results[0]
        head = self._bundle(result.bundle).head
        return Resumption(
            session_id=self._session_id,
            title=head.title,
            project_key=head.project_key,
            directory=result.directory,
            path=result.path,
            from_elsewhere=result.from_elsewhere,
            results=tuple(results),
            put_back=head.machine_id == self._context.machine.id,
            written_ns=head.mtime_ns,
            was_open=head.open,
            message=result.message,
        )

    def _bundle(self, name: str) -> Bundle:
        bundles = self._survey.bundles[self._session_id]
        return next(one for one in bundles if one.name == name)

    def _unless_unread(self, ready: Resumption, result: Result | None = None) -> Resumption:
        """The same with a question where a version couldn't be read, which may be a newer one."""
        unread = self._survey.unread.get(self._session_id)
        doubt = unread.message if unread is not None else ""
        if result is not None and result.outcome in _UNREAD:
            doubt = result.message
        if not doubt or self._as_it_is:
            return ready
        return ready._replace(question=Question.UNREAD, message=doubt)

    def _undecided(self, local: LocalSession | None, result: Result) -> Resumption:
        state = self._state()
        if state.state is State.WAITING and state.replaces:
            question = Question.REPLACES
        elif state.shortened:
            question = Question.SHORTENED
        elif len(state.sides) > 1:
            question = Question.DIVERGED
        else:
            raise _refused(result)  # two copies here, or more versions than are compared
        if local is not None:
            found = self._as_it_is_here(local)
        else:
            found = Resumption(self._session_id, state.title, state.project_key, None, None)
        return found._replace(
            results=(result,),
            question=question,
            message=result.message,
            replaces=state.replaces,
        )

    def _state(self) -> SessionState:
        return states_surveyed(self._context, self._survey, [self._session_id])[0]

    def _as_it_is_here(self, local: LocalSession) -> Resumption:
        survey, session_id = self._survey, self._session_id
        record = survey.record(session_id)
        bundles = survey.bundles.get(session_id, ())
        return Resumption(
            session_id=session_id,
            title=title_of(session_id, survey.row(local).title),
            project_key=next((one.head.project_key for one in bundles), ""),
            directory=survey.directory(local),
            path=local.path,
            from_elsewhere=from_elsewhere(record, local.stamp.size),
        )


def _refused(result: Result) -> ClaudeSyncError:
    """The error for a session that a pull couldn't bring here, or may not touch."""
    kinds: dict[Outcome, type[ClaudeSyncError]] = {
        Outcome.UNPLACED: SessionUnplaced,
        Outcome.OPEN: SessionOpen,
    }
    message = result.message or "it can't be resumed"
    where = "" if result.session_id in message else result.session_id
    return kinds.get(result.outcome, SessionError)(message, where=where)
