"""What each notification says and offers. Pure.

A click on a body never decides anything: it shows, or pulls what is simply newer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from claude_sync.model import Finding, Outcome, Result, SessionState, Side
from claude_sync.status import Arrival, Happening, Status
from claude_sync_app.amounts import ago, count
from claude_sync_app.desktop.notifications.values import Button, Notification
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.findings import counted
from claude_sync_app.tray.keeping import BOTH, keep
from claude_sync_app.tray.menu_model import Action
from claude_sync_app.tray.naming import (
    discreet_title_of,
    is_private,
    machine_of,
    machines_of,
    place_of,
    synced_folder_of,
)
from claude_sync_app.tray.surroundings import Surroundings
from claude_sync_app.tray.verbs import Verb

ARRIVAL_KEY = "arrival"
PULLED_KEY = "pulled"
LATER_BUTTON = "later"

MANY = 10
"""So many arrivals at once are counted, not named: a machine that is new here."""

_LISTED = 3
_TITLE_LENGTH = 120
_BODY_LENGTH = 300
_SHOW_MENU = Action(Verb.SHOW_MENU.value)
_SHOW_LOG = Action(Verb.SHOW_LOG.value)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification and what answers to it ask for.

    Attributes:
        notification: what to show.
        body: what a click on its body asks for; it never decides anything.
        buttons: the same for each button, by its key.
    """

    notification: Notification
    body: Action | None = None
    buttons: Mapping[str, Action] = field(default_factory=dict)


class Telling(NamedTuple):
    """What notices are told from.

    Attributes:
        status: what there is now.
        show_titles: whether sessions may be named by their titles.
        surroundings: this machine and this desktop.
        now: seconds since the epoch.
    """

    status: Status
    show_titles: bool
    surroundings: Surroundings
    now: float

    def title_of(self, state: SessionState) -> str:
        return discreet_title_of(state, show_titles=self.show_titles)

    def name_of(self, session_id: str) -> str:
        """A session by its id, as far as it is known."""
        for state in self.status.sessions:
            if state.session_id == session_id:
                return self.title_of(state)
        return "A session"

    def when(self, moment: float) -> str:
        return ago(int(moment * 1e9), int(self.now * 1e9))


class _Choice(NamedTuple):
    """A button and what it asks for."""

    key: str
    label: str
    action: Action


def _notice(
    key: str,
    title: str,
    lines: Sequence[str] = (),
    choices: Sequence[_Choice] = (),
    body: Action | None = _SHOW_MENU,
    *,
    urgent: bool = False,
) -> Notice:
    text = "\n".join(shortened(one_line(line), _BODY_LENGTH) for line in lines if line)
    buttons = tuple(Button(choice.key, choice.label) for choice in choices)
    notification = Notification(
        key, shortened(one_line(title), _TITLE_LENGTH), text, buttons, urgent
    )
    return Notice(notification, body, {choice.key: choice.action for choice in choices})


def without_buttons(notice: Notice) -> Notice:
    """The same where notifications can't have buttons: it says where they are instead."""
    shown = notice.notification
    if not shown.buttons:
        return notice
    body = f"{shown.body}\n{_IN_MENU}" if shown.body else _IN_MENU
    return Notice(replace(shown, body=body, buttons=()), notice.body)


_IN_MENU = "The menu has what can be done."


# --- arrivals ----------------------------------------------------------------------------------


def arrived(arrivals: Sequence[Arrival], telling: Telling) -> Notice:
    """Sessions that can be pulled: the first is named, a great many are counted."""
    first = arrivals[0]
    ids = " ".join(arrival.session_id for arrival in arrivals)
    later = _Choice(LATER_BUTTON, "Later", Action(Verb.LATER.value, ids))
    if len(arrivals) >= MANY:
        machines = machines_of(arrival.machine for arrival in arrivals)
        return _notice(
            ARRIVAL_KEY,
            f"{len(arrivals)} sessions are waiting",
            [f"From {machines}"],
            [
                _Choice("pull", "Pull all", Action(Verb.PULL_ALL.value)),
                _Choice("choose", "Choose…", Action(Verb.CHOOSE_ARRIVALS.value)),
            ],
        )
    said = f"From {machine_of(first.machine)}, {telling.when(first.pushed_at)}"
    lines = [said, "It was still open there." if first.was_open else ""]
    title = telling.title_of(first.state)
    if len(arrivals) == 1:
        pull = Action(Verb.PULL.value, first.session_id)
        resume = Action(Verb.PULL_AND_RESUME.value, first.session_id)
        choices = [
            _Choice("pull", "Pull", pull),
            _Choice("resume", "Pull and resume", resume),
            later,
        ]
        return _notice(ARRIVAL_KEY, title, lines, choices, pull)
    choices = [
        _Choice("pull", f"Pull all {len(arrivals)}", Action(Verb.PULL.value, ids)),
        _Choice("choose", "Choose…", Action(Verb.CHOOSE_ARRIVALS.value)),
        later,
    ]
    lines.append(f"And {_more(len(arrivals) - 1)}.")
    return _notice(ARRIVAL_KEY, title, lines, choices)


