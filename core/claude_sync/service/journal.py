"""What the service did by itself, in the log: ids, machines and sentences of errors; no titles."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable

from claude_sync.disk.log import Log, result_line
from claude_sync.model import Result
from claude_sync.state.paths import Paths


class Journal:
    """Writes into the log what nobody was there to see.

    Args:
        paths: where the log lies.
    """

    def __init__(self, paths: Paths) -> None:
        self._log = Log(paths.log_file)

    def write(self, line: str) -> None:
        """Write one line."""
        self._log.write([line])

    def write_results(self, verb: str, results: Iterable[Result]) -> None:
        """Write what became of sessions that something was done with."""
        self._log.write([result_line(verb, result) for result in results])

    def write_bug(self, error: Exception) -> None:
        """Write where a bug of ours struck.

        Names and lines only: an exception's own words may hold what a transcript says.
        """
        frames = traceback.extract_tb(error.__traceback__)
        trail = " < ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in reversed(frames))
        self.write(f"watching stopped on {type(error).__name__} at {trail}")
