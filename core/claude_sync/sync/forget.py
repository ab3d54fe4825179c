"""Forgetting: the only way a bundle leaves a store, and only if a person says so."""

from __future__ import annotations

import time
from collections.abc import Sequence

from claude_sync.errors import UsageError
from claude_sync.model import Bundle, Outcome, Result
from claude_sync.sync.bundles.remove import remove_bundles
from claude_sync.sync.context import Context
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey


def bundles_of_sessions(context: Context, sessions: Sequence[str]) -> list[Bundle]:
    """This machine's bundles of sessions.

    Args:
        context: what to work with.
        sessions: ids, or beginnings of ids.

    Raises:
        UsageError: no session, or more than one, has an id that was given, or this machine has
            no bundle of it.
        TransportError: the store isn't there.
    """
    survey = look(context)
    found: list[Bundle] = []
    for prefix in sessions:
        session_id = survey.find(prefix)
        own = [
            bundle
            for bundle in survey.bundles.get(session_id, ())
            if bundle.head.machine_id == context.machine.id
        ]
        if not own:
            raise UsageError("this machine has no bundle of that session", where=session_id)
        found += own
    return found


def bundles_of_machine(context: Context, name: str) -> list[Bundle]:
    """All bundles of another machine.

    Args:
        context: what to work with.
        name: the machine's, whatever its case.

    Raises:
        UsageError: no other machine of that name has one.
        TransportError: the store isn't there.
    """
    found = [
        bundle
        for bundle in _all(look(context))
        if bundle.head.machine.lower() == name.lower()
        and bundle.head.machine_id != context.machine.id
    ]
    if not found:
        raise UsageError(
            "no other machine of that name has bundles there",
            where=name,
            todo="see the names with `claude-sync doctor`",
        )
    return found


def bundles_of_this_machine(context: Context, project: str | None = None) -> list[Bundle]:
    """All of this machine's bundles, or those of one project.

    Args:
        context: what to work with.
        project: its key; None for all.

    Raises:
        TransportError: the store isn't there.
    """
    return [
        bundle
        for bundle in _all(look(context))
        if bundle.head.machine_id == context.machine.id
        and project in (None, bundle.head.project_key)
    ]


def bundles_older_than(context: Context, days: float) -> list[Bundle]:
    """This machine's bundles whose transcripts were last written long ago.

    Args:
        context: what to work with.
        days: more than so many ago.

    Raises:
        TransportError: the store isn't there.
    """
    limit = (time.time() - days * 86_400) * 1e9
    return [
        bundle
        for bundle in _all(look(context))
        if bundle.head.machine_id == context.machine.id and bundle.head.mtime_ns < limit
    ]


def forget(context: Context, bundles: Sequence[Bundle]) -> tuple[Bundle, ...]:
    """Remove bundles from the store, and stop pushing this machine's ones until they are named.

    A version that doesn't lie here as it is goes into the vault first.

    Args:
        context: what to work with.
        bundles: as one of the functions above gave them, and a person agreed to.

    Returns:
        those that were removed; what has changed since is left alone.

    Raises:
        TransportError: the store isn't there, or refuses.
        VaultError: what is only there can't be kept: nothing was removed.
        RecordsError: what was decided can't be written: nothing was removed.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so, before anything was removed.
    """
    with context.working("forgetting"):
        survey = look(context)
        there = {bundle.name: bundle for bundle in _all(survey)}
        unchanged = [bundle for bundle in bundles if there.get(bundle.name) == bundle]
        removed = remove_bundles(context, survey, unchanged)
        with context.database.transaction():
            for bundle in removed:
                if bundle.head.machine_id == context.machine.id:
                    context.records.remember(
                        bundle.head.session_id, written=None, name="", layout=""
                    )
        for bundle in removed:
            head = bundle.head
            gone = Result(
                head.session_id,
                Outcome.UNCHANGED,
                project_key=head.project_key,
                machine=head.machine,
            )
            context.recorder.add_result("forget", gone, "removed")
        return removed


def _all(survey: Survey) -> list[Bundle]:
    return [bundle for bundles in survey.bundles.values() for bundle in bundles]
