"""Which of the doctor's findings are warnings to show. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.model import Finding, Level
from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync.wording import count

_STORE_AWAY = frozenset({"store-missing", "store-not-mounted", "store-offline"})
"""What the doctor says if the store can't be reached, which the icon shows in its own way."""

_SHOWN_ANYWAY = frozenset({"conflict", "session-shortened", "not-set-up", "no-icon-host"})
"""What the menu and notices show in their own way, with what fixes it."""


def current_warnings(status: Status, preferences: Preferences) -> tuple[Finding, ...]:
    """The warnings and errors, worst first, except those that are ignored or shown anyway."""
    away = status.offline_since is not None
    return tuple(
        finding
        for finding in listed_findings(status)
        if finding.level in (Level.WARNING, Level.ERROR)
        and not is_finding_ignored(finding, preferences)
        and finding.code not in _SHOWN_ANYWAY
        and not (away and finding.code in _STORE_AWAY)
    )


def warning_counts(warnings: Sequence[Finding]) -> str:
    """How many they are: 1 error, 2 warnings; "" for none."""
    errors = sum(finding.level is Level.ERROR for finding in warnings)
    others = len(warnings) - errors
    words = [count(errors, "error") if errors else "", count(others, "warning") if others else ""]
    return ", ".join(filter(None, words))


def listed_findings(status: Status) -> tuple[Finding, ...]:
    """All findings to list, the ignored ones too."""
    return tuple(finding for finding in status.findings if finding.level is not Level.OK)


def is_finding_ignored(finding: Finding, preferences: Preferences) -> bool:
    """Whether the user chose not to be warned of it."""
    return finding.code in preferences.ignored_findings
