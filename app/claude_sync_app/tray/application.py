"""The tray application: wires service, icon, menu, notices and the desktop's signals.

Threads: the main one shows the icon, or waits where there is none. The desktop's loop owns
everything that is shown and told, reads the newest Status, and submits commands; nothing in it
waits. The service's worker does the work. Whatever asks a person or starts a program is an errand.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path

from claude_sync.disk.log import Log
from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Finding
from claude_sync.service.service import Service
from claude_sync.service.status import Status
from claude_sync.state import preferences
from claude_sync.state.paths import Places
from claude_sync.sync.context import Context
from claude_sync.sync.setup import set_up_default
from claude_sync_app.amounts import count
from claude_sync_app.desktop import appearance, notifications, session_events
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.signals import Signals
from claude_sync_app.tray import backends
from claude_sync_app.tray.actions.pages import remove_pages
from claude_sync_app.tray.backends import Backend, Events, Presence
from claude_sync_app.tray.bug_log import BugLog
from claude_sync_app.tray.clicks import Clicks
from claude_sync_app.tray.context import Desk
from claude_sync_app.tray.environment import Surroundings, SyncedFolder
from claude_sync_app.tray.icon_updates import Showing
from claude_sync_app.tray.icons.icons import IconState, Picture
from claude_sync_app.tray.look_around import look_around
from claude_sync_app.tray.memory import Resting, give_memory_back
from claude_sync_app.tray.menu.model import Action
from claude_sync_app.tray.notice_centre import Telling
from claude_sync_app.tray.notices.notices import Notice, welcome
from claude_sync_app.tray.power_events import LAST_SECONDS, Coming
from claude_sync_app.tray.verbs import Verb

NAME = "claude-sync"
_STOP_SECONDS = 1.0
_STOP_AGAIN_SECONDS = 0.2
_LOOK_AROUND_SECONDS = 60.0
_SAY_PATIENCE_SECONDS = 2.0
_PANEL_PATIENCE_SECONDS = 15.0
_LEFT_CLICKS = {"push": Action(Verb.PUSH_ALL.value)}


def _check(context: Context) -> Iterator[Finding]:
    # What it takes to look is imported when the doctor looks, and not before the icon is there.
    from claude_sync_app.desktop.checks import checks

    for check in checks():
        yield from check(context)


class Application:
    """One tray application. `run` it in the main thread.

    Args:
        places: where claude-sync keeps its things, None for the user's own.
        say: told what a terminal should read: why no icon can be seen.
    """

    def __init__(
        self, places: Places | None = None, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._say = say
        self._loop = Loop()
        self._service = Service(places, on_status=self._heard, checks=[_check])
        self._surroundings = Surroundings(home=str(Path.home()))
        self._telling = Telling(self._loop, self._clicked)
        self._showing = Showing(
            self._loop, lambda: self._service.status, lambda: self._surroundings, self._shown
        )
        self._desk = Desk(self._service, self._show, self.click)
        self._clicks = Clicks(self._desk, lambda: self._surroundings, self._look_around, self.quit)
        self._resting = Resting(
            self._loop, lambda: self._desk.errands.run("resting", give_memory_back)
        )
        self._coming = Coming(self._loop, self._service, self._telling.woke, self._tell_unpushed)
        self._backend: Backend | None = None
        self._left_click: Action | None = None
        self._ended = threading.Event()
        self._returned = False
        self._by_signal = False
        self._is_first = False
        self._is_planned = False
        self._is_advising = False

    # --- the main thread ---

    def run(self) -> None:
        """Show the icon and work, until `quit` or a signal.

        Raises:
            LockBusy: a service of this user runs already; says who.
        """
        problem = self._set_up()
        self._service.start()
        log = Log(self._service.places.log_file)
        bugs = BugLog(log)
        logging.getLogger().addHandler(bugs)
        log.write(["tray started"])
        self._loop.start()
        signals = Signals(self._loop, self._ended_by_signal)
        notifier = notifications.choose(NAME, self._loop, self._telling.answered)
        listener = session_events.choose(
            NAME, self._loop, self._coming.leaving, self._coming.returned
        )
        try:
            self._telling.use(notifier)
            self._surroundings = replace(self._surroundings, has_buttons=notifier.has_buttons)
            self._choose_backend()
            self._loop.call(self._begin, problem)
            if listener is not None:
                listener.start()
            self._wait()
        finally:
            self._returned = True
            if listener is not None:
                listener.stop()
            self._leave()
            signals.end()
            self._desk.end(_STOP_SECONDS)
            remove_pages(self._service.places)
            notifier.close()
            self._loop.stop()
            logging.getLogger().removeHandler(bugs)
            log.write(["tray ended"])

    def _set_up(self) -> ClaudeSyncError | None:
        """See to it that there is a place where sessions meet; why there is none yet.

        Before the service starts, so that nobody sees the moment without one.
        """
        places = self._service.places
        try:
            if preferences.load(places).location is None:
                self._is_first = set_up_default(places) is not None
        except ClaudeSyncError as error:
            return error
        return None

    def _choose_backend(self) -> None:
        theme = appearance.panel_theme(self._loop)
        first = Picture(IconState.SYNCING, theme)
        events = Events(
            self.click,
            lambda is_open: self._loop.call(self._opened, is_open),
            lambda presence: self._loop.call(self._present, presence),
        )
        self._backend = backends.choose(NAME, self._loop, events, first)
        self._showing.use(self._backend, theme)
        if self._backend is None:
            self._loop.call(self._present, Presence.NO_BUS)

    def _wait(self) -> None:
        if self._backend is None:
            self._ended.wait()
        elif not self._ended.is_set():
            self._backend.run()
            if not self._ended.is_set():
                # The system ended the icon, and not a person in its menu.
                self._by_signal = True

    def _leave(self) -> None:
        """Push what changed for a moment if the system ends us, and end the service."""
        if self._by_signal:
            future = self._service.push_before_leaving(LAST_SECONDS, local_only=True)
            wait([future], LAST_SECONDS)
        self._loop.call(self._showing.end)
        self._loop.call(self._telling.end)
        self._service.stop(_STOP_SECONDS)

    # --- any thread ---

    def click(self, action: Action) -> None:
        """Do what an action asks for, in the loop's thread."""
        self._loop.call(self._clicked, action)

    def quit(self) -> None:
        """Let `run` return."""
        self._ended.set()
        self._loop.call(self._stop_icon)

    def _heard(self, status: Status) -> None:
        del status  # whoever shows one takes the newest
        if not self._is_planned:
            self._is_planned = True
            self._loop.call(self._plan)

    def _show(self, notice: Notice) -> None:
        self._loop.call(self._telling.show, notice)

    # --- the loop's thread ---

    def _begin(self, problem: ClaudeSyncError | None) -> None:
        self._showing.now()
        if problem is not None:
            self._desk.errands.run("failing", lambda: self._desk.fail(problem))
        self._look_around_and_again()

    def _plan(self) -> None:
        self._is_planned = False
        self._showing.plan()

    def _shown(self, status: Status) -> None:
        if self._is_first and status.location:
            self._is_first = False
            self._telling.show(welcome(status, self._surroundings))
        self._telling.consider(status, self._surroundings)
        self._resting.consider(status)
        left_click = _LEFT_CLICKS.get(status.preferences.left_click)
        if left_click != self._left_click and self._backend is not None:
            self._left_click = left_click
            self._backend.react(left_click)

    def _clicked(self, action: Action) -> None:
        self._clicks.click(action)
        self._showing.now()

    def _opened(self, is_open: bool) -> None:
        if is_open:
            # Whoever opens the menu wants to know how it is now, and not a minute ago.
            self._service.look_now()
            self._look_around()

    def _present(self, presence: Presence) -> None:
        self._surroundings = replace(self._surroundings, presence=presence)
        self._showing.plan()
        if presence is not Presence.SHOWN and not self._is_advising:
            self._is_advising = True
            # A panel may only be restarting; and at login it may come after us.
            self._loop.later(_SAY_PATIENCE_SECONDS, self._say_advice)
            self._loop.later(_PANEL_PATIENCE_SECONDS, self._show_advice)

    def _say_advice(self) -> None:
        if advice := backends.advice(self._surroundings.presence):
            self._desk.errands.run("advising", lambda: self._say(advice))

    def _show_advice(self) -> None:
        # Where there is no icon, a notification may still be seen.
        if advice := backends.advice(self._surroundings.presence):
            self._desk.tell("icon", "claude-sync is watching", advice)

    def _tell_unpushed(self, number: int) -> None:
        title = f"{count(number, 'session')} didn't fit in before the sleep"
        push = (("Push now", Action(Verb.PUSH_ALL.value)),)
        self._desk.tell("unpushed", title, "Other machines don't have all of it yet.", push)

    def _ended_by_signal(self) -> None:
        self._by_signal = True
        self.quit()

    def _stop_icon(self) -> None:
        if self._backend is not None and not self._returned:
            self._backend.stop()
            # One that is about to run doesn't hear it yet.
            self._loop.later(_STOP_AGAIN_SECONDS, self._stop_icon)

    # --- surroundings ---

    def _look_around_and_again(self) -> None:
        self._look_around()
        self._loop.later(_LOOK_AROUND_SECONDS, self._look_around_and_again)

    def _look_around(self) -> None:
        self._desk.errands.run("looking around", self._look)

    def _look(self) -> None:
        enabled, folders = look_around()
        self._loop.call(self._saw, enabled, folders)

    def _saw(self, autostart: bool | None, folders: tuple[SyncedFolder, ...]) -> None:
        new = replace(self._surroundings, autostart=autostart, synced_folders=folders)
        if new != self._surroundings:
            self._surroundings = new
            self._showing.now()
