"""Checks that find out what is wrong before a person does. They change nothing.

A check is a function that takes `Facts` and yields findings. Each finding has a stable code, and a
fix that names the command or setting. A new check has its line in `_CHECKS`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from claude_sync.doctor import (
    bundles,
    claude,
    cloud,
    deep,
    modes,
    own_state,
    programs,
    projects,
    sessions,
    settings,
    store,
    writers,
)
from claude_sync.doctor.facts import Check, Facts, Surveyed
from claude_sync.errors import ClaudeSyncError, Stopped
from claude_sync.model import Finding, Level
from claude_sync.sync.context import Context
from claude_sync.sync.read_only import open_read_only, read_only
from claude_sync.wording import sentence, what_happened

__all__ = ["ExtraCheck", "Surveyed", "examine", "open_read_only"]

ExtraCheck = Callable[[Context], Iterable[Finding]]
"""A check that a front end adds."""

# Findings of one level are shown in this order.
_CHECKS: tuple[Check, ...] = (
    store.reached,
    store.writable,
    deep.probe,
    store.private,
    settings.preferences,
    own_state.records,
    modes.own_folders,
    modes.claude_folders,
    claude.folder,
    claude.unseen,
    claude.conflict_copies,
    claude.mirrors,
    claude.configured,
    claude.live,
    claude.newer_client,
    claude.cleanup,
    sessions.conflicts,
    sessions.shortened,
    sessions.unreadable,
    sessions.in_two_places,
    sessions.left_out,
    sessions.checkpoints_held_back,
    sessions.companions_unseen,
    sessions.without_project,
    sessions.unplaced,
    sessions.declined,
    bundles.problems,
    bundles.with_checkpoints,
    bundles.copies,
    deep.own_bundles,
    settings.name,
    bundles.clones,
    writers.own,
    writers.rolled_back,
    writers.names,
    bundles.clocks,
    programs.programs,
    cloud.rclone,
    cloud.allowance,
    cloud.duplicates,
    cloud.left_over,
    projects.registry,
    projects.keys,
    projects.missing,
    projects.names,
    projects.projects,
    settings.roots,
    settings.pause,
    store.room,
    own_state.vault,
    own_state.set_aside,
    own_state.decisions,
    own_state.leftovers,
    bundles.peers,
)
_MOST_OF_A_KIND = 10
_SEVERITY = {level: number for number, level in enumerate(Level)}


def examine(
    context: Context,
    *,
    deep: bool = False,
    checks: Sequence[ExtraCheck] = (),
    now: float | None = None,
    surveyed: Surveyed | None = None,
) -> list[Finding]:
    """Look for what is wrong. Nothing is changed, not even the caches.

    Args:
        context: what to examine; `open_read_only` opens one that leaves nothing behind either.
        deep: whether to write a probe to the store (it is removed again), and to read through
            every bundle that this machine wrote.
        checks: a front end's own.
        now: seconds since the epoch, None for the present.
        surveyed: a survey made just before, for something else; None to make one.

    Returns:
        findings, the worst first.

    Raises:
        Stopped: the context was asked to stop.
    """
    found: list[Finding] = []
    with read_only(context) as reader:
        now = time.time() if now is None else now
        facts = Facts(reader, deep=deep, now=now, surveyed=surveyed)
        for check in _CHECKS:
            reader.check()
            found += _run(check, facts)
        for extra in checks:
            reader.check()
            found += _run(extra, reader)
    return sorted(_limited(found), key=lambda finding: -_SEVERITY[finding.level])


def _limited(found: Iterable[Finding]) -> list[Finding]:
    """Of many findings that need the same fix, the first few, and how many more there are."""
    shown: list[Finding] = []
    more: dict[str, list[Finding]] = {}
    counts: Counter[str] = Counter()
    for finding in found:
        counts[finding.code] += 1
        if finding.level is Level.OK or counts[finding.code] <= _MOST_OF_A_KIND:
            shown.append(finding)
        else:
            more.setdefault(finding.code, []).append(finding)
    for code, left in more.items():
        worst = max(left, key=lambda finding: _SEVERITY[finding.level])
        shown.append(
            Finding(
                code=code,
                level=worst.level,
                title=f"{len(left):,} more like it: {worst.title}",
                detail=f"Only the first {_MOST_OF_A_KIND} are shown.",
                fix="Fix those first, then run `claude-sync doctor` again",
            )
        )
    return shown


def _run(check: Callable[..., Iterable[Finding]], subject: object) -> list[Finding]:
    """What one check finds; a check that fails is a finding too, and the others run."""
    found: list[Finding] = []
    try:
        for finding in check(subject):
            found.append(finding)
    except Stopped:
        raise
    except (ClaudeSyncError, OSError) as error:
        found.append(
            Finding(
                code="check-failed",
                level=Level.WARNING,
                title="One check couldn't be made",
                detail=_reason(error),
                fix="Run `claude-sync doctor` again; if this stays, please report it",
            )
        )
    return found


def _reason(error: ClaudeSyncError | OSError) -> str:
    if isinstance(error, ClaudeSyncError):
        return what_happened(error)
    return sentence(error.strerror or type(error).__name__)
