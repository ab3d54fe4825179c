"""Which of the doctor's findings are warned of. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.model import Finding, Level
from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync.wording import count

_PLACE_AWAY = frozenset({"store-missing", "store-not-mounted", "store-offline"})
"""What the doctor says where the place can't be reached, which the icon says in its own way."""


_SAID_ANYWAY = frozenset({"conflict", "not-set-up"})
"""What the menu and notices say in their own way, and offer what mends it."""


def current_warnings(status: Status, preferences: Preferences) -> tuple[Finding, ...]:
    """The warnings and errors, worst first, but those that are ignored or said anyway."""
    away = status.offline_since is not None
    return tuple(
        finding
        for finding in listed_findings(status)
        if finding.level in (Level.WARNING, Level.ERROR)
        and not is_finding_ignored(finding, preferences)
        and finding.code not in _SAID_ANYWAY
        and not (away and finding.code in _PLACE_AWAY)
    )


def warning_counts(warnings: Sequence[Finding]) -> str:
    """How many they are: 1 error, 2 warnings; "" for none."""
    errors = sum(finding.level is Level.ERROR for finding in warnings)
    others = len(warnings) - errors
    words = [count(errors, "error") if errors else "", count(others, "warning") if others else ""]
    return ", ".join(filter(None, words))


def listed_findings(status: Status) -> tuple[Finding, ...]:
    """All that there is to read, the ignored ones too."""
    return tuple(finding for finding in status.findings if finding.level is not Level.OK)


def is_finding_ignored(finding: Finding, preferences: Preferences) -> bool:
    """Whether the user doesn't want to be warned of it."""
    return finding.code in preferences.ignored_findings
