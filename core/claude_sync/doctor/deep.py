"""Checks made only when asked for, because they write to the store or read all of it."""

from __future__ import annotations

from collections.abc import Iterator

from claude_sync.doctor.facts import Facts
from claude_sync.errors import (
    BundleError,
    ClaudeSyncError,
    FileGone,
    StoreFull,
    StoreOffline,
    TransportError,
)
from claude_sync.model import Finding, Level, Progress
from claude_sync.wording import capitalized, count, what_happened


def probe(facts: Facts) -> Iterator[Finding]:
    """Whether a file can be written to the store, read back and removed."""
    if not facts.deep or facts.view is None:
        return
    try:
        facts.context.store.probe()
    except (TransportError, BundleError) as error:
        yield Finding(
            code="probe-failed",
            level=Level.ERROR,
            title="Writing to the shared folder fails",
            detail=what_happened(error),
            fix=capitalized(error.todo or _todo(error)),
        )
    else:
        yield Finding(
            "probe",
            Level.OK,
            "A test file was written to the shared folder, read back and removed",
            "So pushes will work.",
        )


def _todo(error: ClaudeSyncError) -> str:
    return (
        "make room there"
        if isinstance(error, StoreFull)
        else "check the shared folder, then try again"
    )


def own_bundles(facts: Facts) -> Iterator[Finding]:
    """Whether every bundle that this machine wrote is intact, byte for byte.

    Raises:
        Stopped: the context was asked to stop.
    """
    if not facts.deep or facts.view is None:
        return
    context, own_id = facts.context, facts.context.machine.id
    own = [bundle for bundle in facts.bundles if bundle.head.machine_id == own_id]
    read = 0
    try:
        for done, (bundle, error) in enumerate(context.store.verify(own), 1):
            context.check()
            context.progress(Progress("Reading", sessions_done=done, sessions_total=len(own)))
            if error is None:
                read += 1
            elif not isinstance(error, FileGone):  # a push has replaced it meanwhile
                session_id = bundle.head.session_id
                yield Finding(
                    code="own-bundle-damaged",
                    level=Level.ERROR,
                    title="A bundle of this machine is damaged",
                    detail=f"{bundle.name}: {error.what}. Other machines skip it.",
                    fix=f"`claude-sync forget {session_id}`, then `claude-sync push {session_id}`",
                )
    except StoreOffline as error:
        yield Finding(
            code="deep-broken-off",
            level=Level.WARNING,
            title="Not every bundle could be checked",
            detail=f"{what_happened(error)} Before that, {read:,} of {len(own):,} were checked.",
            fix="Run `claude-sync doctor --deep` again when it can be reached",
        )
        return
    if read:
        yield Finding(
            "own-bundles",
            Level.OK,
            f"{count(read, 'bundle')} of this machine checked",
            "All their bytes are intact.",
        )
