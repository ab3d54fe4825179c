"""The texts and buttons of notices: arrivals, conflicts, the doctor, a start. Pure.

A click on a body never decides anything: it shows something, or pulls what is simply newer.
"""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.model import Finding, SessionState, Side
from claude_sync.service.status import Arrival
from claude_sync.wording import capitalized, count, replaces, sentence
from claude_sync_app.finding_fixes import FixKind, fix_of
from claude_sync_app.tray.conflict_choice import BOTH, keep_action, side_name
from claude_sync_app.tray.finding_filter import warning_counts
from claude_sync_app.tray.labels import (
    is_private,
    machine_of,
    machines_of,
    store_name,
)
from claude_sync_app.tray.notices.notice import (
    Choice,
    Notice,
    NoticeContext,
    and_more,
    first_names,
    make_notice,
)
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import (
    CONFLICTS,
    DOCTOR,
    STORE,
    WAITING,
    conflict_page,
    open_window,
    session_page,
)

ARRIVAL_KEY = "arrival"
START_KEY = "start"
LATER_BUTTON = "later"

MANY = 10
"""So many arrivals at once are counted, not named: the other machine is new here."""


# --- arrivals ----------------------------------------------------------------------------------


def arrival_notice(arrivals: Sequence[Arrival], notice_context: NoticeContext) -> Notice:
    """Sessions that can be pulled: the first is named, a great many are counted."""
    first = arrivals[0]
    ids = " ".join(arrival.session_id for arrival in arrivals)
    later = Choice(LATER_BUTTON, "Later", Action(Verb.LATER, ids))
    if len(arrivals) >= MANY:
        machines = machines_of(arrival.machine for arrival in arrivals)
        return make_notice(
            ARRIVAL_KEY,
            f"{len(arrivals)} sessions are waiting",
            [f"From {machines}"],
            [
                Choice("pull", "Pull all", Action(Verb.PULL_ALL)),
                Choice("choose", "Choose…", open_window(WAITING)),
            ],
            body=open_window(WAITING),
        )
    origin = f"From {machine_of(first.machine)}, {notice_context.when(first.pushed_at)}"
    lines = [origin, "It was still open there." if first.was_open else ""]
    if first.state.shortened:
        lines = [sentence(first.state.detail), "A pull puts it back."]
    title = notice_context.title_of(first.state)
    if len(arrivals) == 1:
        pull = Action(Verb.PULL, first.session_id)
        resume = Action(Verb.PULL_AND_RESUME, first.session_id)
        choices = [
            Choice("pull", "Pull", pull),
            Choice("resume", "Pull and resume", resume),
            later,
        ]
        return make_notice(ARRIVAL_KEY, title, lines, choices, body=pull)
    choices = [
        Choice("pull", f"Pull all {len(arrivals)}", Action(Verb.PULL, ids)),
        Choice("choose", "Choose…", open_window(WAITING)),
        later,
    ]
    lines.append(and_more(len(arrivals) - 1))
    return make_notice(ARRIVAL_KEY, title, lines, choices, body=open_window(WAITING))


def close_notice(arrival: Arrival, notice_context: NoticeContext) -> Notice:
    """A session that is newer elsewhere but open here."""
    name, machine = notice_context.phrase_for(arrival.state), machine_of(arrival.machine)
    show = open_window(session_page(arrival.session_id))
    if arrival.state.shortened:
        return make_notice(
            f"close.{arrival.session_id}",
            f"Close {name} here: it has lost something",
            [f"{sentence(arrival.state.detail)} A pull puts it back once it is closed."],
            [Choice("show", "Show", show)],
            body=show,
        )
    asked_for = arrival.session_id in notice_context.status.deferred
    then = "is pulled" if asked_for else "can be pulled"
    return make_notice(
        f"close.{arrival.session_id}",
        f"Close {name} here: {machine} is ahead",
        [f"Written there {notice_context.when(arrival.pushed_at)}. It {then} once it is closed."],
        [Choice("show", "Show", show)],
        body=show,
    )


def replacing_notice(arrival: Arrival, notice_context: NoticeContext) -> Notice:
    """A version that would replace what exists only here: it is looked at before it does."""
    name, machine = notice_context.phrase_for(arrival.state), machine_of(arrival.machine)
    show = open_window(conflict_page(arrival.session_id))
    return make_notice(
        f"replacing.{arrival.session_id}",
        f"{machine}'s version of {name} waits for you",
        [f"It {replaces(arrival.state.replaces)}. Nothing is replaced until you choose."],
        [Choice("show", "Show", show)],
        body=show,
    )


