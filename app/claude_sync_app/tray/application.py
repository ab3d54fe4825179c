"""The tray application: wires service, icon, menu, notices and the desktop's signals.

Threads: the main one shows the icon, or waits if there is none. The desktop's loop owns all that is
shown, reads the newest Status, and submits commands; nothing in it waits. The service's worker does
the work. What asks a person or starts a program is a background task.
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
from claude_sync.state.paths import Paths
from claude_sync.sync.context import Context
from claude_sync.sync.setup import set_up_default
from claude_sync.wording import count
from claude_sync_app.desktop import appearance, notifications, session_events
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.signals import Signals
from claude_sync_app.tray import backends
from claude_sync_app.tray.backends import Backend, IconCallbacks, Presence
from claude_sync_app.tray.bug_log import BugLog
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.dispatch import dispatch
from claude_sync_app.tray.environment import Environment, read_environment
from claude_sync_app.tray.icon_updates import IconUpdates
from claude_sync_app.tray.icons.icons import IconState, Picture
from claude_sync_app.tray.memory_release import MemoryRelease, give_memory_back
from claude_sync_app.tray.notice_centre import NoticeCentre
from claude_sync_app.tray.notices.notice import Notice
from claude_sync_app.tray.pages import remove_pages
from claude_sync_app.tray.panel_wait import PANEL_SECONDS, PanelWait
from claude_sync_app.tray.power_events import LAST_SECONDS, PowerEvents
from claude_sync_app.tray.upgrades import Upgrades
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import WELCOME, open_window
from claude_sync_app.window.opening import Window

NAME = "claude-sync"
_STOP_SECONDS = 1.0
_STOP_AGAIN_SECONDS = 0.2
_ENVIRONMENT_SECONDS = 60.0
_PRINT_ADVICE_SECONDS = 2.0
_LEFT_CLICKS = {"push": Action(Verb.PUSH_ALL)}


class Application:
    """One tray application. `run` it in the main thread.

    Args:
        paths: where claude-sync keeps its things, None for the user's own.
        say: called with what a terminal should show: why no icon can be seen.
    """

    def __init__(
        self, paths: Paths | None = None, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._say = say
        self._loop = Loop()
        self._window = Window(lambda: self._service, on_end=self._release_memory)
        self._service = Service(
            paths,
            on_status=self._on_status,
            on_open=self._window.address_if_any,
            checks=[self._check],
        )
        self._environment = Environment(home=str(Path.home()))
        self._notice_centre = NoticeCentre(self._loop, self._clicked_in_notice)
        self._icon_updates = IconUpdates(
            self._loop, lambda: self._service.status, lambda: self._environment, self._on_shown
        )
        self._tray = TrayContext(
            self._service,
            show=self._show,
            click=self.click,
            environment=lambda: self._environment,
            refresh_environment=self._refresh_environment,
            quit=self.quit,
            welcome=lambda: self._loop.call(self._notice_centre.welcome),
            window=self._window,
        )
        self._upgrades = Upgrades(self._tray)
        self._memory_release = MemoryRelease(self._loop, self._release_memory)
        self._power_events = PowerEvents(
            self._loop, self._service, self._notice_centre.woke, self._notify_unpushed
        )
        self._backend: Backend | None = None
        self._left_click: Action | None = None
        self._ended = threading.Event()
        self._returned = False
        self._by_signal = False
        self._panel_wait = PanelWait()
        self._is_update_planned = False
        self._is_advice_planned = False

    # --- the main thread ---

    def run(self) -> bool:
        """Show the icon and work, until `quit` or a signal.

        Returns:
            whether it ended because another version is installed, which is to be started now.

        Raises:
            LockBusy: a service of this user runs already; says who.
        """
        problem = self._set_up()
        self._service.start()
        log = Log(self._service.paths.log_file)
        bugs = BugLog(log)
        logging.getLogger().addHandler(bugs)
        log.write(["tray started"])
        self._loop.start()
        signals = Signals(self._loop, self._ended_by_signal)
        notifier = notifications.choose(NAME, self._loop, self._notice_centre.answered)
        listener = session_events.choose(
            NAME,
            self._loop,
            self._power_events.leaving,
            self._power_events.returned,
            self._file_opened,
        )
        try:
            self._notice_centre.attach(notifier)
            self._environment = replace(self._environment, has_buttons=notifier.has_buttons)
            self._choose_backend()
            self._loop.call(self._begin, problem)
            if listener is not None:
                listener.start()
            self._wait()
        finally:
            self._returned = True
            if listener is not None:
                listener.stop()
            self._window.close()
            self._stop_service()
            signals.end()
            self._tray.end(_STOP_SECONDS)
            remove_pages(self._service.paths)
            notifier.close()
            self._loop.stop()
            logging.getLogger().removeHandler(bugs)
            log.write(["tray ended"])
        return self._upgrades.is_installed

    def _set_up(self) -> ClaudeSyncError | None:
        """Make sure that a store is set up; returns the error if that fails.

        Before the service starts, so that the moment without one is never shown.
        """
        paths = self._service.paths
        try:
            is_new = preferences.load(paths).location is None
            if is_new and set_up_default(paths) is not None:
                self._environment = replace(self._environment, is_first_start=True)
        except ClaudeSyncError as error:
            return error
        return None

    def _choose_backend(self) -> None:
        theme = appearance.panel_theme(self._loop)
        first = Picture(IconState.SYNCING, theme)
        callbacks = IconCallbacks(
            self.click,
            lambda is_open: self._loop.call(self._on_menu, is_open),
            lambda presence: self._loop.call(self._on_presence, presence),
        )
        self._backend = backends.choose(NAME, self._loop, callbacks, first)
        self._icon_updates.attach(self._backend, theme)
        if self._backend is None:
            self._loop.call(self._on_presence, Presence.NO_BUS)

    def _wait(self) -> None:
        if self._backend is None:
            self._ended.wait()
        elif not self._ended.is_set():
            self._backend.run()
            if not self._ended.is_set():
                # The system ended the icon, not a click on "Quit".
                self._by_signal = True

    def _stop_service(self) -> None:
        """If the system ends us, push what changed for a moment; then end the service."""
        if self._by_signal:
            future = self._service.push_before_leaving(LAST_SECONDS, local_only=True)
            wait([future], LAST_SECONDS)
        self._loop.call(self._icon_updates.end)
        self._loop.call(self._notice_centre.end)
        self._service.stop(_STOP_SECONDS)

    # --- any thread ---

    def click(self, action: Action) -> None:
        """Do what an action asks for, in the loop's thread."""
        self._loop.call(self._clicked, action)

    def quit(self) -> None:
        """Let `run` return."""
        self._ended.set()
        self._loop.call(self._stop_icon)

    def _release_memory(self) -> None:
        self._tray.background_tasks.run("memory_release", give_memory_back)

    def _on_status(self, status: Status) -> None:
        del status  # an update shows the newest
        if not self._is_update_planned:
            self._is_update_planned = True
            self._loop.call(self._update_soon)

    def _show(self, notice: Notice) -> None:
        self._loop.call(self._notice_centre.show, notice)

    # --- the service's thread ---

    def _check(self, context: Context) -> Iterator[Finding]:
        # Imported when the doctor runs, and not before the icon is there.
        from claude_sync_app.desktop.checks import check_icon, checks

        for check in checks():
            if check is not check_icon or self._panel_wait.was_in_vain:
                yield from check(context)

    # --- the loop's thread ---

    def _begin(self, problem: ClaudeSyncError | None) -> None:
        self._icon_updates.update_now()
        if problem is not None:
            self._tray.background_tasks.run("failing", lambda: self._tray.report(problem))
        self._refresh_environment_repeatedly()
        if self._environment.is_first_start:
            self._clicked(open_window(WELCOME))

    def _update_soon(self) -> None:
        self._is_update_planned = False
        self._icon_updates.update_soon()

    def _on_shown(self, status: Status) -> None:
        self._notice_centre.consider(status, self._environment)
        self._memory_release.consider(status)
        left_click = _LEFT_CLICKS.get(status.preferences.left_click)
        if left_click != self._left_click and self._backend is not None:
            self._left_click = left_click
            self._backend.react(left_click)

    def _clicked(self, action: Action) -> None:
        dispatch(self._tray, action)
        self._icon_updates.update_now()

    def _clicked_in_notice(self, action: Action) -> None:
        if self._backend is not None:
            self._backend.close_menu()
        self._clicked(action)

    def _on_menu(self, is_open: bool) -> None:
        if is_open:
            # Whoever opens the menu wants to know how things are now, not a minute ago.
            self._service.look_now()
            self._refresh_environment()

    def _on_presence(self, presence: Presence) -> None:
        self._environment = replace(self._environment, presence=presence)
        self._icon_updates.update_soon()
        self._panel_wait.see(presence)
        if presence is Presence.SHOWN:
            if any(one.code == "no-icon-host" for one in self._service.status.findings):
                self._service.run_doctor()
            return
        if not self._is_advice_planned:
            self._is_advice_planned = True
            # A panel may only be restarting, and at login it may start after us.
            self._loop.later(_PRINT_ADVICE_SECONDS, lambda: self._advise(self._say))
            self._loop.later(PANEL_SECONDS, self._advise_by_notice)

    def _advise_by_notice(self) -> None:
        # Without an icon, a notification may still be seen.
        title = "claude-sync is running without an icon"
        self._advise(lambda advice: self._tray.notify("icon", title, advice))
        if self._environment.presence is not Presence.SHOWN:
            self._service.run_doctor()

    def _advise(self, say: Callable[[str], None]) -> None:
        def advise() -> None:
            if advice := backends.advice(self._environment.presence):
                say(advice)

        self._tray.background_tasks.run("advising", advise)

    def _notify_unpushed(self, number: int) -> None:
        title = f"No time to push {count(number, 'session')} before sleep"
        push = (("Push now", Action(Verb.PUSH_ALL)),)
        self._tray.notify("unpushed", title, "Other machines don't have the latest yet.", push)

    def _file_opened(self, file: Path) -> None:
        # Imported when somebody opens one.
        from claude_sync_app.desktop.opened_file import open_file

        def ask() -> None:
            open_file(file, self._tray.dialogs, self._tray.paths)

        self._tray.background_tasks.run(f"opened {file}", ask)

    def _ended_by_signal(self) -> None:
        self._by_signal = True
        self.quit()

    def _stop_icon(self) -> None:
        if self._backend is not None and not self._returned:
            self._backend.stop()
            # A backend that is about to run doesn't notice it yet.
            self._loop.later(_STOP_AGAIN_SECONDS, self._stop_icon)

    # --- environment ---

    def _refresh_environment_repeatedly(self) -> None:
        self._refresh_environment()
        self._loop.later(_ENVIRONMENT_SECONDS, self._refresh_environment_repeatedly)

    def _refresh_environment(self) -> None:
        self._tray.background_tasks.run("environment", self._read_environment)

    def _read_environment(self) -> None:
        self._loop.call(self._use_environment, read_environment(self._environment))
        self._upgrades.look()

    def _use_environment(self, read: Environment) -> None:
        # The rest may have changed while it was read.
        new = replace(
            self._environment,
            autostart=read.autostart,
            plugin=read.plugin,
            synced_folders=read.synced_folders,
        )
        if new != self._environment:
            self._environment = new
            self._icon_updates.update_now()
