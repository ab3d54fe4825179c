"""Which session a beginning of an id means, and what this machine is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from claude_sync.errors import SessionAmbiguous, SessionNotFound
from claude_sync.model import Bundle
from claude_sync.state.machine import name_machine
from claude_sync.sync.context import Context


def find_id(prefix: str, ids: Sequence[str]) -> str:
    """The one id that begins so.

    Raises:
        SessionNotFound: none does.
        SessionAmbiguous: several do.
    """
    fits = [session_id for session_id in ids if session_id.startswith(prefix)]
    if not prefix or not fits:
        raise SessionNotFound(
            "no session has that id",
            where=prefix,
            todo="see `claude-sync sessions --all`",
        )
    if len(fits) > 1:
        raise SessionAmbiguous(
            f"{len(fits)} sessions begin with that id", where=prefix, todo="type more of it"
        )
    return fits[0]


def remember_name(context: Context, bundles: Mapping[str, tuple[Bundle, ...]]) -> None:
    """Take the name that this machine has in the store, if its own record of it was lost.

    Raises:
        RecordsError: it can't be kept.
        LockBusy: another claude-sync is naming this machine.
    """
    own = [
        bundle.head
        for bundle in chain.from_iterable(bundles.values())
        if bundle.head.machine_id == context.machine.id
    ]
    if own:
        newest = max(own, key=lambda head: (head.pushed_at, head.revision))
        if context.changes:
            context.machine = name_machine(context.paths, newest.machine, context.homes)
        else:
            context.machine = context.machine._replace(name=newest.machine, named=True)
