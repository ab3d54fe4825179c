"""An encrypted store's key: made with the store, given by a person on the next machine, changed.

Order of steps, for a new store: the master key is kept on this machine, then the marker is written.
A crash in between leaves a key that opens nothing; a crash afterwards leaves a machine that can
still make a new store key (`change_store_key`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum
from typing import NoReturn

from claude_sync.errors import (
    MarkerReplaced,
    NotSetUp,
    StoreAbsent,
    StoreKeyNeeded,
    StoreLocked,
    StoreMissing,
    TransportError,
    UsageError,
)
from claude_sync.sealed.keys import Master, new_store_key, read_store_key, typed_key, unwrap, wrap
from claude_sync.state import preferences
from claude_sync.state.keys import keep_master, key_file, load_master
from claude_sync.state.paths import Paths
from claude_sync.store.marker import (
    Marker,
    check_marker,
    create_store,
    encrypted_marker,
    find_store,
    plain_marker,
    read_marker,
    refuse_newer,
    write_marker,
)
from claude_sync.transports import open_transport
from claude_sync.transports.base import Listing, Transport
from claude_sync.transports.location import parse_location

_TRIED_FILES = 100


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """Whether a new store is to be encrypted, and the key of one that is.

    Attributes:
        encrypt: whether a store that is made becomes encrypted; one that is there must be.
        store_key: what the person typed; None to have one made, or where none was asked for yet.
        new: whether a store is made where there is none.
        plain: whether a person said that it may be one that isn't encrypted, on a machine whose
            own is.
        show: shows a store key that was made; called before anything depends on it, so that no
            error and no interruption that comes afterwards can lose it.
    """

    encrypt: bool = False
    store_key: str | None = field(default=None, repr=False)
    new: bool = True
    plain: bool = False
    show: Callable[[str], None] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ReadyStore:
    """A store that can be used.

    Attributes:
        marker: what its marker says.
        made_key: the store key that was made for it, which was shown; None where none was.
        is_new: whether it was made just now.
    """

    marker: Marker
    made_key: str | None = field(default=None, repr=False)
    is_new: bool = False


def ready_store(
    paths: Paths, transport: Transport, choice: KeyChoice, *, was_encrypted: bool = False
) -> ReadyStore:
    """Set a store up if there is none, and have its key on this machine if it is encrypted.

    Args:
        paths: where claude-sync keeps its own files.
        transport: what reaches it, nothing sealed.
        choice: what the person wants.
        was_encrypted: whether the store that this machine had until now is encrypted: then only
            who says so gets a plain one.

    Raises:
        StoreMissing: there is none, and none is to be made.
        StoreKeyNeeded: it is encrypted, and no key was given.
        StoreKeyWrong: the key that was given doesn't open it, or can't be one.
        UsageError: it is there, and plain, though an encrypted one was asked for.
        MarkerReplaced: it was encrypted, and its marker no longer says so.
        StoreLocked: its marker has a key in a form that isn't known here, or the key that lies here
            is a newer claude-sync's.
        TransportError: it can't be made, read or written.
    """
    if choice.encrypt and choice.store_key is not None:
        typed_key(choice.store_key)  # what can't be a key is refused before anything is made
    found = find_store(transport)
    if found is None and not (choice.new and (choice.encrypt or choice.store_key is None)):
        raise StoreMissing(
            "no shared folder is there yet",
            where=transport.label,
            todo="wait until it has arrived there; or, if this is the first machine, add "
            + ("--new" if choice.encrypt else "--encrypt and --new"),
        )
    if found is not None:
        _check_kind(paths, transport, found, choice)
    if was_encrypted and not (choice.encrypt or choice.plain or (found and found.encrypted)):
        raise UsageError(
            "this machine's shared folder is encrypted, and "
            + ("what is there isn't" if found else "there is none there"),
            where=transport.label,
            todo="add --encrypt, so that only your machines can read it, or --anyway",
        )
    made: list[str] = []
    created: list[str] = []

    def new_marker(store_id: str) -> bytes:
        created.append(store_id)
        if not choice.encrypt:
            return plain_marker(store_id)
        store_key = choice.store_key or _made(made, choice.show)
        master = Master.new()
        wrapped = wrap(master, read_store_key(store_key), store_id)
        keep_master(paths, store_id, master)
        return encrypted_marker(store_id, wrapped, master)

    marker = create_store(transport, new_marker)
    if not created:
        _check_kind(paths, transport, marker, choice)
        if marker.encrypted:
            _have_key(paths, transport, marker, choice)
    return ReadyStore(marker, made[0] if made else None, is_new=bool(created))


def _made(made: list[str], show: Callable[[str], None] | None) -> str:
    store_key = new_store_key()
    made.append(store_key)
    if show is not None:
        show(store_key)
    return store_key


def _check_kind(paths: Paths, transport: Transport, marker: Marker, choice: KeyChoice) -> None:
    """A store is born plain or encrypted, and stays so."""
    if marker.encrypted:
        return
    if os.path.lexists(key_file(paths, marker.store_id)):
        raise MarkerReplaced(
            "the shared folder was encrypted and its marker no longer says so: somebody replaced "
            "it, and nothing is read or written there",
            where=transport.label,
            todo="bring the file .ccsync-store back, or have `claude-sync key change` write it "
            "anew",
        )
    if choice.encrypt or choice.store_key is not None:
        raise UsageError(
            "a store that isn't encrypted is there already, and it stays so",
            where=transport.label,
            todo="choose a new folder for an encrypted one, such as one beside it",
        )


def _have_key(paths: Paths, transport: Transport, marker: Marker, choice: KeyChoice) -> None:
    if choice.store_key is None:
        try:
            master = load_master(paths, marker.store_id)
            if master is not None and marker.is_by(master):
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
    master = unwrap(marker.wrapped, typed_key(choice.store_key), marker.store_id)
    if not marker.is_by(master):
        raise MarkerReplaced(
            "the shared folder's marker isn't as one of your machines wrote it",
            where=transport.label,
            todo="have `claude-sync key change` write it anew on a machine that has the key",
        )
    keep_master(paths, marker.store_id, master)


class StoreKind(Enum):
    """What is at a location."""

    NONE = "none"
    PLAIN = "plain"
    ENCRYPTED = "encrypted"


def check_chosen(paths: Paths) -> None:
    """Look whether the store that was chosen is there, and the one that the key here belongs to.

    Raises:
        StoreLocked, MarkerReplaced: it isn't.
        TransportError: it can't be asked.
    """
    chosen = preferences.load(paths)
    if chosen.location is None or chosen.store_id is None:
        return
    master = load_master(paths, chosen.store_id)
    with closing(open_transport(chosen.location, chosen.ssh_command, paths.runtime)) as transport:
        encrypted = master is not None or chosen.encrypted
        listing = transport.list_files()
        check_marker(listing, chosen.store_id, transport.label, encrypted=encrypted, master=master)


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


def change_store_key(
    paths: Paths, store_key: str | None = None, show: Callable[[str], None] | None = None
) -> str | None:
    """Give the store that was chosen a new store key; other machines needn't do anything.

    A marker that is gone, damaged or replaced is written anew, where files that lie there prove
    that the key on this machine is that store's.

    Args:
        paths: where claude-sync keeps its own files.
        store_key: the new one; None to have one made.
        show: shows the one that was made, before it counts.

    Returns:
        the one that was made; None where none was.

    Raises:
        NotSetUp: no store is chosen.
        UsageError: it isn't encrypted.
        StoreKeyWrong: that can't be a key.
        StoreLocked, MarkerReplaced: this machine doesn't have its key.
        StoreTooNew: a newer claude-sync wrote its marker.
        StoreAbsent: it isn't there, or another is.
        TransportError: its marker can't be read or written.
    """
    chosen = preferences.load(paths)
    preferences.check_read(paths, chosen)
    if chosen.location is None or chosen.store_id is None:
        raise NotSetUp(
            "no shared folder is chosen yet", todo="choose one with `claude-sync init LOCATION`"
        )
    master = load_master(paths, chosen.store_id)
    if master is None:
        _without_key(paths, chosen.store_id, encrypted=chosen.encrypted)
    made: list[str] = []
    if store_key is not None:
        store_key = read_store_key(store_key)
    with closing(open_transport(chosen.location, chosen.ssh_command, paths.runtime)) as transport:
        _check_own(transport, chosen.store_id, master)
        store_key = store_key or read_store_key(_made(made, show))
        wrapped = wrap(master, store_key, chosen.store_id)
        write_marker(transport, encrypted_marker(chosen.store_id, wrapped, master))
    return made[0] if made else None


def _without_key(paths: Paths, store_id: str, *, encrypted: bool) -> NoReturn:
    if not encrypted:
        raise UsageError(
            "the shared folder isn't encrypted, so it has no key",
            todo="begin an encrypted one elsewhere with `claude-sync init LOCATION --encrypt`",
        )
    raise StoreLocked(
        "this machine doesn't have the shared folder's key",
        where=str(key_file(paths, store_id)),
        todo="change it on a machine that has it",
    )


def _check_own(transport: Transport, store_id: str, master: Master) -> None:
    """Check that a master key is that of the store there, whatever became of its marker."""
    listing = transport.list_files()
    refuse_newer(listing.marker, transport.label)
    found = read_marker(listing.marker)
    if found is not None and found.store_id != store_id:
        raise StoreAbsent(
            "another store is where the shared folder should be",
            where=transport.label,
            todo="check that the right disk is mounted; to use that store, run `claude-sync init` "
            "with it",
        )
    if found is not None and found.encrypted and found.is_by(master):
        return
    if not _opens_something(transport, listing, master):
        raise MarkerReplaced(
            "the shared folder's marker isn't the one that belongs to the key on this machine, and "
            "no file there proves that the key is right",
            where=transport.label,
            todo="check that its disk is mounted, and change the key on another machine; or begin "
            "a new shared folder elsewhere",
        )


def _opens_something(transport: Transport, listing: Listing, master: Master) -> bool:
    from claude_sync.transports.sealed.transport import SealedTransport

    named = [entry.name for entry in listing.entries if "/" in entry.name and not entry.placeholder]
    ends = SealedTransport(transport, master).ends(named[:_TRIED_FILES], 1, 1)
    return any(end.error is None for end in ends)
