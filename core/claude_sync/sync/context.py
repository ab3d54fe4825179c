"""What every verb needs: this machine, its preferences, Claude's tree, the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

from claude_sync.claude.home import ClaudeHome
from claude_sync.disk import files
from claude_sync.disk.locks import Lock
from claude_sync.errors import ClaudeSyncError, NotSetUp, Stopped, StoreLocked
from claude_sync.model import Machine, Progress
from claude_sync.projects.registry import Registry
from claude_sync.state import preferences
from claude_sync.state.cache import Cache
from claude_sync.state.database import Database
from claude_sync.state.decisions import Decisions
from claude_sync.state.machine import Homes, load_machine, machine_as_seen, second_folder_mark
from claude_sync.state.paths import Paths
from claude_sync.state.paths import paths as own_paths
from claude_sync.state.preferences import Preferences
from claude_sync.state.records import Records
from claude_sync.state.vault import Vault
from claude_sync.store.store import Store
from claude_sync.sync.recorder import Recorder
from claude_sync.transports import open_transport
from claude_sync.transports.base import Transport
from claude_sync.transports.location import CloudLocation, parse_location

LOCK_PATIENCE_SECONDS = 30.0
_REPORT_SECONDS = 0.1
_NO_STORE = "no-store"
_HAS_DECISIONS = "decisions"
"""Whether there were decisions already: else a file of them that is gone would mean none."""
_STAGING_LEFTOVERS_SECONDS = 86_400.0


class Context:
    """Everything that one run works with. Use as a context manager; `open_context` makes it.

    Attributes:
        paths: where claude-sync keeps its own files.
        preferences: what the user chose.
        machine: this machine.
        home: Claude Code's folders.
        registry: which directory a project has here.
        vault: old versions that were replaced.
        decisions: what a person decided about the store's sessions.
        database, records, cache: what is remembered of the store.
        recorder: has what is done written down.
        should_stop: asked between blocks; true ends the work at once, with nothing half done.
        on_progress: called with how far the work is.
        changes: whether what is learnt may be kept; see `sync/read_only.py`.
    """

    changes = True

    def __init__(
        self,
        paths: Paths,
        chosen: Preferences,
        *,
        should_stop: Callable[[], bool] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        database: Database | None = None,
        decisions: Decisions | None = None,
        machine: Machine | None = None,
    ) -> None:
        self.paths = paths
        self.should_stop = should_stop
        self.on_progress = on_progress
        remembered = chosen.claude_config_dir
        self.home = ClaudeHome.locate(remembered=str(remembered) if remembered else None)
        self.use_preferences(chosen)
        self.homes = claude_homes(chosen)
        self.machine: Machine = machine or load_machine(paths, self.homes)
        self.vault = Vault(paths.vault_directory)
        self.recorder = Recorder(paths, self.machine.name)
        self.registry = Registry(paths.projects_file)
        self._open = ExitStack()
        self.decisions = decisions or Decisions(paths, store_key(paths, chosen, self.machine))
        self.database = database or Database(
            records_file(paths, chosen, self.machine), self.decisions
        )
        self._open.callback(self.database.close)
        self.records = Records(self.database)
        self.cache = Cache(self.database)
        self._has_decisions = bool(self.cache.setting(_HAS_DECISIONS))
        if self._has_decisions and not self.decisions.known:
            self.decisions.count_as_lost()
        self._store: Store | None = None
        self._progress: Progress | None = None
        self._under_way = 0
        self._reported_at = 0.0

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, *, save: bool = True) -> None:
        """Close files and connections; before that, write what the registry learnt, if asked to."""
        try:
            if save:
                self.registry.save()
        finally:
            self._open.close()

    def use_preferences(self, chosen: Preferences) -> None:
        """Work by these preferences from now on; the store stays the one that was opened."""
        self.preferences = chosen
        self.home.checkpoints = chosen.checkpoints

    @property
    def store(self) -> Store:
        """The store that the preferences name.

        Raises:
            NotSetUp: none was chosen yet.
            PreferencesError: which was chosen can't be read.
        """
        if self._store is None:
            chosen = self.preferences
            preferences.check_read(self.paths, chosen)
            if chosen.location is None:
                raise NotSetUp(
                    "no shared folder is chosen yet",
                    todo="choose one with `claude-sync init LOCATION`",
                )
            if chosen.store_id is None:
                raise NotSetUp(
                    "the shared folder in preferences.json was never set up",
                    where=str(self.paths.preferences_file),
                    todo="run `claude-sync init` with it",
                )
            transport = open_transport(chosen.location, chosen.ssh_command, self.paths.runtime)
            self._open.callback(transport.close)
            if self.on_progress is not None:
                from claude_sync.transports.metered import MeteredTransport

                transport = MeteredTransport(transport, self._moved)
            locked = None
            try:
                transport = _sealed(transport, self.paths, chosen)
            except StoreLocked as error:
                locked = error
            self._store = Store(
                transport, self.cache, self.database, chosen.store_id, locked=locked
            )
        return self._store

    @cached_property
    def daily_limit(self) -> int:
        """How many bytes are pushed to the store in a day by themselves, 0 for no limit.

        A cloud's are counted by whoever pays for the line or the cloud's requests.
        """
        location = parse_location(self.preferences.location or ".")
        if not isinstance(location, CloudLocation):
            return 0
        return int(self.preferences.cloud_megabytes_a_day * 1_000_000)

    def use_store(self, store: Store) -> None:
        """Work with another store than the preferences name, as long as this object lives."""
        self._store = store

    @cached_property
    def staging(self) -> Path:
        """A private folder for what is only staged; leftovers of dead processes are removed."""
        folder = self.paths.state / "staging"
        if not folder.is_dir():
            files.make_private(folder)
        files.remove_leftovers(folder, older_than_seconds=_STAGING_LEFTOVERS_SECONDS)
        return folder

    @contextmanager
    def working(self, purpose: str, *, by_itself: bool = False) -> Iterator[None]:
        """Hold the lock under which sessions are read, written and recorded.

        Args:
            purpose: what for, a participle: "pushing".
            by_itself: whether nobody asked for it.

        Raises:
            LockBusy: another claude-sync kept it for half a minute.
        """
        lock = Lock(self.paths.lock_file, purpose)
        lock.acquire(LOCK_PATIENCE_SECONDS, self.should_stop)
        self.recorder.by_itself = by_itself
        try:
            yield
            if self.decisions.known and not self._has_decisions:
                self.cache.put_setting(_HAS_DECISIONS, "yes")
                self._has_decisions = True
        except ClaudeSyncError as error:
            self.recorder.add_failure(purpose, error)
            raise
        finally:
            self.recorder.flush()
            lock.release()

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Remember all that is decided and recorded inside together, decisions first.

        Raises:
            RecordsError: it can't be. And what is raised inside.
        """
        with self.database.transaction(), self.decisions.together():
            yield

    def interrupt(self) -> None:
        """From any thread: cut what the store is doing; `should_stop` must say so as well."""
        store = self._store
        if store is not None:
            store.interrupt()

    def check(self) -> None:
        """Stop here if that was asked for.

        Raises:
            Stopped: it was asked for.
        """
        if self.should_stop is not None and self.should_stop():
            raise Stopped("stopped before it was done", todo="nothing is half done; run it again")

    def progress(self, progress: Progress) -> None:
        """Report how far the work is, to begin with and after each session.

        In between it is reported too, as bytes go through the store.
        """
        if progress.sessions_done == 0:
            self._under_way = 0
        self._progress = progress
        self._report(time.monotonic())

    def _moved(self, count: int) -> None:
        self._under_way += count
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_SECONDS:
            self._report(now)

    def _report(self, now: float) -> None:
        known = self._progress
        if known is not None and self.on_progress is not None:
            self._reported_at = now
            # Several sessions may be under way, so that bytes run ahead of what is finished.
            done = min(known.total, max(known.done, self._under_way))
            self.on_progress(known._replace(done=done))


