"""What a command works with: set up, stoppable, and with a progress bar on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from claude_sync.errors import ClaudeSyncError, Stopped
from claude_sync.state.paths import paths
from claude_sync.sync.context import Context, open_context
from claude_sync.values import NamedTuple
from claude_sync_app.cli.interrupts import Interrupts
from claude_sync_app.cli.output import is_terminal, print_note

if TYPE_CHECKING:
    from claude_sync.model import Progress
    from claude_sync.state.preferences import Preferences
    from claude_sync_app.cli.progress import ProgressBar


@contextmanager
def command_context(*, store: bool = True) -> Iterator[Context]:
    """This user's claude-sync.

    Args:
        store: whether the shared folder is needed; if none is chosen yet, it becomes this
            machine's private folder, and a note says so.

    Raises:
        Stopped: a signal asked to stop.
    """
    with _controls() as controls:
        if store:
            ensure_set_up()
        with open_context(
            should_stop=controls.should_stop, on_progress=controls.on_progress
        ) as context:
            controls.interrupts.abort = context.interrupt
            yield context


@contextmanager
def read_only_context(*, tolerant: bool = True) -> Iterator[Context]:
    """The same to look at only, with nothing set up; see `claude_sync.sync.read_only`.

    Args:
        tolerant: whether records that can't be used count as missing.

    Raises:
        Stopped: a signal asked to stop.
    """
    from claude_sync.sync.read_only import open_read_only

    with (
        _controls() as controls,
        open_read_only(
            paths(),
            tolerant=tolerant,
            should_stop=controls.should_stop,
            on_progress=controls.on_progress,
        ) as context,
    ):
        controls.interrupts.abort = context.interrupt
        yield context


class _Controls(NamedTuple):
    """How a person stops a command, and sees its progress."""

    interrupts: Interrupts
    should_stop: Callable[[], bool]
    on_progress: Callable[[Progress], None] | None


@contextmanager
def _controls() -> Iterator[_Controls]:
    bar = _bar()
    with Interrupts() as interrupts:
        try:
            yield _Controls(
                interrupts, _should_stop(interrupts, bar), bar.update if bar is not None else None
            )
        except ClaudeSyncError as error:
            # An ssh that got the same signal fails with an error of its own.
            if interrupts.requested() and not isinstance(error, Stopped):
                raise Stopped("stopped before it was done", todo="run it again") from error
            raise
        finally:
            if bar is not None:
                bar.close()


def is_set_up(chosen: Preferences) -> bool:
    """Whether a shared folder is chosen."""
    return chosen.location is not None


def ensure_set_up() -> None:
    """If no shared folder is chosen yet, choose this machine's private one, and print a note."""
    from claude_sync.state import preferences

    own = paths()
    if is_set_up(preferences.load(own)):
        return
    from claude_sync.sync.setup import set_up_default

    done = set_up_default(own)
    if done is not None:
        print_note(
            f"Using {done.label} as the shared folder, which only this machine sees; "
            "choose another with `claude-sync init LOCATION`."
        )


def _should_stop(interrupts: Interrupts, bar: ProgressBar | None) -> Callable[[], bool]:
    if bar is None:
        return interrupts.requested

    def should_stop() -> bool:
        bar.tick()
        return interrupts.requested()

    return should_stop


def _bar() -> ProgressBar | None:
    if not is_terminal(sys.stderr):
        return None
    from claude_sync_app.cli.progress import ProgressBar

    return ProgressBar()
