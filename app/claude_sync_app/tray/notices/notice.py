"""A notification with what its answers ask for, and what it is put together from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from claude_sync.model import SessionState
from claude_sync.service.status import Status
from claude_sync.wording import ago
from claude_sync_app.desktop.notifications.values import Button, Notification
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.labels import discreet_title_of
from claude_sync_app.tray.verbs import Action, Verb

SHOW_MENU = Action(Verb.SHOW_MENU)

NAMES_SHOWN = 3
"""So many names are listed, the others counted."""

_TITLE_LENGTH = 120
_BODY_LENGTH = 300
_IN_MENU = "The menu has what can be done."


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


class NoticeContext(NamedTuple):
    """What notices are told from.

    Attributes:
        status: what there is now.
        show_titles: whether sessions may be named by their titles.
        environment: this machine and this desktop.
        now: seconds since the epoch.
    """

    status: Status
    show_titles: bool
    environment: Environment
    now: float

    def title_of(self, state: SessionState) -> str:
        return discreet_title_of(state, show_titles=self.show_titles)

    def session_name(self, session_id: str) -> str:
        """A session by its id, as far as it is known."""
        for state in self.status.sessions:
            if state.session_id == session_id:
                return self.title_of(state)
        return "A session"

    def when(self, moment: float) -> str:
        return ago(int(moment * 1e9), int(self.now * 1e9))


class Choice(NamedTuple):
    """A button and what it asks for."""

    key: str
    label: str
    action: Action


def make_notice(
    key: str,
    title: str,
    lines: Sequence[str] = (),
    choices: Sequence[Choice] = (),
    body: Action | None = SHOW_MENU,
    *,
    urgent: bool = False,
) -> Notice:
    """A notice whose title is one line and whose body is few.

    Args:
        key: replaces what is shown under the same.
        title, lines: what it says; whoever wrote it.
        choices: its buttons.
        body: what a click on it asks for; must decide nothing.
        urgent: whether it may stay until it is answered.
    """
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


# --- words -------------------------------------------------------------------------------------


def first_names(names: Sequence[str]) -> list[str]:
    """The first few names, and how many more there are."""
    first_names = [*names[:NAMES_SHOWN]]
    if len(names) > NAMES_SHOWN:
        first_names.append(f"and {len(names) - NAMES_SHOWN} more")
    return first_names


def more_sessions(number: int) -> str:
    """So many more: 1 more session, 2 more sessions."""
    return f"{number} more session{'' if number == 1 else 's'}"


def sentence(message: str) -> str:
    """An error as a sentence of its own."""
    text = one_line(message)
    return text[:1].upper() + text[1:]
