"""What goes wrong is written down without its own words."""

from __future__ import annotations

import logging
from pathlib import Path

from claude_sync.disk.log import Log
from claude_sync_app.tray.bug_log import BugLog


def test_a_bug_is_found_by_its_line_and_says_nothing_of_a_session(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    logger = logging.Logger("somebody")
    logger.addHandler(BugLog(log))
    try:
        raise ValueError("Fix the secret login bug")
    except ValueError:
        logger.exception("could not handle %r", "Fix the secret login bug")
    logger.warning("ssh://me:password@host")
    logger.info("nothing")
    first, second = log.path.read_text().splitlines()
    assert "tray: somebody met ValueError at test_bug_log.py:" in first
    assert "tray: somebody met warning at test_bug_log.py:" in second
    for word in ("secret", "password"):
        assert word not in first + second
