"""Looking without changing anything: not even the caches, nor what SQLite keeps beside a database.

What is learnt on the way goes into a copy of the records in memory, and is forgotten at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from claude_sync.errors import RecordsError
from claude_sync.model import Progress
from claude_sync.state import preferences
from claude_sync.state.database import Database, copy_of
from claude_sync.state.machine import machine_as_seen
from claude_sync.state.paths import Paths
from claude_sync.store.store import Store
from claude_sync.sync.context import Context, records_file


@contextmanager
def open_read_only(
    paths: Paths,
    *,
    should_stop: Callable[[], bool] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[Context]:
    """Open everything this user's claude-sync works with, to look only.

    Whatever is wrong with it, it opens: what can't be read counts as missing.

    Args:
        paths: where it keeps its things.
        should_stop: asked between blocks of work; true ends it.
        on_progress: told how far the work is.
    """
    chosen = preferences.load(paths)
    context = Context(
        paths,
        chosen,
        should_stop=should_stop,
        on_progress=on_progress,
        database=_copy(records_file(paths, chosen)),
        machine=machine_as_seen(paths),
    )
    try:
        yield context
    finally:
        context.close(save=False)


@contextmanager
def read_only(context: Context) -> Iterator[Context]:
    """The same place, tree and records to look at, beside what a context works with itself."""
    context = _ReadOnlyContext(context)
    try:
        yield context
    finally:
        context.close(save=False)


def _copy(source: Database | Path) -> Database:
    try:
        return copy_of(source)
    except (FileNotFoundError, RecordsError):
        return Database(None)


class _ReadOnlyContext(Context):
    """Looks by way of another context's connection, so that one can interrupt it through that."""

    def __init__(self, of: Context) -> None:
        super().__init__(
            of.paths,
            of.preferences,
            should_stop=of.should_stop,
            on_progress=of.on_progress,
            database=_copy(of.database),
            machine=of.machine,
        )
        self.home = of.home
        self._of = of
        self._staging: Path | None = None

    @property
    def store(self) -> Store:
        if self._store is None:
            self._store = self._of.store.remembering(self.cache, self.database)
        return self._store

    @property
    def staging(self) -> Path:
        """For versions that have to be read to be compared; not where anything of ours lies."""
        if self._staging is None:
            from tempfile import TemporaryDirectory

            self._staging = Path(self._open.enter_context(TemporaryDirectory("", "claude-sync-")))
        return self._staging
