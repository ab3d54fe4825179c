"""Sessions that wait for a person: in conflict, without a directory, twice here, undone."""

from __future__ import annotations

from collections.abc import Iterator

from claude_sync.claude.home import sidecar_folder
from claude_sync.doctor.access import can_read
from claude_sync.doctor.facts import Facts
from claude_sync.doctor.fixes import grant_command
from claude_sync.errors import ProjectKeyError, SessionDivided, SessionError
from claude_sync.model import Finding, Level, LocalSession, SessionState, State
from claude_sync.wording import capitalized, count, join, sentence, short_path, what_happened


def conflicts(facts: Facts) -> Iterator[Finding]:
    """Sessions that diverged on several machines."""
    for state in facts.states.values():
        if state.state is not State.CONFLICT or not state.sides:
            continue
        sides = ", ".join(f"{count(side.lines, 'line')} on {side.machine}" for side in state.sides)
        yield Finding(
            "conflict",
            Level.WARNING,
            f"Session {state.session_id} is in conflict",
            f"It diverged{_of(state)}: {sides}. Nothing is replaced until you choose.",
            f"`claude-sync resolve {state.session_id} --keep mine`, `theirs`, a machine's name, or "
            "`both`",
        )


def _of(state: SessionState) -> str:
    return f" in {state.project_key}" if state.project_key else ""


def unreadable(facts: Facts) -> Iterator[Finding]:
    """Sessions that couldn't be compared."""
    if facts.states_error is not None:
        yield Finding(
            "sessions-unjudged",
            Level.WARNING,
            "Not every session could be checked",
            what_happened(facts.states_error),
            "Run `claude-sync doctor` again when the shared folder can be reached",
        )
    survey = facts.survey
    for state in facts.states.values():
        copies = survey.local.get(state.session_id, ()) if survey is not None else ()
        if state.state is not State.INCOMPLETE or len(copies) > 1:
            continue
        what, _, todo = state.detail.rpartition(": ")
        fix = capitalized(todo)
        if state.path is not None and not can_read(state.path):
            fix = grant_command(state.path)
        yield Finding(
            "session-unreadable",
            Level.WARNING,
            f"Session {state.session_id} can't be compared",
            f"{capitalized(what or state.detail)}, so it is neither pushed nor pulled.",
            fix,
        )


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
        except ProjectKeyError:
            pass  # its directory is named by another check, for all of its sessions
    for sessions in waiting.values():
        yield Finding(
            "sessions-without-project",
            Level.WARNING,
            f"{count(len(sessions), 'session')} of an unknown project",
            f"Those in {short_path(sessions[0].path.parent)} aren't pushed: their directory "
            "isn't known.",
            "`claude-sync projects add DIR` with the directory they were started in",
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
            "sessions-unplaced",
            Level.INFO,
            f"{count(len(states), 'session')} of {key} wait for a directory",
            sentence(what or states[0].detail),
            capitalized(todo) if what else "`claude-sync projects add DIR`",
        )


def in_two_places(facts: Facts) -> Iterator[Finding]:
    """Sessions of which several copies lie in Claude's folder."""
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
            "session-in-two-places",
            level,
            f"Session {session_id} is here twice",
            f"In {where}: {meaning}.",
            f"Move {move} out of Claude Code's folder",
        )


def left_out(facts: Facts) -> Iterator[Finding]:
    """Sessions some of whose files never leave this machine."""
    for copies in (facts.survey.local if facts.survey else {}).values():
        for local in copies:
            if local.left_out:
                folder = short_path(sidecar_folder(local.path))
                files = count(local.left_out, "file")
                yield Finding(
                    "sidecar-left-out",
                    Level.WARNING,
                    f"{files} of session {local.session_id} can't be pushed",
                    f"{folder} holds names that not every system allows, or more than 10,000 "
                    "files: they stay on this machine.",
                    f"Rename them, or move what you don't need out of {folder}",
                )


def declined(facts: Facts) -> Iterator[Finding]:
    """Versions that were undone here, and are still in the store."""
    survey = facts.survey
    if survey is None or not survey.declining:
        return
    waiting = []
    for session_id in sorted(survey.declining):
        versions = facts.context.records.declined(session_id)
        if any(one.head.version in versions for one in survey.bundles.get(session_id, ())):
            waiting.append(session_id)
    if waiting:
        yield Finding(
            "sessions-declined",
            Level.INFO,
            f"{count(len(waiting), 'session')} undone here",
            "Pulls skip what was undone, until it changes or its session is named.",
            f"To pull it after all: `claude-sync pull {waiting[0]}`",
        )
