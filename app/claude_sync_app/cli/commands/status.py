"""``claude-sync status``"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence

from claude_sync.doctor import Seen, examine
from claude_sync.model import Finding, Level, SessionState, State
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync.sync.context import Context
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.survey import look
from claude_sync.wording import count, short_path
from claude_sync_app.cli import listing
from claude_sync_app.cli import selection as choosing
from claude_sync_app.cli.commands.doctor import as_json as finding_as_json
from claude_sync_app.cli.context import is_set_up, opened
from claude_sync_app.cli.output import heading, say, say_document
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE

_SHOWN = 10
_SAID_ANYWAY = frozenset({"not-set-up", "conflict"})
"""Findings that the rest of a status says already."""


def configure(parser: Parser) -> None:
    parser.add_json()
    parser.explain(
        "Of all projects. Changes nothing.",
        ("status", "is there anything to do?"),
    )


def run(arguments: Namespace) -> int:
    with opened(store=False) as context:
        choosing.stand_here(context)
        met = is_set_up(preferences.load(paths()))
        with context.working("looking"):
            survey = look(context, store=met)
            every = states_surveyed(context, survey)
        findings = _findings(context, Seen(survey, every) if met else None)
        where = context.store.label if met else None
        machine = context.machine.name
    if arguments.json:
        say_document(_document(every, findings, where, machine))
        return DONE
    if where is None:
        say("No place where sessions meet was chosen yet: `claude-sync init LOCATION`.")
    else:
        say(f"Sessions meet in {short_path(where)}. This machine is {machine} there.")
    _say_groups(every)
    _say_findings(findings)
    return DONE


def _findings(context: Context, seen: Seen | None) -> list[Finding]:
    found = examine(context, seen=seen)
    return [one for one in found if one.level in (Level.WARNING, Level.ERROR)]


# --- groups ------------------------------------------------------------------------------------


def _to_push(state: SessionState) -> bool:
    return state.state is State.CHANGED and not (state.ignored or state.forgotten)


def _is(wanted: State) -> Callable[[SessionState], bool]:
    return lambda state: state.state is wanted


_GROUPS: tuple[tuple[str, str, str, Callable[[SessionState], bool]], ...] = (
    ("push", "To push", "claude-sync push --all", _to_push),
    ("pull", "To pull", "claude-sync pull --all", _is(State.WAITING)),
    ("conflicts", "In conflict", "claude-sync resolve SESSION", _is(State.CONFLICT)),
    ("unplaced", "Without a directory here", "claude-sync projects add DIR", _is(State.UNPLACED)),
    ("incomplete", "Still arriving", "", _is(State.INCOMPLETE)),
)


def _document(
    every: Sequence[SessionState], findings: Sequence[Finding], where: str | None, machine: str
) -> dict[str, object]:
    document: dict[str, object] = {"location": where, "machine": machine}
    for name, _, _, belongs in _GROUPS:
        document[name] = [_as_json(one) for one in every if belongs(one)]
    document["findings"] = [finding_as_json(one) for one in findings]
    return document


def _as_json(state: SessionState) -> dict[str, object]:
    shown = listing.as_json(state)
    if state.state is State.CONFLICT:
        shown["sides"] = [listing.side_as_json(side) for side in state.sides]
    return shown


def _say_groups(every: Sequence[SessionState]) -> None:
    nothing = True
    for _, title, todo, belongs in _GROUPS:
        found = [one for one in every if belongs(one)]
        if not found:
            continue
        nothing = False
        say()
        heading(f"{title} ({len(found)})" + (f": {todo}" if todo else ""))
        listing.say_sessions(found[:_SHOWN], every, project=True)
        if len(found) > _SHOWN:
            say(f"… and {len(found) - _SHOWN} more")
    if nothing:
        say(f"Nothing to push and nothing to pull ({count(len(every), 'session')}).")


def _say_findings(findings: Sequence[Finding]) -> None:
    new = [one for one in findings if one.code not in _SAID_ANYWAY]
    if not new:
        return
    say()
    heading(f"The doctor found ({len(new)}): claude-sync doctor")
    for one in new:
        say(f"  {one.level.value}: {one.title}")
