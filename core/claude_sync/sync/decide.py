"""What becomes of a person's decision for one version of a session: a resolve's, or a restore's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from claude_sync.bundle.members import next_after
from claude_sync.claude.compare import Extent
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.model import Bundle, Version
from claude_sync.state.vault_entry import TRANSCRIPT
from claude_sync.sync.context import Context
from claude_sync.sync.rivals import inherited_decisions
from claude_sync.sync.survey.comparisons import given_up
from claude_sync.sync.tree.resolve_apply import InstalledSide
from claude_sync.sync.tree.undo_record import UndoRecord


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision for one version of a session, which lies in its place by now.

    Attributes:
        session_id: the session.
        kept: the version.
        path: its transcript, None where it lies nowhere here.
        others: the versions that were to choose from, or that it replaced.
        rivals: the bundles that hold some of those.
        undo: what brings back the state before.
        side: what was installed, None where nothing had to be.
        was_here: whether the session lay here before.
    """

    session_id: str
    kept: Version
    path: Path | None
    others: Iterable[Version]
    rivals: Sequence[Bundle]
    undo: UndoRecord
    side: InstalledSide | None
    was_here: bool


def remember_decision(context: Context, made: Decision, bundles: Sequence[Bundle]) -> None:
    """Remember a decision, and all that it gave up.

    Args:
        context: what to work with.
        made: the decision.
        bundles: all of the session's in the store.

    Raises:
        RecordsError: it can't be remembered.
        SessionError: the transcripts can't be read.
    """
    session_id, decisions, records = made.session_id, context.decisions, context.records
    before = decisions.of(session_id)
    undo = made.undo._replace(decision=before.decision, supersedes=before.supersedes)
    inherited = [inherited_decisions(rival.head.version, bundles) for rival in made.rivals]
    superseded = [sha256 for hashes, _ in inherited for sha256 in hashes]
    with translating_read_errors(session_id):
        for version in sorted(made.others):
            if version != made.kept and not _extends(made, version):
                superseded.append(version.sha256)
        superseded += _given_up(context, made)
    with decisions.together():
        decisions.supersede(session_id, superseded)
        decisions.stop_superseding(session_id, made.kept.sha256)
        decisions.decide(
            session_id, next_after(before.decision, *(decision for _, decision in inherited))
        )
    with context.database.transaction():
        records.hold(session_id, made.kept)
        changes: dict[str, object] = {"undo": undo.to_json()}
        if made.side is not None:
            changes["installed_ns"] = made.side.installed.stamp.mtime_ns
            if not made.was_here and made.side.directory is not None:
                changes["directory"] = str(made.side.directory)
        records.remember(session_id, **changes)


def _extends(made: Decision, other: Version) -> bool:
    if made.path is None or other.size > made.kept.size:
        return False
    return begins_with(made.path, other)


def _given_up(context: Context, made: Decision) -> list[str]:
    """What was held here before and is neither in the version that was kept nor part of it."""
    side = made.side
    if side is None or side.installed.undo.before is None or not side.installed.undo.entry:
        return []
    old = context.vault.folder / side.installed.undo.entry / TRANSCRIPT
    return given_up(
        context,
        made.session_id,
        Extent(old, side.installed.undo.before.size),
        Extent(side.installed.path, made.kept.size),
    )
