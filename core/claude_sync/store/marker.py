"""The marker that tells a store from an empty mount point, and setting a store up.

See FORMAT.md, "The marker".
"""

from __future__ import annotations

import json
import os
import re

from claude_sync.disk.files import probe_name
from claude_sync.errors import BundleCorrupt, StoreAbsent, StoreOffline
from claude_sync.transports.base import MARKER_NAME, Block, Get, Listing, Put, Range, Transport


def check_marker(listing: Listing, store_id: str, label: str) -> None:
    """Whether a listing is that of the store it should be.

    Raises:
        StoreAbsent: it isn't.
    """
    found = read_marker(listing.marker)
    if found == store_id:
        return
    if found is None:
        raise StoreAbsent(
            "the shared folder is there, but without its marker file",
            where=label,
            todo="check that its disk is mounted; to start afresh there, run `claude-sync init` "
            "with it",
        )
    raise StoreAbsent(
        "another store is where the shared folder should be",
        where=label,
        todo="check that the right disk is mounted; to use that store, run `claude-sync init` "
        "with it",
    )


def read_marker(marker: bytes | None) -> str | None:
    """The store id in a marker, None if it is no marker."""
    try:
        document = json.loads(marker or b"")
        store_id = document["store_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if document.get("schema") != 1 or not isinstance(store_id, str):
        return None
    return (
        store_id if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", store_id) else None
    )


def create_store(transport: Transport) -> str:
    """Set a store up, if there isn't one already, and prove that it can be used.

    Returns:
        its id.

    Raises:
        TransportError: it can't be made, read or written.
    """
    transport.create()
    listing = transport.list_files()
    store_id = read_marker(listing.marker)
    if store_id is None:
        if listing.marker is not None and listing.marker.strip():
            raise StoreOffline(
                "the shared folder's marker file can't be read",
                where=transport.label,
                todo="a newer claude-sync may have made it, or it is still arriving",
            )
        import uuid

        store_id = str(uuid.uuid4())
        marker = json.dumps({"schema": 1, "store_id": store_id}, separators=(",", ":")).encode()
        _write(transport, MARKER_NAME, marker)
    probe(transport)
    return store_id


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