def _sealed(transport: Transport, paths: Paths, chosen: Preferences) -> Transport:
    """What reaches the store that was chosen; if it is encrypted, what seals.

    Raises:
        StoreLocked: it is encrypted, and its key can't be had.
    """
    from claude_sync.state.keys import key_file, load_master

    assert chosen.store_id is not None
    master = load_master(paths, chosen.store_id)
    if master is not None:
        from claude_sync.transports.sealed.transport import SealedTransport

        return SealedTransport(transport, master)
    if chosen.encrypted:
        raise StoreLocked(
            "the shared folder is encrypted, and its key is no longer on this machine",
            where=str(key_file(paths, chosen.store_id)),
            todo="run `claude-sync init` with the shared folder and --encrypt, and give its key",
        )
    return transport


def claude_homes(chosen: Preferences) -> Homes:
    """Claude Code's folder that is worked with, and the one without the shell's variable."""
    remembered = str(chosen.claude_config_dir) if chosen.claude_config_dir else None
    return Homes(
        ClaudeHome.locate(remembered=remembered).path,
        ClaudeHome.locate({}, remembered=remembered).path,
    )


def records_file(paths: Paths, chosen: Preferences, machine: Machine) -> Path:
    """Where the records of the store that was chosen are kept."""
    return paths.records_directory / f"{store_key(paths, chosen, machine)}.sqlite"


def store_key(paths: Paths, chosen: Preferences, machine: Machine) -> str:
    """Under which name what belongs to the store that was chosen is kept on this machine.

    A second folder of Claude Code's has its own: what was seen in one isn't gone in the other. But
    neither hangs on the machine's id: where the home was copied to another machine, or the system
    was installed anew, what a person decided about the transcripts in it came along.

    Raises:
        RecordsError: where the folder lies can't be looked at.
    """
    store = chosen.store_id or _NO_STORE
    is_first = machine.id == machine_as_seen(paths).id
    return store if is_first else f"{store}{second_folder_mark(claude_homes(chosen))}"


def open_context(
    paths: Paths | None = None,
    *,
    should_stop: Callable[[], bool] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Context:
    """Open everything that this user's claude-sync works with.

    Args:
        paths: where it keeps its own files; None for the user's own.
        should_stop: asked between blocks of work; true ends it.
        on_progress: called with how far the work is, by the thread that works.

    Raises:
        RecordsError: what is remembered can't be opened.
        UsageError: the home directory can't be found.
    """
    paths = paths or own_paths()
    return Context(paths, preferences.load(paths), should_stop=should_stop, on_progress=on_progress)