# --- conflicts ---------------------------------------------------------------------------------


def conflict_notice(state: SessionState, notice_context: NoticeContext) -> Notice:
    """A session that has diverged, or lost something that it held."""
    compare = open_window(conflict_page(state.session_id))
    choices = []
    if len(state.sides) > 1:
        choices = [Choice("compare", "Compare…", compare), _likeliest(state)]
    lines = [_side_line(side, notice_context) for side in state.sides] or [state.detail]
    if state.shortened:
        lines = [sentence(state.detail), *lines]
    what = "has lost something" if state.shortened else "has diverged"
    return make_notice(
        f"conflict.{state.session_id}",
        capitalized(f"{notice_context.phrase_for(state)} {what}"),
        lines,
        choices,
        body=compare,
        urgent=True,
    )


def _likeliest(state: SessionState) -> Choice:
    """What most people want: what was lost, or both."""
    for side in state.sides if state.shortened else ():
        name = side_name(side, state.sides)
        if side.pushed_from_here and side.offered and name:
            return Choice("back", "Bring it back", keep_action(state, name))
    return Choice("both", "Keep both", keep_action(state, BOTH))


def _side_line(side: Side, notice_context: NoticeContext) -> str:
    whose = machine_of(side.machine)
    here = "" if side.machine_id else " (this machine)"
    here = " (pushed from here)" if side.pushed_from_here else here
    when = notice_context.when(side.mtime_ns / 1e9)
    return f"{whose}{here}: {count(side.lines, 'line')} more, {when}"


def conflicts_notice(states: Sequence[SessionState], notice_context: NoticeContext) -> Notice:
    """Several at once."""
    return make_notice(
        "conflict",
        f"{len(states)} sessions have diverged",
        first_names([notice_context.title_of(state) for state in states]),
        [Choice("show", "Show", open_window(CONFLICTS))],
        body=open_window(CONFLICTS),
        urgent=True,
    )


# --- the doctor --------------------------------------------------------------------------------


def finding_notice(found: Finding) -> Notice:
    """A warning or an error of the doctor."""
    fix = fix_of(found)
    choices = []
    if fix.label:
        choices.append(Choice("fix", fix.label, Action(Verb.FIX_FINDING, found.code)))
    # What its button does, nobody has to type; what it means, is news.
    todo = "" if fix.label and fix.kind is not FixKind.COMMAND else found.fix
    choices.append(Choice("ignore", "Ignore", Action(Verb.IGNORE_FINDING, found.code)))
    return make_notice(
        f"doctor.{found.code}",
        found.title,
        [todo or found.detail],
        choices,
        body=open_window(DOCTOR),
    )


def findings_notice(found: Sequence[Finding]) -> Notice:
    """Several at once."""
    return make_notice(
        "doctor",
        f"Doctor: {warning_counts(found)}",
        first_names([one.title for one in found]),
        [Choice("show", "Show", open_window(DOCTOR))],
        body=open_window(DOCTOR),
    )


# --- a start --------------------------------------------------------------------------------------


def welcome_notice(notice_context: NoticeContext) -> Notice:
    """What a first start says: which the shared folder is, and how to choose another."""
    status, environment = notice_context.status, notice_context.environment
    store = store_name(status, environment)
    alone = " (this machine only)" if is_private(status, environment) else ""
    return make_notice(
        "welcome",
        f"Shared folder: {store}{alone}",
        ["Choose a synced folder or a host to share sessions with your other machines."],
        [Choice("store", "Choose shared folder…", open_window(STORE))],
        body=open_window(STORE),
    )


def start_notice(notices: Sequence[Notice], headline: str) -> Notice:
    """One for all that there is to say at a start, with a button for what can be pulled.

    Args:
        notices: at least two, the most important first.
        headline: how things stand.
    """
    asked_for = [action for notice in notices for action in notice.buttons.values()]
    choices = [
        Choice("pull", f"Pull {count(len(action.subject.split()), 'session')}", action)
        for action in asked_for
        if action.verb is Verb.PULL
    ]
    choices += [Choice("pull", "Pull all", one) for one in asked_for if one.verb is Verb.PULL_ALL]
    if open_window(STORE) in asked_for:
        choices.append(Choice("store", "Choose shared folder…", open_window(STORE)))
    else:
        choices.append(Choice("show", "Show", open_window()))
    titles = [one.notification.title for one in notices]
    urgent = any(one.notification.urgent for one in notices)
    return make_notice(START_KEY, headline, first_names(titles), choices, urgent=urgent)
