"""Sessions that wait for a person: in conflict, without a directory, twice here, undone."""

from __future__ import annotations

from collections.abc import Iterator

from claude_sync.claude.session_files import SessionFiles
from claude_sync.doctor.access import can_read
from claude_sync.doctor.facts import Facts
from claude_sync.doctor.fixes import grant_command
from claude_sync.errors import ProjectKeyError, SessionDivided, SessionError, StoreUnseen
from claude_sync.model import Finding, Level, LocalSession, SessionState, State
from claude_sync.sync.survey.survey import Survey
from claude_sync.wording import (
    capitalized,
    count,
    held_back,
    join,
    sentence,
    short_path,
    what_happened,
)


def conflicts(facts: Facts) -> Iterator[Finding]:
    """Sessions that diverged on several machines."""
    for state in facts.states.values():
        if state.state is not State.CONFLICT or not state.sides or state.shortened:
            continue
        sides = ", ".join(f"{count(side.lines, 'line')} on {side.machine}" for side in state.sides)
        yield Finding(
            code="conflict",
            level=Level.WARNING,
            title=f"Session {state.session_id} is in conflict",
            detail=f"It diverged{_of(state)}: {sides}. Nothing is replaced until you choose.",
            fix=f"`claude-sync resolve {state.session_id} --keep mine`, `theirs`, a machine's "
            "name, or `both`",
        )


def shortened(facts: Facts) -> Iterator[Finding]:
    """Sessions whose transcripts lack something that was said in them here before."""
    for state in facts.states.values():
        if not state.shortened:
            continue
        session_id = state.session_id
        detail = f"{sentence(state.detail)} That is damage, not a wish: nothing of it is pushed."
        if state.state is State.CONFLICT:
            fix = f"`claude-sync restore {session_id}`; or, if it is meant, `claude-sync resolve "
            fix += f"{session_id} --keep mine`"
        else:
            fix = f"`claude-sync pull {session_id}` puts it back"
        yield Finding(
            code="session-shortened",
            level=Level.WARNING,
            title=f"Session {session_id} has lost something",
            detail=detail,
            fix=fix,
        )


def _of(state: SessionState) -> str:
    return f" in {state.project_key}" if state.project_key else ""


def unreadable(facts: Facts) -> Iterator[Finding]:
    """Sessions that couldn't be compared."""
    if facts.states_error is not None:
        yield Finding(
            code="sessions-unjudged",
            level=Level.WARNING,
            title="Not every session could be checked",
            detail=what_happened(facts.states_error),
            fix="Run `claude-sync doctor` again when the shared folder can be reached",
        )
    survey = facts.survey
    for state in facts.states.values():
        copies = survey.local.get(state.session_id, ()) if survey is not None else ()
        unjudged = state.state in (State.INCOMPLETE, State.UNKNOWN)
        if not unjudged or len(copies) > 1 or _is_named(survey, state):
            continue
        what, _, todo = state.detail.rpartition(": ")
        fix = capitalized(todo)
        if state.path is not None and not can_read(state.path):
            fix = grant_command(state.path)
        yield Finding(
            code="session-unreadable",
            level=Level.WARNING,
            title=f"Session {state.session_id} can't be compared",
            detail=f"{capitalized(what or state.detail)}, so it is neither pushed nor pulled.",
            fix=fix,
        )


def _is_named(survey: Survey | None, state: SessionState) -> bool:
    """Whether another check names what of a session can't be seen."""
    if survey is None:
        return False
    if state.session_id in survey.unread or survey.hidden(state.session_id) is not None:
        return True
    if state.state is State.UNKNOWN and state.path is not None and not can_read(state.path):
        return True
    try:
        survey.check_seen(state.session_id)
    except StoreUnseen:
        return True
    except (ProjectKeyError, SessionError):
        pass
    return False


def without_project(facts: Facts) -> Iterator[Finding]:
    """Sessions here that aren't pushed, because their project isn't known."""
    survey = facts.survey
    if survey is None:
        return
    waiting: dict[str, list[LocalSession]] = {}
    for session_id, copies in survey.local.items():
        if session_id in survey.bundles:
            continue
        try:
            if survey.project(copies[0]) is None:
                waiting.setdefault(copies[0].folder, []).append(copies[0])
        except (ProjectKeyError, SessionError):
            pass  # another check names its directory, or its transcript
    for sessions in waiting.values():
        yield Finding(
            code="sessions-without-project",
            level=Level.WARNING,
            title=f"{count(len(sessions), 'session')} of an unknown project",
            detail=f"Those in {short_path(sessions[0].path.parent)} aren't pushed: their directory "
            "isn't known.",
            fix="`claude-sync projects add DIR` with the directory they were started in",
        )


