"""Removing bundles from the store.

Invariants: what only a bundle holds is in the vault, durable, before it is removed. And that a
session of this machine's isn't pushed any more is decided before its bundle is gone: whatever
happens in between, no push uploads it again.

Order of steps: keep each · look again · decide · remove.
"""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import SessionError
from claude_sync.model import Bundle
from claude_sync.sync.bundles.keep import keep_bundle, lies_here
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey
from claude_sync.transports.base import is_same_file


def remove_bundles(
    context: Context, survey: Survey, bundles: Sequence[Bundle]
) -> tuple[Bundle, ...]:
    """Remove bundles, and decide that this machine's sessions among them are forgotten.

    A version that doesn't lie here as it is goes into the vault first.

    Args:
        context: what to work with.
        survey: what was seen.
        bundles: those to remove, as they lie in the store.

    Returns:
        those that were removed; what has changed since is left alone.

    Raises:
        TransportError: the store isn't there, or refuses.
        VaultError: what is only there can't be kept: nothing was removed.
        RecordsError: the decision can't be written: nothing was removed.
        Stopped: `context` said so, before anything was removed.
    """
    for bundle in bundles:
        context.check()
        _keep(context, survey, bundle)
    # Keeping takes its time, and another machine's bundle may be a newer one by now.
    now = {entry.name: entry.stamp for entry in context.store.listing().entries}
    removed = tuple(
        bundle
        for bundle in bundles
        if bundle.name in now and is_same_file(bundle.stamp, now[bundle.name])
    )
    context.decisions.forget(
        bundle.head.session_id for bundle in removed if bundle.head.machine_id == context.machine.id
    )
    context.store.remove([bundle.name for bundle in removed])
    context.store.count_as_older(removed)
    return removed


def _keep(context: Context, survey: Survey, bundle: Bundle) -> None:
    """Put a bundle into the vault, unless what lies here holds all that it does."""
    session_id = bundle.head.session_id
    try:
        local = survey.copy(session_id)
        if local is not None:
            row = survey.row(local)
            with translating_read_errors(session_id):
                if lies_here(local, row.whole, row.sidecar_sha256, bundle):
                    return
    except SessionError:
        pass  # Copies that diverged, or can't be read, don't stand for the bundle.
    keep_bundle(context, bundle, "forget")
