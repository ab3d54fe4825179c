"""Filling the index of what was said: between rounds, a little at a time, and only what changed."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from claude_sync.errors import ClaudeSyncError, RecordsError, SearchError, Stopped
from claude_sync.model import IndexProgress
from claude_sync.sync.context import Context
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey

if TYPE_CHECKING:
    from claude_sync.search.filling import Filling

FIRST_SECONDS = 5.0
"""After the start, when what somebody waits for is done."""
SOON_SECONDS = 1.0
_STEP_SECONDS = 0.05
_BETWEEN_SECONDS = 0.2
_RETRY_SECONDS = 60.0


class SearchFilling:
    """The index as the service keeps it. Used by the service's thread.

    Args:
        context: what to work with.

    Attributes:
        progress: how far it is; None before the first step, and where none is wanted.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._filling: Filling | None = None
        self.progress: IndexProgress | None = None

    @property
    def has_work(self) -> bool:
        """Whether something is known to be left to read."""
        return self._filling is not None and self._filling.has_work

    def note(self, survey: Survey) -> None:
        """Find out what of a survey has to be read; nothing before the first step."""
        if self._filling is None or not self._context.preferences.search:
            return
        try:
            self._filling.look(survey)
        except SearchError:
            self._filling = None  # it is opened anew, and everything looked at

    def step(self) -> float:
        """Do some of the work; in how many seconds there is more, infinity for none.

        Raises:
            RecordsError: everything has to be opened anew.
            Stopped: something else comes first.
        """
        if not self._context.preferences.search:
            return self._remove()
        end = time.monotonic() + _STEP_SECONDS
        try:
            if self._filling is None:
                from claude_sync.search.filling import Filling

                self._filling = Filling(self._context, self._look)
                self._filling.look()
            self._filling.step(lambda: time.monotonic() >= end)
            self.progress = self._filling.progress()
        except (RecordsError, Stopped):
            raise
        except ClaudeSyncError:
            return _RETRY_SECONDS  # the store is away, somebody else is at it: that passes
        if self._filling.has_work:
            return _BETWEEN_SECONDS
        self._filling.close()
        return math.inf

    def _look(self) -> tuple[Survey, bool]:
        with self._context.working("looking", by_itself=True):
            return look(self._context), True

    def _remove(self) -> float:
        """Remove the index of whoever wants none."""
        from claude_sync.search.index import remove_indexes

        self.close()
        self.progress = None
        try:
            remove_indexes(self._context.paths)
        except SearchError:
            return _RETRY_SECONDS
        return math.inf

    def close(self) -> None:
        """Close the index."""
        if self._filling is not None:
            self._filling.close()
            self._filling = None