def close(arrival: Arrival, telling: Telling) -> Notice:
    """A session that is newer elsewhere but open here."""
    title, machine = telling.title_of(arrival.state), machine_of(arrival.machine)
    if not telling.show_titles:
        title = title[:1].lower() + title[1:]
    asked_for = arrival.session_id in telling.status.deferred
    then = "is pulled" if asked_for else "can be pulled"
    return _notice(
        f"close.{arrival.session_id}",
        f"Close {title} here: {machine} is ahead",
        [f"Written there {telling.when(arrival.pushed_at)}. It {then} once it is closed."],
        [_Choice("show", "Show", _SHOW_MENU)],
    )


# --- what was done -----------------------------------------------------------------------------


def pulled(results: Sequence[Result], telling: Telling) -> Notice:
    """Sessions that were pulled by themselves, at least one; the last used one is resumed."""
    used = {state.session_id: state.mtime_ns for state in telling.status.sessions}
    newest = sorted(results, key=lambda one: -used.get(one.session_id, 0))
    first = newest[0].session_id
    machines = machines_of(result.machine for result in newest)
    choices = [
        _Choice("resume", "Resume", Action(Verb.RESUME.value, first)),
        _Choice(
            "undo", "Undo", Action(Verb.UNDO.value, " ".join(one.session_id for one in newest))
        ),
    ]
    return _notice(
        PULLED_KEY,
        f"Pulled {count(len(newest), 'session')} from {machines}",
        _listed([telling.name_of(one.session_id) for one in newest]),
        choices,
        Action(Verb.OPEN_PROJECT.value, first),
    )


def pushed(number: int, telling: Telling) -> Notice:
    """So many sessions were pushed by a click."""
    status, surroundings = telling.status, telling.surroundings
    place = place_of(status, surroundings)
    if not number:
        return _notice("pushed", "Nothing to push", [f"All of it is in {place} already."])
    sessions = count(number, "session")
    if status.remote:
        return _notice("pushed", f"Pushed {sessions} to {place}")
    if synced_folder_of(status, surroundings) is not None:
        return _notice(
            "pushed", f"Copied {sessions} to {place}", ["Let it finish before you leave."]
        )
    lines = []
    if is_private(status, surroundings):
        lines = ["No other machine sees this folder yet."]
    return _notice("pushed", f"Copied {sessions} to {place}", lines)


# --- conflicts ---------------------------------------------------------------------------------


def conflict(state: SessionState, telling: Telling) -> Notice:
    """A session on which machines went on apart."""
    choices = []
    if state.sides:
        choices = [
            _Choice("compare", "Compare…", Action(Verb.COMPARE.value, state.session_id)),
            _Choice("both", "Keep both", keep(state, BOTH)),
        ]
    lines = [_went_on(side, telling) for side in state.sides] or [state.detail]
    return _notice(
        f"conflict.{state.session_id}",
        f"{telling.title_of(state)} went on apart",
        lines,
        choices,
        urgent=True,
    )


def _went_on(side: Side, telling: Telling) -> str:
    whose = machine_of(side.machine)
    here = "" if side.machine_id else " (this machine)"
    when = telling.when(side.mtime_ns / 1e9)
    return f"{whose}{here}: {count(side.lines, 'line')} more, {when}"


def conflicts(states: Sequence[SessionState], telling: Telling) -> Notice:
    """Several at once."""
    return _notice(
        "conflict",
        f"{len(states)} sessions went on apart",
        _listed([telling.title_of(state) for state in states]),
        [_Choice("show", "Show", _SHOW_MENU)],
        urgent=True,
    )


# --- the doctor --------------------------------------------------------------------------------


