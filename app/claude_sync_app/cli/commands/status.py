"""``claude-sync status``"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Collection, Sequence

from claude_sync.doctor import Surveyed, examine
from claude_sync.model import Finding, Level, SessionState, State
from claude_sync.sync.bundles.allowance import held_back
from claude_sync.sync.context import Context
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.look import look
from claude_sync.values import NamedTuple
from claude_sync.wording import count
from claude_sync_app.cli import listing, selection
from claude_sync_app.cli.commands.doctor import finding_json
from claude_sync_app.cli.context import is_set_up, read_only_context
from claude_sync_app.cli.output import print_heading, print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE
from claude_sync_app.finding_names import named_finding

_SHOWN = 10
_SHOWN_ANYWAY = frozenset({"not-set-up", "conflict"})
"""Findings that the rest of the status shows already."""


def configure(parser: Parser) -> None:
    parser.add_json()
    parser.describe(
        "Looks at all projects. Changes nothing, and makes no file.",
        ("status", "is there anything to do?"),
    )


def run(arguments: Namespace) -> int:
    with read_only_context(tolerant=False) as context:
        set_up = is_set_up(context.preferences)
        selection.register_current_directory(context)
        survey = look(context, store=set_up)
        every = states_surveyed(context, survey)
        held = held_back(context, survey, every) if set_up else frozenset()
        findings = _findings(context, Surveyed(survey, every) if set_up else None)
        where = context.store.label if set_up else None
        machine = context.machine.name
    if arguments.json:
        print_json(_document(every, held, findings, where, machine))
        return DONE
    if where is None:
        print_line("No shared folder is chosen yet; choose one with `claude-sync init LOCATION`.")
    else:
        print_line(f"Sessions are shared through {where}. This machine is called {machine}.")
    _print_groups(every, held)
    _print_findings([named_finding(one, every) for one in findings])
    return DONE


def _findings(context: Context, surveyed: Surveyed | None) -> list[Finding]:
    found = examine(context, surveyed=surveyed)
    return [one for one in found if one.level in (Level.WARNING, Level.ERROR)]


# --- groups ------------------------------------------------------------------------------------


def _to_push(state: SessionState, is_held: bool) -> bool:
    return state.state is State.CHANGED and not (state.ignored or state.forgotten or is_held)


def _held(_: SessionState, is_held: bool) -> bool:
    return is_held


def _is(wanted: State) -> Callable[[SessionState, bool], bool]:
    return lambda state, _: state.state is wanted


class _Group(NamedTuple):
    """Sessions that need the same: their name in JSON, a heading, and the command that does it."""

    name: str
    title: str
    command: str
    belongs: Callable[[SessionState, bool], bool]


_GROUPS = (
    _Group("push", "To push", "claude-sync push --all", _to_push),
    _Group("held", "Held back until midnight", "claude-sync push SESSION", _held),
    _Group("pull", "To pull", "claude-sync pull --all", _is(State.WAITING)),
    _Group("conflicts", "In conflict", "claude-sync resolve SESSION", _is(State.CONFLICT)),
    _Group(
        "unplaced", "Without a directory here", "claude-sync projects add DIR", _is(State.UNPLACED)
    ),
    _Group("incomplete", "Still arriving", "", _is(State.INCOMPLETE)),
    _Group("unknown", "Can't be read now", "claude-sync doctor", _is(State.UNKNOWN)),
)


def _document(
    every: Sequence[SessionState],
    held: Collection[str],
    findings: Sequence[Finding],
    where: str | None,
    machine: str,
) -> dict[str, object]:
    document: dict[str, object] = {"location": where, "machine": machine}
    for group in _GROUPS:
        document[group.name] = [_session_json(one) for one in _of(group, every, held)]
    document["findings"] = [finding_json(one) for one in findings]
    return document


def _of(group: _Group, every: Sequence[SessionState], held: Collection[str]) -> list[SessionState]:
    return [one for one in every if group.belongs(one, one.session_id in held)]


def _session_json(state: SessionState) -> dict[str, object]:
    shown = listing.session_json(state)
    if state.state is State.CONFLICT:
        shown["sides"] = [listing.side_json(side) for side in state.sides]
    return shown


def _print_groups(every: Sequence[SessionState], held: Collection[str]) -> None:
    nothing = True
    for group in _GROUPS:
        found = _of(group, every, held)
        if not found:
            continue
        nothing = False
        print_line()
        todo = f": {group.command}" if group.command else ""
        print_heading(f"{group.title} ({len(found)}){todo}")
        listing.print_sessions(found[:_SHOWN], every, project=True)
        if len(found) > _SHOWN:
            print_line(f"… and {len(found) - _SHOWN} more")
    if nothing:
        print_line(f"Nothing to push and nothing to pull ({count(len(every), 'session')}).")


def _print_findings(findings: Sequence[Finding]) -> None:
    new = [one for one in findings if one.code not in _SHOWN_ANYWAY]
    if not new:
        return
    print_line()
    print_heading(f"The doctor found ({len(new)}): claude-sync doctor")
    for one in new:
        print_line(f"  {one.level.value}: {one.title}")
