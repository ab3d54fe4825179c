"""A notification with the actions that its answers ask for, and what it is made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from claude_sync.model import SessionState
from claude_sync.service.status import Status
from claude_sync.values import NamedTuple
from claude_sync.wording import ago, count
from claude_sync_app.desktop.notifications.values import Button, Notification
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.labels import discreet_title_of
from claude_sync_app.tray.verbs import Action
from claude_sync_app.tray.window_pages import open_window

SHOW = open_window()

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
    """What the texts of notices are made from.

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

    def phrase_for(self, state: SessionState) -> str:
        """What a session is called within a sentence."""
        name = self.title_of(state)
        return f"“{name}”" if self.show_titles else name[:1].lower() + name[1:]

    def phrase_for_id(self, session_id: str) -> str:
        """The same of a session that may not be known any more."""
        for state in self.status.sessions:
            if state.session_id == session_id:
                return self.phrase_for(state)
        return "a session"

    def session_name(self, session_id: str) -> str:
        """The title of a session, as far as it is known."""
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
    body: Action | None = SHOW,
    *,
    urgent: bool = False,
) -> Notice:
    """A notice with a title of one line and a few lines of text.

    Args:
        key: replaces what is shown under the same.
        title, lines: its text, which may hold what strangers wrote.
        choices: its buttons.
        body: what a click on it asks for; must decide nothing.
        urgent: whether it may stay until it is answered.
    """
    text = "\n".join(shortened(one_line(line), _BODY_LENGTH) for line in lines if line)
    buttons = tuple(Button(choice.key, choice.label) for choice in choices)
    notification = Notification(
        key=key,
        title=shortened(one_line(title), _TITLE_LENGTH),
        body=text,
        buttons=buttons,
        urgent=urgent,
    )
    return Notice(notification, body, {choice.key: choice.action for choice in choices})


def without_buttons(notice: Notice) -> Notice:
    """The same where notifications can't have buttons: it says where they are instead."""
    notification = notice.notification
    if not notification.buttons:
        return notice
    body = f"{notification.body}\n{_IN_MENU}" if notification.body else _IN_MENU
    return Notice(replace(notification, body=body, buttons=()), notice.body)


# --- words -------------------------------------------------------------------------------------


def first_names(names: Sequence[str]) -> list[str]:
    """The first few names, and how many more there are."""
    first = [*names[:NAMES_SHOWN]]
    if len(names) > NAMES_SHOWN:
        first.append(f"and {len(names) - NAMES_SHOWN} more")
    return first


def and_more(number: int) -> str:
    """That there are so many more: And 2 more sessions."""
    return f"And {count(number, 'more session')}."
