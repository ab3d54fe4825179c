"""The marker that tells a store from an empty mount point, and setting a store up.

See FORMAT.md, "The marker".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
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
    StoreTooNew,
)
from claude_sync.transports.base import MARKER_NAME, Block, Get, Listing, Put, Range, Transport
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_sync.sealed.keys import Master, Wrapped

    Create = Callable[[str], bytes]
    """Makes the marker of a new store of that id."""

_PLAIN, _ENCRYPTED = 1, 2
"""A claude-sync that knows only plain stores must not take an encrypted one's marker for one."""
_SEALED_NAME = r"[a-z2-7]{26}(/.*\.ccsync)?"


class Marker(NamedTuple):
    """What a marker says.

    Attributes:
        store_id: the store's id.
        encrypted: whether the store is encrypted.
        wrapped: its wrapped master key; None where it isn't, or is in a form that isn't known.
        signed: what `mac` proves: the marker's other members.
        mac: of an encrypted one's: proves that a machine with the master key wrote it.
    """

    store_id: str
    encrypted: bool = False
    wrapped: Wrapped | None = None
    signed: bytes = b""
    mac: bytes = b""

    def is_by(self, master: Master) -> bool:
        """Whether a machine with this master key wrote it as it is."""
        return hmac.compare_digest(self.mac, master.marker_mac(self.signed))


def check_marker(
    listing: Listing,
    store_id: str,
    label: str,
    *,
    encrypted: bool = False,
    master: Master | None = None,
) -> None:
    """Whether a listing is that of the store it should be.

    Args:
        listing: the listing.
        store_id: the store's id.
        label: how to name it to a person.
        encrypted: whether it is known to be encrypted: then it never becomes plain.
        master: its key, None where there is none here.

    Raises:
        MarkerReplaced: it was encrypted and no longer says so, or isn't as a machine with the key
            wrote it.
        StoreLocked: it is encrypted, and there is no key here.
        StoreTooNew: a newer claude-sync made it.
        StoreAbsent: it isn't that store.
    """
    refuse_newer(listing.marker, label)
    found = read_marker(listing.marker)
    if found is None:
        raise StoreAbsent(
            "the shared folder is there, but without its marker file",
            where=label,
            todo="check that its disk is mounted; "
            + (
                "if the file .ccsync-store was lost, `claude-sync key change` writes it anew"
                if encrypted
                else "to start afresh there, run `claude-sync init` with it"
            ),
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
            todo="bring the file .ccsync-store back, or have `claude-sync key change` write it "
            "anew",
        )
    if found.encrypted and not encrypted:
        raise StoreLocked(
            "the shared folder is encrypted, and this machine doesn't have its key",
            where=label,
            todo="run `claude-sync init` with it and --encrypt, and give its key",
        )
    if master is not None and not found.is_by(master):
        raise MarkerReplaced(
            "the shared folder's marker and the key on this machine don't belong together, and "
            "nothing is read or written there",
            where=label,
            todo="if other machines go on, run `claude-sync init` with it and --encrypt, and give "
            "its key; if they say so too, `claude-sync key change` writes the marker anew",
        )


