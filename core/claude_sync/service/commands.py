"""What commands do with sessions in the service's thread, once it gets to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from claude_sync.errors import ClaudeSyncError, RecordsError, Stopped
from claude_sync.model import Machine, Outcome, Result
from claude_sync.service.loop import ServiceLoop
from claude_sync.service.worker import to_be_tried_again
from claude_sync.sync.context import Context
from claude_sync.sync.forget import forget
from claude_sync.sync.pull import pull
from claude_sync.sync.push import push
from claude_sync.sync.resume import Resumption, prepare_resume
from claude_sync.sync.setup import rename_machine

# A terminal and a client in it have started by then, or nothing opens it.
_OPENS_WITHIN_SECONDS = 10.0


def push_sessions(loop: ServiceLoop, sessions: Sequence[str] | None) -> list[Result]:
    """Push sessions by id, or all that changed.

    Raises:
        ClaudeSyncError: it couldn't be done.
    """
    results = push(loop.ready(), sessions)
    worker = loop.opened().worker
    if worker is not None:
        worker.note_pushed(results)
    return results


def push_older(loop: ServiceLoop) -> list[Result]:
    """Push what was last used more than seven days ago.

    Raises:
        ClaudeSyncError: it couldn't be done.
    """
    worker = loop.opened().worker
    return worker.push_older() if worker is not None else push(loop.ready(), [])


def pull_sessions(
    loop: ServiceLoop, sessions: Sequence[str] | None, *, replace: bool
) -> list[Result]:
    """Pull sessions by id, or all that wait; what is open here, when the client closes it.

    Raises:
        ClaudeSyncError: it couldn't be done.
    """
    results = pull(loop.ready(), sessions, replace=replace)
    worker = loop.opened().worker
    if worker is not None:
        worker.note_pulled(results)
    if to_be_tried_again(results):
        loop.act_next_time()
    return results


def restore_gone(loop: ServiceLoop, sessions: Sequence[str]) -> list[Result]:
    """Bring back sessions that are gone here, each as far as it can be: a result for each.

    Raises:
        RecordsError: everything has to be opened anew.
        Stopped: something else comes first.
    """
    from claude_sync.sync.restore import bring_back

    results = []
    for session in sessions:
        try:
            results.append(bring_back(loop.ready(), session)[0])
        except (RecordsError, Stopped):
            raise
        except ClaudeSyncError as error:
            failed = Result(session, Outcome.FAILED, message=str(error), code=type(error).__name__)
            results.append(failed)
    return results


def prepare_session(loop: ServiceLoop, session: str, *, as_it_is: bool) -> Resumption:
    """Have the newest version of a session here, so that a front end has it opened at once.

    Raises:
        ClaudeSyncError: it couldn't be done.
    """
    found = prepare_resume(
        loop.ready(), session, as_it_is=as_it_is, opens_within=_OPENS_WITHIN_SECONDS
    )
    worker = loop.opened().worker
    if worker is not None:
        worker.note_pulled(found.results)
    return found


def forget_bundles(loop: ServiceLoop, choose: Callable[[Context], Sequence[Any]]) -> int:
    """Remove the bundles that `choose` gives; how many were.

    Raises:
        ClaudeSyncError: it couldn't be done.
    """
    context = loop.ready()
    removed = forget(context, choose(context))
    loop.journal.write_removals(removed)
    return len(removed)


def push_before_leaving(loop: ServiceLoop, end: float, *, local_only: bool) -> list[str]:
    """Push what changed, smallest first, until then.

    Args:
        end: when to end, by `time.monotonic`.
        local_only: not over a connection.

    Returns:
        ids of the sessions that it wasn't enough for.

    Raises:
        ClaudeSyncError: what it works with can't be opened, or breaks.
    """
    resources = loop.opened()
    worker = resources.worker
    if worker is None or not loop.pushes_on_change:
        return []
    worker.changes.rescan()
    if not (local_only and resources.context.store.remote):
        with loop.ending_early(lambda: time.monotonic() >= end):
            try:
                for results in worker.push_all():
                    loop.journal.write_results("push", results)
            except RecordsError:
                raise
            except ClaudeSyncError as error:
                loop.journal.write(f"push before leaving ended early: {error}")
    return worker.changes.smallest_first()


def rename(loop: ServiceLoop, name: str) -> Machine:
    """Give this machine another name, and open everything anew with it.

    Raises:
        ClaudeSyncError: it couldn't be done.
    """
    machine = rename_machine(loop.ready(), name)
    loop.close()
    loop.opened()
    loop.look_now()
    return machine
