"""What the service's thread holds open while the preferences stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from claude_sync.disk.snapshot import stamp_of
from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Progress, Stamp
from claude_sync.service.store_watch import StoreWatch
from claude_sync.service.watch import Notify, Watch
from claude_sync.service.worker import Worker
from claude_sync.state.paths import Paths
from claude_sync.state.preferences import Preferences
from claude_sync.sync.context import Context

_HEARTBEATS = "heartbeats"


class Resources:
    """Records, store and watch of one choice of preferences. Used by one thread.

    Args:
        paths: claude-sync's own folders.
        chosen: the preferences.
        should_stop: asked between blocks of work.
        on_progress: called with how far the work is.
        notify: called by the watch with what may have changed; from another thread.

    Attributes:
        context: what to work with.
        worker: does the rounds; None where no store was chosen yet.
        watch: tells what may have changed; None where no store was chosen yet.
        store_watch: has the store itself tell, once it is started; None where it can't be asked to.

    Raises:
        RecordsError: the records can't be opened.
        UsageError: the location that was chosen can't be understood.
    """

    def __init__(
        self,
        paths: Paths,
        chosen: Preferences,
        *,
        should_stop: Callable[[], bool],
        on_progress: Callable[[Progress], None],
        notify: Notify,
    ) -> None:
        self._projects_file = paths.projects_file
        self._projects = _stamp(self._projects_file)
        self.context = Context(paths, chosen, should_stop=should_stop, on_progress=on_progress)
        self.worker: Worker | None = None
        self.watch: Watch | None = None
        self.store_watch: StoreWatch | None = None
        if chosen.location is None or chosen.store_id is None:
            return
        try:
            store = self.context.store
            self.worker = Worker(self.context)
        except ClaudeSyncError:
            self.context.close(save=False)
            raise
        home = self.context.home
        heartbeats = paths.runtime / _HEARTBEATS
        self.watch = Watch(
            projects=home.projects,
            companions=home.watched_companions(),
            live=home.live_folder,
            store=store.local_root,
            heartbeats=heartbeats,
            notify=notify,
        )
        self.watch.start()
        changes = store.watch_changes() if chosen.watch_store else None
        if changes is not None:
            self.store_watch = StoreWatch(changes, notify)

    def projects_changed(self) -> bool:
        """Whether another process changed which directories are known, since this was asked."""
        before, self._projects = self._projects, _stamp(self._projects_file)
        return before != self._projects

    def save(self) -> None:
        """Store what was learned of projects; if that fails, it is learned again."""
        try:
            if self.context.registry.save():
                self._projects = _stamp(self._projects_file)
        except ClaudeSyncError:
            pass

    def tidy(self) -> None:
        """Remove from the vault, and of what was done here, what needn't be kept any longer.

        Raises:
            VaultError, LockBusy
        """
        with self.context.working("tidying up"):
            self.context.vault.tidy()
            self.context.recorder.tidy()

    def close(self) -> None:
        """Close everything."""
        if self.store_watch is not None:
            self.store_watch.stop()
        if self.watch is not None:
            self.watch.stop()
        if self.worker is not None:
            self.worker.search.close()
        self.save()
        self.context.close(save=False)


def _stamp(path: Path) -> Stamp | None:
    try:
        return stamp_of(path.stat())
    except OSError:
        return None