def unplaced(facts: Facts) -> Iterator[Finding]:
    """Sessions from other machines that have no directory here."""
    waiting: dict[str, list[SessionState]] = {}
    for state in facts.states.values():
        if state.state is State.UNPLACED and state.path is None:
            waiting.setdefault(state.project_key, []).append(state)
    for key, states in waiting.items():
        what, _, todo = states[0].detail.rpartition(": ")
        yield Finding(
            code="sessions-unplaced",
            level=Level.INFO,
            title=f"{count(len(states), 'session')} of {key} wait for a directory",
            detail=sentence(what or states[0].detail),
            fix=capitalized(todo) if what else "`claude-sync projects add DIR`",
        )


def in_two_places(facts: Facts) -> Iterator[Finding]:
    """Sessions with several copies in Claude Code's folder."""
    survey = facts.survey
    for session_id, copies in (survey.local if survey else {}).items():
        if survey is None or len(copies) < 2:
            continue
        where = join([short_path(copy.path) for copy in copies])
        try:
            kept = survey.copy(session_id)
            shorter = [copy for copy in copies if copy is not kept]
            level, meaning = Level.INFO, "one holds all of the other, and is the one that is used"
            move = short_path(shorter[0].path)
        except SessionDivided:
            level, meaning = Level.WARNING, "they diverged, so neither is pushed"
            move = "one of them"
        except SessionError as error:
            level, meaning, move = Level.WARNING, str(error), "one of them"
        yield Finding(
            code="session-in-two-places",
            level=level,
            title=f"Session {session_id} is here twice",
            detail=f"In {where}: {meaning}.",
            fix=f"Move {move} out of Claude Code's folder",
        )


def left_out(facts: Facts) -> Iterator[Finding]:
    """Sessions with files that never leave this machine."""
    for copies in (facts.survey.local if facts.survey else {}).values():
        for local in copies:
            if local.left_out:
                folder = short_path(SessionFiles(local.path).folder)
                files = count(local.left_out, "file")
                yield Finding(
                    code="sidecar-left-out",
                    level=Level.WARNING,
                    title=f"{files} of session {local.session_id} can't be pushed",
                    detail=f"{folder} holds names that not every system allows, or more than "
                    "10,000 files: they stay on this machine.",
                    fix=f"Rename them, or move what you don't need out of {folder}",
                )


def checkpoints_held_back(facts: Facts) -> Iterator[Finding]:
    """Sessions with more checkpoints than travel."""
    for copies in (facts.survey.local if facts.survey else {}).values():
        for local in copies:
            if local.held_back:
                yield Finding(
                    code="checkpoints-held-back",
                    level=Level.INFO,
                    title=f"Not every checkpoint of session {local.session_id} travels",
                    detail=sentence(held_back(local.held_back)),
                    fix="Where `/rewind` has to bring back such code, use it on this machine",
                )


def companions_unseen(facts: Facts) -> Iterator[Finding]:
    """Folders of task lists, plans and checkpoints that can't be read, or are links."""
    for unseen in facts.survey.tree.unseen_companions if facts.survey else ():
        readable = can_read(unseen.path)
        yield Finding(
            code="companions-unseen",
            level=Level.WARNING,
            title=f"{short_path(unseen.path)} isn't pushed",
            detail=f"It holds files that belong to sessions: {unseen.problem}. The sessions travel "
            "without them.",
            fix="Put a folder in the link's place" if readable else grant_command(unseen.path),
        )


def declined(facts: Facts) -> Iterator[Finding]:
    """Versions that were undone here, and are still in the store."""
    survey = facts.survey
    if survey is None:
        return
    waiting = []
    for session_id in sorted(facts.context.decisions.declining()):
        versions = facts.context.decisions.of(session_id).declined
        if any(one.head.version in versions for one in survey.bundles.get(session_id, ())):
            waiting.append(session_id)
    if waiting:
        yield Finding(
            code="sessions-declined",
            level=Level.INFO,
            title=f"{count(len(waiting), 'session')} undone here",
            detail="Pulls skip what was undone, until it changes or its session is named.",
            fix=f"To pull it after all: `claude-sync pull {waiting[0]}`",
        )