def refuse_newer(marker: bytes | None, label: str) -> None:
    """Leave a store alone whose marker says more than is known here.

    Args:
        marker: the marker's bytes.
        label: how to name the store to a person.

    Raises:
        StoreTooNew: it does.
    """
    try:
        schema = json.loads(marker or b"")["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    if type(schema) is int and schema > _ENCRYPTED:
        raise StoreTooNew(
            "a newer claude-sync made the shared folder's marker",
            where=label,
            todo="upgrade claude-sync on this machine",
        )


def proof_of(marker: bytes | None, master: Master | None) -> str | None:
    """What is remembered once a marker was proved to belong to a key; None without both."""
    if marker is None or master is None:
        return None
    return hashlib.sha256(master.key + marker).hexdigest()


def read_marker(marker: bytes | None) -> Marker | None:
    """What a marker says, None if it is no marker."""
    try:
        document = json.loads(marker or b"")
        schema, store_id = document["schema"], document["store_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if type(schema) is not int or not isinstance(store_id, str):
        return None
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", store_id):
        return None
    if schema == _PLAIN and "encrypted" not in document:
        return Marker(store_id)
    if schema != _ENCRYPTED or "encrypted" not in document:
        return None
    from claude_sync.sealed.keys import read_wrapped

    wrapped, mac = read_wrapped(document["encrypted"]), document.pop("mac", None)
    try:
        proof = base64.b64decode(mac, validate=True) if isinstance(mac, str) else b""
    except ValueError:
        proof = b""
    return Marker(store_id, True, wrapped, _signed(document), proof)


def plain_marker(store_id: str) -> bytes:
    """The marker of a plain store."""
    return json.dumps({"schema": _PLAIN, "store_id": store_id}, separators=(",", ":")).encode()


def encrypted_marker(store_id: str, wrapped: Wrapped, master: Master) -> bytes:
    """The marker of an encrypted store.

    Args:
        store_id: the store's id.
        wrapped: its wrapped master key.
        master: the same, to prove that who has it wrote the marker.
    """
    document: dict[str, Any] = {
        "schema": _ENCRYPTED,
        "store_id": store_id,
        "encrypted": wrapped.document(),
    }
    mac = base64.b64encode(master.marker_mac(_signed(document))).decode()
    return json.dumps({**document, "mac": mac}, separators=(",", ":")).encode()


def _signed(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def holds_sealed_files(listing: Listing) -> bool:
    """Whether files lie there that are called as an encrypted store's are."""
    names = [*(entry.name for entry in listing.entries), *listing.unseen]
    return any(re.fullmatch(_SEALED_NAME, name, re.DOTALL) for name in names)


def find_store(transport: Transport) -> Marker | None:
    """What the marker says that lies there, None where there is no store and one may be made.

    Args:
        transport: what reaches the place, nothing sealed.

    Raises:
        MarkerReplaced: what lies there is an encrypted store's, and the marker says otherwise.
        StoreAbsent: the same, and there is no marker.
        StoreTooNew: a newer claude-sync made it.
        StoreOffline: there is a marker that can't be read, or an empty one.
        TransportError: the place can't be made or read.
    """
    transport.create()
    listing = transport.list_files()
    refuse_newer(listing.marker, transport.label)
    marker = read_marker(listing.marker)
    if marker is None and listing.marker is not None:
        what = "can't be read" if listing.marker.strip(b"\0 \r\n\t") else "is empty"
        raise StoreOffline(
            f"the shared folder's marker file {what}",
            where=transport.label,
            todo="wait if it is still arriving; if no machine has a whole one, remove the file "
            ".ccsync-store there",
        )
    if (marker is None or not marker.encrypted) and holds_sealed_files(listing):
        if marker is not None:
            raise MarkerReplaced(
                "files of an encrypted shared folder lie there, and its marker says that it isn't "
                "encrypted: somebody may have replaced it",
                where=transport.label,
                todo="on a machine that has its key, `claude-sync key change` writes it anew; or "
                "choose another folder",
            )
        raise StoreAbsent(
            "files of an encrypted shared folder lie there, without its marker file",
            where=transport.label,
            todo="wait if that is still arriving; else `claude-sync key change` writes it anew on "
            "a machine that has the key",
        )
    return marker


def create_store(transport: Transport, create: Create = plain_marker) -> Marker:
    """Set a store up, if there isn't one already, and prove that it can be used.

    Args:
        transport: what reaches it, nothing sealed.
        create: makes the marker of a new store of that id. A store that there is already stays
            what it is.

    Returns:
        what its marker says.

    Raises:
        TransportError: it can't be made, read or written, or what lies there forbids it
            (`find_store`).
    """
    marker = find_store(transport)
    if marker is None:
        import uuid

        written = create(str(uuid.uuid4()))
        write_marker(transport, written)
        marker = read_marker(written)
        assert marker is not None
    probe(transport)
    return marker


def write_marker(transport: Transport, marker: bytes) -> None:
    """Write a store's marker.

    Raises:
        TransportError: it can't be written.
    """
    _write(transport, MARKER_NAME, marker)


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
