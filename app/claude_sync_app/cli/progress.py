"""A progress bar for work that takes longer than a second, on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from claude_sync.model import Progress
from claude_sync.wording import size

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_PATIENCE_SECONDS = 1.0
_BETWEEN_SECONDS = 0.1


class ProgressBar:
    """Shows the progress of work on stderr. It draws when it is updated, so it needs no thread, and
    leaves no trace when it is closed.
    """

    def __init__(self) -> None:
        self._begun = self._drawn = time.monotonic()
        self._latest = Progress("Looking")
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def update(self, progress: Progress) -> None:
        """Take note of progress."""
        self._latest = progress
        self.tick()

    def tick(self) -> None:
        """Redraw if enough time has passed."""
        now = time.monotonic()
        if now - self._begun < _PATIENCE_SECONDS or now - self._drawn < _BETWEEN_SECONDS:
            return
        self._drawn = now
        self._draw()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _draw(self) -> None:
        latest = self._latest
        if self._bar is None or self._task is None:
            self._bar = _bar()
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        if latest.total:
            done, total = latest.done, latest.total
        else:
            done, total = latest.sessions_done, latest.sessions_total
        self._bar.update(
            self._task, description=progress_text(latest), total=total or None, completed=done
        )
        self._bar.refresh()


def progress_text(progress: Progress) -> str:
    """The progress in a few words."""
    if not progress.sessions_total:
        return f"{progress.verb}…"
    if progress.sessions_total > 1:
        return f"{progress.verb} {progress.sessions_done} of {progress.sessions_total}"
    return f"{progress.verb} {size(progress.done)} of {size(progress.total)}"


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    return Bar(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
    )
