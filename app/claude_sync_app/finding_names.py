"""What the doctor found, with sessions called by their titles where only their person reads it.

Pure. The doctor itself names them by their ids alone, for what it says is pasted into reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from claude_sync.model import Finding, SessionState
from claude_sync_app.shown_text import one_line, shortened

# Not in a path: who is told of a file looks for it by its name.
_NAMED = re.compile(
    r"(?:\b[Ss]ession )?(?<![\w/\\-])([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w/\\-]|\.\w)"
)
_TITLE_LENGTH = 50


def named_finding(
    finding: Finding, sessions: Iterable[SessionState], *, show_titles: bool = True
) -> Finding:
    """A finding whose title and detail say “Fix the login bug” (0f4c1d9e) in place of an id.

    Its fix is left as it is: a command needs the whole id.

    Args:
        finding: as the doctor has it.
        sessions: those whose titles are known.
        show_titles: whether titles may be shown; else the beginning of the id stands alone.
    """
    if not names_a_session(finding):
        return finding
    titles = {one.session_id: one.title for one in sessions} if show_titles else {}
    return titled_finding(finding, titles)


def names_a_session(finding: Finding) -> bool:
    """Whether its title or its detail names one by its id."""
    return bool(_NAMED.search(finding.title) or _NAMED.search(finding.detail))


def titled_finding(finding: Finding, titles: Mapping[str, str]) -> Finding:
    """The same as `named_finding`, of titles that are known by their ids."""

    def name(found: re.Match[str]) -> str:
        session_id = found[0].rpartition(" ")[2]
        title = shortened(one_line(titles.get(session_id, "")), _TITLE_LENGTH)
        if title:
            return f"“{title}” ({found[1]})"
        before = found[0][: -len(session_id)]
        return f"{before}{found[1]}"

    return finding._replace(
        title=_NAMED.sub(name, finding.title), detail=_NAMED.sub(name, finding.detail)
    )
