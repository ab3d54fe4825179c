"""The marker that tells a store from an empty mount point, and setting a store up.

See FORMAT.md, "The marker".
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from claude_sync.disk.files import probe_name
from claude_sync.errors import (
    BundleCorrupt,
    MarkerReplaced,
    StoreAbsent,
    StoreLocked,
    StoreOffline,
)
from claude_sync.transports.base import MARKER_NAME, Block, Get, Listing, Put, Range, Transport
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_sync.sealed.keys import Wrapped

    NewKey = Callable[[str], Wrapped]
    """Wraps a new master key for the store of that id."""


class Marker(NamedTuple):
    """What a marker says.

    Attributes:
        store_id: the store's id.
        encrypted: whether the store is encrypted.
        wrapped: its wrapped master key; None where it isn't, or is in a form that isn't known.
    """

    store_id: str
    encrypted: bool = False
    wrapped: Wrapped | None = None


def check_marker(listing: Listing, store_id: str, label: str, *, encrypted: bool = False) -> None:
    """Whether a listing is that of the store it should be.

    Args:
        listing: the listing.
        store_id: the store's id.
        label: how to name it to a person.
        encrypted: whether it is known to be encrypted: then it never becomes plain.

    Raises:
        MarkerReplaced: it was encrypted and no longer says so.
        StoreLocked: it is encrypted, and there is no key here.
        StoreAbsent: it isn't that store.
    """
    found = read_marker(listing.marker)
    if found is None:
        raise StoreAbsent(
            "the shared folder is there, but without its marker file",
            where=label,
            todo="check that its disk is mounted; to start afresh there, run `claude-sync init` "
            "with it",
        )
    if found.store_id != store_id:
        raise StoreAbsent(
            "another store is where the shared folder should be",
            where=label,
            todo="check that the right disk is mounted; to use that store, run `claude-sync init` "
            "with it",
        )
    if encrypted and not found.encrypted:
        raise MarkerReplaced(
            "the shared folder was encrypted and its marker no longer says so: somebody replaced "
            "it, and nothing is read or written there",
            where=label,
            todo="bring the file .ccsync-store back, or begin a new store elsewhere",
        )
    if found.encrypted and not encrypted:
        raise StoreLocked(
            "the shared folder is encrypted, and this machine doesn't have its key",
            where=label,
            todo="run `claude-sync init` with it and give its key",
        )


def read_marker(marker: bytes | None) -> Marker | None:
    """What a marker says, None if it is no marker."""
    try:
        document = json.loads(marker or b"")
        store_id, encrypted = document["store_id"], document.get("encrypted")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if document.get("schema") != 1 or not isinstance(store_id, str):
        return None
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", store_id):
        return None
    if encrypted is None:
        return Marker(store_id)
    from claude_sync.sealed.keys import read_wrapped

    return Marker(store_id, True, read_wrapped(encrypted))


def create_store(transport: Transport, new_key: NewKey | None = None) -> Marker:
    """Set a store up, if there isn't one already, and prove that it can be used.

    Args:
        transport: what reaches it, nothing sealed.
        new_key: wraps a master key for a new store of that id, which makes it encrypted; None for
            a plain one. A store that there is already stays what it is.

    Returns:
        what its marker says.

    Raises:
        TransportError: it can't be made, read or written.
    """
    transport.create()
    listing = transport.list_files()
    marker = read_marker(listing.marker)
    if marker is None:
        if listing.marker is not None and listing.marker.strip():
            raise StoreOffline(
                "the shared folder's marker file can't be read",
                where=transport.label,
                todo="a newer claude-sync may have made it, or it is still arriving",
            )
        import uuid

        store_id = str(uuid.uuid4())
        marker = Marker(store_id)
        if new_key is not None:
            marker = Marker(store_id, True, new_key(store_id))
        write_marker(transport, marker)
    probe(transport)
    return marker


def write_marker(transport: Transport, marker: Marker) -> None:
    """Write a store's marker.

    Raises:
        TransportError: it can't be written.
    """
    document: dict[str, Any] = {"schema": 1, "store_id": marker.store_id}
    if marker.wrapped is not None:
        document["encrypted"] = marker.wrapped.document()
    _write(transport, MARKER_NAME, json.dumps(document, separators=(",", ":")).encode())


def probe(transport: Transport) -> None:
    """Prove that a file can be written, read back and removed.

    Raises:
        TransportError: it can't.
        BundleCorrupt: it comes back as something else.
    """
    name = probe_name()
    data = os.urandom(64)
    _write(transport, name, data)
    try:
        for got in transport.read([Get(name, [Range(0, -1)])]):
            if b"".join(got.blocks) != data:
                raise BundleCorrupt(
                    "what was written to the shared folder doesn't come back the same",
                    where=transport.label,
                    todo="check that disk",
                )
    finally:
        transport.remove([name])


def _write(transport: Transport, name: str, data: bytes) -> None:
    for written in transport.write([Put(name, lambda: iter([Block(data)]))]):
        if written.error is not None:
            raise written.error
