"""Reading without changing anything: not the caches, nor the files that SQLite adds to a database.

What is learnt on the way goes into a copy of the records in memory, and is lost at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from claude_sync.errors import RecordsError
from claude_sync.model import Progress
from claude_sync.state import preferences
from claude_sync.state.database import Database, copy_of
from claude_sync.state.decisions import Decisions
from claude_sync.state.machine import machine_as_seen
from claude_sync.state.paths import Paths
from claude_sync.store.store import Store
from claude_sync.sync.context import Context, claude_homes, records_file, store_key


@contextmanager
def open_read_only(
    paths: Paths,
    *,
    tolerant: bool = True,
    should_stop: Callable[[], bool] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[Context]:
    """Open everything this user's claude-sync works with, for reading only.

    Args:
        paths: where it keeps its things.
        tolerant: whether records that can't be used count as missing. Whoever says where sessions
            stand would say something else then, without a word of it.
        should_stop: asked between blocks of work; true ends it.
        on_progress: called with the progress of the work.

    Raises:
        RecordsError: the records can't be used, where that isn't tolerated.
    """
    chosen = preferences.load(paths)
    machine = machine_as_seen(paths, claude_homes(chosen))
    decisions = Decisions(paths, store_key(paths, chosen, machine), writable=False)
    context = _UnchangingContext(
        paths,
        chosen,
        should_stop=should_stop,
        on_progress=on_progress,
        database=_copy(records_file(paths, chosen, machine), decisions, tolerant=tolerant),
        decisions=decisions,
        machine=machine,
    )
    try:
        yield context
    finally:
        context.close(save=False)


@contextmanager
def read_only(context: Context) -> Iterator[Context]:
    """Another context with the same store, tree and records, for reading only."""
    context = _ReadOnlyContext(context)
    try:
        yield context
    finally:
        context.close(save=False)


def _copy(source: Database | Path, decisions: Decisions, *, tolerant: bool) -> Database:
    try:
        return copy_of(source, decisions)
    except FileNotFoundError:
        return Database(None)
    except RecordsError:
        if not tolerant:
            raise
        return Database(None)


class _UnchangingContext(Context):
    """Stages outside of our own folders what must be read to be compared."""

    changes = False

    @cached_property
    def staging(self) -> Path:
        from tempfile import TemporaryDirectory

        return Path(self._open.enter_context(TemporaryDirectory("", "claude-sync-")))


class _ReadOnlyContext(_UnchangingContext):
    """Uses another context's connection to the store, so that interrupting that ends this, too."""

    def __init__(self, of: Context) -> None:
        decisions = Decisions(
            of.paths, store_key(of.paths, of.preferences, of.machine), writable=False
        )
        super().__init__(
            of.paths,
            of.preferences,
            should_stop=of.should_stop,
            on_progress=of.on_progress,
            database=_copy(of.database, decisions, tolerant=True),
            decisions=decisions,
            machine=of.machine,
        )
        self.home = of.home
        self._of = of

    @property
    def store(self) -> Store:
        if self._store is None:
            self._store = self._of.store.remembering(self.cache, self.database)
        return self._store
