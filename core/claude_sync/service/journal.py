"""What the service did by itself, for the log: ids, machines and sentences of errors; no titles."""

from __future__ import annotations

from collections.abc import Iterable

from claude_sync.disk.log import Log, removal_line, result_line, trail_of
from claude_sync.model import Bundle, Result
from claude_sync.state.paths import Paths


class Journal:
    """Writes into the log what the service did while no one watched.

    Args:
        paths: the log's among them.
    """

    def __init__(self, paths: Paths) -> None:
        self._log = Log(paths.log_file)

    def write(self, line: str) -> None:
        """Write one line."""
        self._log.write([line])

    def write_results(self, verb: str, results: Iterable[Result]) -> None:
        """Write one line for each session that something was done with."""
        self._log.write([result_line(verb, result) for result in results])

    def write_removals(self, bundles: Iterable[Bundle]) -> None:
        """Write one line for each bundle that was removed from the store."""
        self._log.write(map(removal_line, bundles))

    def write_bug(self, error: Exception) -> None:
        """Write where in our code a bug showed."""
        self.write(f"watching stopped on {type(error).__name__} at {trail_of(error)}")
