"""The machines that were seen in the store: each says in its bundles who it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone

from claude_sync.model import Bundle, BundleHead
from claude_sync.sync.context import Context
from claude_sync.sync.survey.look import look
from claude_sync.values import NamedTuple


class SeenMachine(NamedTuple):
    """A machine as its bundles show it.

    Attributes:
        name: as its newest bundle has it; other people's text.
        machine_id: what tells it from others of that name.
        is_this: whether it is this machine.
        sessions: how many sessions it has in the store.
        projects: of how many projects.
        bytes: in all of its bundles, as they lie in the store.
        pushed_ns: when it pushed last, as its own clock said, nanoseconds since the epoch; 0 where
            that can't be told.
    """

    name: str
    machine_id: str
    is_this: bool
    sessions: int
    projects: int
    bytes: int
    pushed_ns: int


def seen_machines(context: Context) -> list[SeenMachine]:
    """Every machine that has pushed into the store; this one first, even if it hasn't.

    Args:
        context: what to work with.

    Raises:
        TransportError, NotSetUp: the store can't be looked at.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("looking"):
        survey = look(context)
    bundles = [bundle for bundles in survey.bundles.values() for bundle in bundles]
    this = context.machine
    found = {one.machine_id: one for one in _seen(bundles, this.id)}
    own = found.pop(this.id, SeenMachine(this.name, this.id, True, 0, 0, 0, 0))
    # What it is called by now: its bundles follow when they are next written.
    own = own._replace(name=this.name)
    others = sorted(found.values(), key=lambda one: (-one.pushed_ns, one.name, one.machine_id))
    return [own, *others]


def _seen(bundles: Iterable[Bundle], this_id: str) -> Iterator[SeenMachine]:
    by_machine: dict[str, list[Bundle]] = {}
    for bundle in bundles:
        by_machine.setdefault(bundle.head.machine_id, []).append(bundle)
    for machine_id, own in by_machine.items():
        heads = [bundle.head for bundle in own]
        newest = _newest(heads)
        yield SeenMachine(
            name=newest.machine,
            machine_id=machine_id,
            is_this=machine_id == this_id,
            sessions=len({head.session_id for head in heads}),
            projects=len({head.project_key for head in heads}),
            bytes=sum(bundle.stamp.size for bundle in own),
            pushed_ns=_moment_ns(newest.pushed_at),
        )


def _newest(heads: Sequence[BundleHead]) -> BundleHead:
    return max(heads, key=lambda one: (_moment_ns(one.pushed_at), one.session_id))


def _moment_ns(text: str) -> int:
    """A moment that a stranger's bundle names, 0 where it names none."""
    try:
        # It is UTC, as every head was checked to say; fractions aren't shown.
        moment = datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc)
        return max(0, int(moment.timestamp()) * 10**9)
    except (ValueError, OverflowError, OSError):
        return 0