def finding(found: Finding) -> Notice:
    """A warning or an error of the doctor."""
    choices = []
    if found.fix:
        choices.append(_Choice("fix", "Fix", Action(Verb.FIX_FINDING.value, found.code)))
    choices.append(_Choice("ignore", "Ignore", Action(Verb.IGNORE_FINDING.value, found.code)))
    return _notice(
        f"doctor.{found.code}",
        found.title,
        [found.fix or found.detail],
        choices,
        Action(Verb.SHOW_FINDING.value, found.code),
    )


def findings(found: Sequence[Finding]) -> Notice:
    """Several at once."""
    return _notice(
        "doctor",
        f"Doctor: {counted(found)}",
        _listed([one.title for one in found]),
        [_Choice("show", "Show", _SHOW_MENU)],
    )


# --- what failed -------------------------------------------------------------------------------


def offline(telling: Telling) -> Notice:
    """The place can't be reached."""
    status = telling.status
    place = place_of(status, telling.surroundings) or "The place where sessions meet"
    return _failed("offline", f"{place} can't be reached", [_sentence(status.offline_message)])


def failed(message: str) -> Notice:
    """Something that lasts."""
    return _failed("error", "Syncing has failed", [_sentence(message)])


def failed_by_itself(results: Sequence[Result], telling: Telling) -> Notice:
    """Sessions, at least one, that could not be pushed or pulled without being asked for."""
    first = results[0]
    title = telling.name_of(first.session_id)
    lines = [_sentence(first.message)]
    if len(results) > 1:
        lines.append(f"And {_more(len(results) - 1)}.")
    return _failed("failing", f"{title} can't be synced", lines)


def not_done(happening: Happening, results: Sequence[Result], *, some_was: bool) -> Notice:
    """What a person asked for, and wasn't done with these results, or at all.

    Args:
        happening: what was tried.
        results: those that tell why.
        some_was: whether it was done with others.
    """
    ids = " ".join(result.session_id for result in results)
    again = _RETRY
    if ids and happening.kind in _REPEATED:
        again = Action(_REPEATED[happening.kind].value, ids)
    messages = dict.fromkeys(one.message or _WHY.get(one.outcome, "") for one in results)
    lines = [_sentence(message) for message in messages] or [_sentence(happening.message)]
    rest = len(lines) - _LISTED
    title = _NOT_DONE.get(happening.kind, "That didn't work")
    return _failed(
        "not-done",
        title.format("Not all of it" if some_was else "Nothing"),
        [*lines[:_LISTED], f"And {rest} more." if rest > 0 else ""],
        again,
    )


_RETRY = Action(Verb.RETRY.value)
_REPEATED = {"push": Verb.PUSH, "pull": Verb.PULL}
_NOT_DONE = {
    "push": "{} was pushed",
    "pull": "{} was pulled",
    "resolve": "The conflict wasn't settled",
    "undo": "The pull wasn't undone",
}
_WHY = {
    Outcome.CONFLICT: "it went on apart, and a person has to choose",
    Outcome.OPEN: "it is open here: close it first",
    Outcome.UNPLACED: "its project has no folder here yet",
    Outcome.INCOMPLETE: "it is still arriving",
    Outcome.GONE: "it is gone",
}


def _failed(key: str, title: str, lines: Sequence[str], again: Action = _RETRY) -> Notice:
    choices = [_Choice("again", "Try again", again), _Choice("log", "Show log", _SHOW_LOG)]
    return _notice(key, title, lines, choices)


# --- on occasions ------------------------------------------------------------------------------


def welcome(status: Status, surroundings: Surroundings) -> Notice:
    """What a first start says: where sessions meet, and how to choose another place."""
    place = place_of(status, surroundings)
    alone = " (this machine only)" if is_private(status, surroundings) else ""
    return _notice(
        "welcome",
        f"Sessions meet in {place}{alone}",
        ["Choose a synced folder or a host, and your other machines see them."],
        [_Choice("place", "Where sessions meet…", Action(Verb.CHOOSE_PLACE.value, detail="menu"))],
    )


# --- words -------------------------------------------------------------------------------------


def _listed(names: Sequence[str]) -> list[str]:
    listed = [*names[:_LISTED]]
    if len(names) > _LISTED:
        listed.append(f"and {len(names) - _LISTED} more")
    return listed


def _more(number: int) -> str:
    return f"{number} more session{'' if number == 1 else 's'}"


def _sentence(message: str) -> str:
    text = one_line(message)
    return text[:1].upper() + text[1:]
