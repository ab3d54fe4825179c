"""What the handlers of verbs work with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from claude_sync.disk.log import Log
from claude_sync.errors import ClaudeSyncError, Stopped
from claude_sync.model import SessionState
from claude_sync.service.service import Service
from claude_sync.service.status import Status
from claude_sync.state.paths import Paths
from claude_sync.state.preferences import Preferences
from claude_sync.wording import sentence
from claude_sync_app.desktop.dialogs import Dialogs
from claude_sync_app.desktop.notifications.values import Button, Notification
from claude_sync_app.shown_text import one_line, with_short_ids
from claude_sync_app.tray.background_tasks import BackgroundTasks
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.labels import title_of
from claude_sync_app.tray.notices.notice import Notice
from claude_sync_app.tray.verbs import Action
from claude_sync_app.window.opening import Window

T = TypeVar("T")


class TrayContext:
    """What handlers work with: the service, background tasks, and how a person is asked and told.

    Args:
        service: does the work.
        show: shows a notice. This and the following may be called from any thread.
        click: does what an action asks for.
        environment: gives the newest Environment.
        refresh_environment: has it read again.
        quit: ends the program.
        welcome: says by a notification what a first start says.
        window: the window, which starts when it is opened.
    """

    def __init__(
        self,
        service: Service,
        *,
        show: Callable[[Notice], None],
        click: Callable[[Action], None],
        environment: Callable[[], Environment],
        refresh_environment: Callable[[], None],
        quit: Callable[[], None],  # noqa: A002 -- as the menu has it
        welcome: Callable[[], None],
        window: Window,
    ) -> None:
        self.service = service
        self.window = window
        self.click = click
        self.refresh_environment = refresh_environment
        self.quit = quit
        self.welcome = welcome
        self._environment = environment
        self.background_tasks = BackgroundTasks(self.report)
        self._show = show
        self._dialogs: Dialogs | None = None
        self._dialogs_chosen = False
        self._lock = threading.Lock()

    # --- what is known ---

    @property
    def paths(self) -> Paths:
        return self.service.paths

    @property
    def status(self) -> Status:
        return self.service.status

    @property
    def preferences(self) -> Preferences:
        return self.service.status.preferences

    @property
    def environment(self) -> Environment:
        return self._environment()

    def session(self, session_id: str) -> SessionState:
        """A session's state.

        Raises:
            ClaudeSyncError: it isn't there any more.
        """
        for state in self.status.sessions:
            if state.session_id == session_id:
                return state
        raise ClaudeSyncError("that session isn't there any more", where=session_id)

    def directory_of(self, session_id: str) -> Path:
        """A session's working directory here.

        Raises:
            ClaudeSyncError: it isn't known.
        """
        directory = self.session(session_id).directory
        if directory is None:
            raise ClaudeSyncError(
                "no folder of this machine is known for that session",
                where=session_id,
                todo="add its project's with `claude-sync projects add DIR`",
            )
        return directory

    def title_of(self, session_id: str) -> str:
        """A session's title, for where only this user reads it."""
        for state in self.status.sessions:
            if state.session_id == session_id:
                return title_of(state)
        return session_id[:8]

    # --- asking ---

    @property
    def dialogs(self) -> Dialogs | None:
        """The system's dialogs, None if it has none; in a background task only."""
        from claude_sync_app.desktop import dialogs

        with self._lock:
            if not self._dialogs_chosen:
                self._dialogs, self._dialogs_chosen = dialogs.choose(), True
            return self._dialogs

    # --- working ---

    def wait(self, future: Future[T]) -> T:
        """The service's result; in a background task only, which a failure ends and reports.

        Raises:
            Stopped: the program ends.
            ClaudeSyncError: the service failed.
        """
        return self.background_tasks.result_of(future)

    def wait_or_none(self, future: Future[T]) -> T | None:
        """The service's result, None if it failed, which notices show; in a background task only.

        Raises:
            Stopped: the program ends.
        """
        try:
            return self.background_tasks.result_of(future)
        except Stopped:
            raise
        except ClaudeSyncError:
            return None

    def report_failure(self, future: Future[Any]) -> None:
        """Report it if a command fails that notices don't show."""

        def ended(done: Future[Any]) -> None:
            if done.cancelled():
                return
            error = done.exception()
            if isinstance(error, ClaudeSyncError) and not isinstance(error, Stopped):
                self.report(error)

        future.add_done_callback(ended)

    def look_again_at(self, *codes: str) -> None:
        """Have the doctor look again if it found one of these, which may be fixed by now."""
        if any(one.code in codes for one in self.status.findings):
            self.service.run_doctor()

    # --- notifying ---

    def notify(
        self,
        key: str,
        title: str,
        body: str = "",
        buttons: Sequence[tuple[str, Action]] = (),
        click: Action | None = None,
    ) -> None:
        """Show a notification about what a click led to; from any thread.

        Args:
            key: replaces what was shown under the same.
            title, body: plain text.
            buttons: the label of each and what it asks for.
            click: what a click on the body asks for; must decide nothing.
        """
        actions = {str(number): action for number, (_, action) in enumerate(buttons)}
        labels = [Button(str(number), label) for number, (label, _) in enumerate(buttons)]
        notification = Notification(key, title, body, tuple(labels))
        self._show(Notice(notification, click, actions))

    def report(self, error: ClaudeSyncError) -> None:
        """Notify of an error, and log it; not in the loop's thread."""
        Log(self.paths.log_file).write([f"tray: {error}"])
        self.notify("problem", "claude-sync", sentence(with_short_ids(one_line(str(error)))))

    def end(self, timeout_seconds: float) -> None:
        """Close dialogs and let background tasks end."""
        if self._dialogs is not None:
            self._dialogs.close()
        self.background_tasks.end(timeout_seconds)
