"""An encrypted store's key: made with the store, given by a person on the next machine, changed.

Order of steps, for a new store: the master key is kept on this machine, then the marker is written.
A crash in between leaves a key that opens nothing; a crash afterwards leaves a machine that can
still make a new store key (`change_store_key`).
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum

from claude_sync.errors import (
    NotSetUp,
    StoreKeyNeeded,
    StoreLocked,
    TransportError,
    UsageError,
)
from claude_sync.sealed.keys import (
    Master,
    Wrapped,
    new_store_key,
    read_store_key,
    unwrap,
    wrap,
)
from claude_sync.state import preferences
from claude_sync.state.keys import keep_master, key_file, load_master
from claude_sync.state.paths import Paths
from claude_sync.store.marker import Marker, check_marker, create_store, read_marker, write_marker
from claude_sync.transports import open_transport
from claude_sync.transports.base import Transport
from claude_sync.transports.location import parse_location


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """Whether a new store is to be encrypted, and the key of one that is.

    Attributes:
        encrypt: whether a store that is made becomes encrypted; one that is there must be.
        store_key: what the person typed; None to have one made, or where none was asked for yet.
    """

    encrypt: bool = False
    store_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReadyStore:
    """A store that can be used.

    Attributes:
        marker: what its marker says.
        made_key: the store key that was made for it, to be shown once; None where none was.
    """

    marker: Marker
    made_key: str | None = field(default=None, repr=False)


def ready_store(paths: Paths, transport: Transport, choice: KeyChoice) -> ReadyStore:
    """Set a store up if there is none, and have its key on this machine if it is encrypted.

    Args:
        paths: where claude-sync keeps its own files.
        transport: what reaches it, nothing sealed.
        choice: what the person wants.

    Raises:
        StoreKeyNeeded: it is encrypted, and no key was given.
        StoreKeyWrong: the key that was given doesn't open it, or can't be one.
        UsageError: it is there, and plain, though an encrypted one was asked for.
        MarkerReplaced: it was encrypted, and its marker no longer says so.
        StoreLocked: its marker has a key in a form that isn't known here.
        TransportError: it can't be made, read or written.
    """
    made: list[str] = []

    def new_key(store_id: str) -> Wrapped:
        store_key = choice.store_key
        if store_key is None:
            store_key = new_store_key()
            made.append(store_key)
        master = Master.new()
        wrapped = wrap(master, read_store_key(store_key), store_id)
        keep_master(paths, store_id, master)
        return wrapped

    if choice.encrypt and choice.store_key is not None:
        read_store_key(choice.store_key)  # what can't be a key is refused before anything is made
    marker = create_store(transport, new_key if choice.encrypt else None)
    if made:
        return ReadyStore(marker, made[0])
    _check_kind(paths, transport, marker, choice)
    if marker.encrypted:
        _have_key(paths, transport, marker, choice)
    return ReadyStore(marker)


def _check_kind(paths: Paths, transport: Transport, marker: Marker, choice: KeyChoice) -> None:
    """A store is born plain or encrypted, and stays so."""
    if marker.encrypted:
        return
    if os.path.lexists(key_file(paths, marker.store_id)):
        check_marker(transport.list_files(), marker.store_id, transport.label, encrypted=True)
    if choice.encrypt or choice.store_key is not None:
        raise UsageError(
            "a store that isn't encrypted is there already, and it stays so",
            where=transport.label,
            todo="choose a new folder for an encrypted one, such as one beside it",
        )


def _have_key(paths: Paths, transport: Transport, marker: Marker, choice: KeyChoice) -> None:
    if choice.store_key is None:
        try:
            if load_master(paths, marker.store_id) is not None:
                return
        except StoreLocked:
            pass  # what lies here of it is damaged: the person has it
        raise StoreKeyNeeded(
            "the shared folder is encrypted",
            where=transport.label,
            todo="give its key on a terminal, or with --key-file or --key-command",
        )
    if marker.wrapped is None:
        raise StoreLocked(
            "the shared folder's marker has a key in a form that this claude-sync doesn't use",
            where=transport.label,
            todo="update claude-sync, or bring the file .ccsync-store back",
        )
    master = unwrap(marker.wrapped, read_store_key(choice.store_key), marker.store_id)
    keep_master(paths, marker.store_id, master)


class StoreKind(Enum):
    """What is at a location."""

    NONE = "none"
    PLAIN = "plain"
    ENCRYPTED = "encrypted"


def kind_of_store(paths: Paths, location: str) -> StoreKind:
    """Which kind of store is at a location already; none where it isn't there, or can't be asked.

    Raises:
        UsageError: the location can't be read.
    """
    chosen = preferences.load(paths)
    spelled = parse_location(location).spelling
    with closing(open_transport(spelled, chosen.ssh_command, paths.runtime)) as transport:
        try:
            marker = read_marker(transport.list_files().marker)
        except TransportError:
            marker = None
    if marker is None:
        return StoreKind.NONE
    return StoreKind.ENCRYPTED if marker.encrypted else StoreKind.PLAIN


def change_store_key(paths: Paths, store_key: str | None = None) -> str | None:
    """Give the store that was chosen a new store key; other machines needn't do anything.

    Args:
        paths: where claude-sync keeps its own files.
        store_key: the new one; None to have one made.

    Returns:
        the one that was made, to be shown once; None where none was.

    Raises:
        NotSetUp: no store is chosen.
        UsageError: it isn't encrypted.
        StoreKeyWrong: that can't be a key.
        StoreLocked, MarkerReplaced: this machine doesn't have its key, or its marker was replaced.
        TransportError: its marker can't be read or written.
    """
    chosen = preferences.load(paths)
    preferences.check_read(paths, chosen)
    if chosen.location is None or chosen.store_id is None:
        raise NotSetUp(
            "no shared folder is chosen yet", todo="choose one with `claude-sync init LOCATION`"
        )
    master = load_master(paths, chosen.store_id)
    if master is None and not chosen.encrypted:
        raise UsageError(
            "the shared folder isn't encrypted, so it has no key",
            todo="begin an encrypted one elsewhere with `claude-sync init LOCATION --encrypt`",
        )
    made = new_store_key() if store_key is None else None
    spelled = read_store_key(store_key if made is None and store_key else made or "")
    with closing(open_transport(chosen.location, chosen.ssh_command, paths.runtime)) as transport:
        listing = transport.list_files()
        check_marker(listing, chosen.store_id, transport.label, encrypted=master is not None)
        if master is None:
            raise StoreLocked(
                "this machine doesn't have the shared folder's key",
                where=transport.label,
                todo="change it on a machine that has it",
            )
        write_marker(
            transport, Marker(chosen.store_id, True, wrap(master, spelled, chosen.store_id))
        )
    return made
