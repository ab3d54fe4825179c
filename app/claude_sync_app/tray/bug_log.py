"""What libraries and bugs report, in our own log: who, what kind, where; never their text.

An exception's message, or a library's, may hold a title or a path, and a desktop keeps what its
programs write to stderr.
"""

from __future__ import annotations

import logging

from claude_sync.disk.log import Log, trail_of


class BugLog(logging.Handler):
    """A handler for a logger.

    Args:
        log: where the lines go.
        who: what each begins with.
    """

    def __init__(self, log: Log, who: str = "tray") -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._who = who

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        what = type(error).__name__ if error is not None else record.levelname.lower()
        trail = trail_of(error) if error is not None else ""
        where = trail or f"{record.filename}:{record.lineno}"
        self._log.write([f"{self._who}: {record.name} met {what} at {where}"])
