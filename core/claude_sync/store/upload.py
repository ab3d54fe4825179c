"""Sessions on their way into a store: packed as they are written, in one pass.

Where bytes cost, only those are sent that don't stand in the older file, and the host proves that
the outcome is what was meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from claude_sync.bundle.pack import sidecar_section
from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Bundle, Stamp
from claude_sync.store.packing import Outgoing, Packing
from claude_sync.transports.base import Entry, Predecessor, Put, Transport, Written
from claude_sync.values import NamedTuple


class Sent(NamedTuple):
    """What became of a session that was to be written.

    Attributes:
        outgoing: the session.
        bundle: what lies in the store now, None where it failed.
        layout: where its sidecar files stand, and what they are.
        sent: bytes that went through the transport.
        error: why it failed, None where it didn't.
        read: stamp of the transcript when it was read to its end and that was the end of a line,
            None where it wasn't.
    """

    outgoing: Outgoing
    bundle: Bundle | None
    layout: str
    sent: int
    error: ClaudeSyncError | None = None
    read: Stamp | None = None


def send(
    transport: Transport, sessions: Iterable[Outgoing], check: Callable[[], None]
) -> Iterator[Sent]:
    """Write sessions into their bundles; each is durable in the store when its answer comes.

    Raises:
        StoreOffline, Stopped: all that is left can't be written.
    """
    under_way: dict[str, Packing] = {}

    def puts() -> Iterator[Put]:
        for outgoing in sessions:
            packing = Packing(outgoing, check)
            under_way[outgoing.name] = packing
            base = outgoing.base
            entry = Entry(base.name, base.stamp) if base is not None else None
            yield Put(
                outgoing.name,
                packing.blocks,
                base=entry,
                prepared=packing.prepared(),
                predecessor=Predecessor(outgoing.replaces),
                growth=packing.growth if base is not None else None,
            )

    for written in transport.write(puts()):
        yield _sent(under_way.pop(written.name), written)


def _sent(packing: Packing, written: Written) -> Sent:
    outgoing, packed = packing.outgoing, packing.packed
    if written.error is not None or written.stamp is None or packed is None:
        error = written.error
        assert isinstance(error, ClaudeSyncError)
        return Sent(outgoing, None, layout="", sent=written.sent, error=error)
    stamps = dict(outgoing.local.sidecar)
    layout = {}
    for file in packed.sidecar:
        start, size = packed.layout[sidecar_section(file.path)]
        layout[file.path] = [start, size, file.size, file.sha256, *stamps[file.path]]
    bundle = Bundle(outgoing.name, written.stamp, packed.head)
    return Sent(outgoing, bundle, json.dumps(layout), written.sent, read=packing.read)
