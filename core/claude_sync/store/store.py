"""The store: what lies there, and bundles read and written.

The marker tells a store from an empty mount point: without it, or with another store's id, the
store is absent and nothing is created in it (FORMAT.md, "The marker"). A bundle is known by its
contents, never by its file's name; both its ends tell everything but the bytes, and are read again
only when the file's stamp has changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from claude_sync.bundle.file_names import SUFFIX
from claude_sync.errors import (
    BundleError,
    BundleIncomplete,
    BundleReserved,
    ClaudeSyncError,
    FileGone,
    FileUnreadable,
    Stopped,
    StoreOffline,
    TransportError,
)
from claude_sync.model import Bundle, BundleHead, SkippedFile, Stamp
from claude_sync.state.cache import Cache, ProblemRow
from claude_sync.state.database import Database
from claude_sync.store.file_names import FileNames, PlainNames, SealedNames
from claude_sync.store.marker import check_marker, proof_of
from claude_sync.store.seen_revisions import Seen, rolled_back
from claude_sync.store.skipped import (
    empty_files,
    placeholders,
    problem_files,
    with_sessions,
)
from claude_sync.store.to_read import files_to_read
from claude_sync.transports.base import (
    ChangeWatch,
    Ends,
    Entry,
    Get,
    Listing,
    Range,
    Transport,
    beneath,
    change_watch,
    is_sealing,
)
from claude_sync.values import NamedTuple

# What reads and writes bundles is imported where that is done: most looks find nothing new.
if TYPE_CHECKING:
    from claude_sync.store.delta import Request
    from claude_sync.store.download import Fetched
    from claude_sync.store.packing import Outgoing
    from claude_sync.store.upload import Sent

_LOOK = "look"
_WENT_BACK = "went-back"
_PROVED = "marker-proved"


class StoreView(NamedTuple):
    """What lies in a store.

    Attributes:
        bundles: by session id.
        skipped: files that had to be skipped, and why.
        unseen: projects' folders that couldn't be listed: what lies in them is unknown. "" means
            that it may be any of them.
    """

    bundles: Mapping[str, tuple[Bundle, ...]]
    skipped: tuple[SkippedFile, ...]
    unseen: frozenset[str] = frozenset()


class Store:
    """One store. Used by one thread, except for `interrupt`.

    Args:
        transport: what reaches it; of an encrypted one, what seals.
        cache, database: of this store; heads of bundles are kept there.
        store_id: what its marker must say.
        locked: why nothing in it can be read here though it is encrypted; None where it can, or
            it isn't.

    Attributes:
        last_listing: what `listing` or `view` saw last.
        encrypted: whether only machines that have its key can read and write there.
    """

    def __init__(
        self,
        transport: Transport,
        cache: Cache,
        database: Database,
        store_id: str,
        *,
        locked: ClaudeSyncError | None = None,
    ) -> None:
        self._transport = transport
        self._cache = cache
        self._database = database
        self.store_id = store_id
        self.locked = locked
        self.encrypted = is_sealing(transport)
        self._listing: Listing | None = None
        self.last_listing: Listing | None = None

    def remembering(self, cache: Cache, database: Database) -> Store:
        """The same store, with what is known of it kept elsewhere; as long as this one is open."""
        return Store(self._transport, cache, database, self.store_id, locked=self.locked)

    @cached_property
    def names(self) -> FileNames:
        """What files and folders are called here."""
        return SealedNames(self._transport) if self.encrypted else PlainNames()

    @property
    def label(self) -> str:
        """How to name this store to a person."""
        return self._transport.label

    @property
    def remote(self) -> bool:
        """Whether bytes cost."""
        return self._transport.remote

    @property
    def local_root(self) -> Path | None:
        """The store's folder where it is one of this machine's, None where it isn't."""
        location = self._transport.location
        return Path(location) if not self.remote and os.path.isabs(location) else None

    def watch_changes(self) -> ChangeWatch | None:
        """What waits for changes there, in another thread; None where nothing can."""
        return change_watch(self._transport)

    def interrupt(self) -> None:
        """From any thread: make the work under way end soon."""
        self._transport.interrupt()

    # -- listing ------------------------------------------------------------------------------

    def listing(self) -> Listing:
        """The bare listing: equal to an earlier one if nothing has changed there since.

        Raises:
            StoreOffline: it isn't there, isn't mounted, or is another store.
            TransportError: it can't be read.
        """
        return self._checked(self._transport.list_files(self._known_listing()))

    def _checked(self, listing: Listing) -> Listing:
        expected = self.encrypted or self.locked is not None
        transport = self._transport
        master = transport.master if is_sealing(transport) else None
        label = transport.label
        proof = proof_of(listing.marker, master)
        if proof is not None and self._cache.setting(_PROVED) == proof:
            master = None  # so most looks need no library that encrypts
        check_marker(listing, self.store_id, label, encrypted=expected, master=master)
        if self.locked is not None:
            raise self.locked
        if proof is not None and master is not None:
            with self._database.transaction():
                self._cache.put_setting(_PROVED, proof)
        self.last_listing = listing
        return listing

    @contextmanager
    def start_view(self) -> Iterator[Callable[[], StoreView]]:
        """Begin to look at the store, so that something else can be done meanwhile.

        Returns:
            waits for the view; to be called at most once, and inside.

        Raises:
            TransportError: it can't be asked.
        """
        with self._transport.start_listing(self._known_listing()) as answer:
            yield lambda: self.view(self._checked(answer()))

    def view(self, listing: Listing | None = None) -> StoreView:
        """What lies there now.

        Args:
            listing: what `listing` just gave, None to list it.

        Raises:
            StoreOffline: it isn't there, isn't mounted, or is another store.
            TransportError: it can't be read.
        """
        listing = listing or self.listing()
        bundles = self._cache.bundles()
        problems = self._cache.problems()
        entries = [entry for entry in listing.entries if entry.name.endswith(SUFFIX)]
        found = files_to_read(entries, bundles, problems)
        for name in found.changed:
            bundles.pop(name, None)  # whatever lies there now, it isn't that bundle any more
        for entry in found.forgotten:
            problems.pop(entry.name, None)
        names = {entry.name for entry in entries}
        unknown = {
            name
            for name in (*bundles, *problems)
            if name not in names and _is_unseen(name, listing.unseen)
        }
        for name in unknown:
            bundles.pop(name, None)
            problems.pop(name, None)
        gone = [name for name in (*bundles, *problems) if name not in names]
        if found.files or gone or found.waiting:
            self._read_again(found.files, gone, bundles, problems)
        self._keep_listing(listing)
        older = self._drop_older(bundles) if self.encrypted else []
        skipped = [
            *problem_files(names, bundles, problems),
            *empty_files(found.forgotten),
            *placeholders(found.waiting),
            *older,
        ]
        if self.encrypted:
            skipped = [*with_sessions(skipped, bundles.values(), self.names, self._seen.files())]
        return StoreView(_by_session(bundles), tuple(skipped), frozenset(listing.unseen))

    # -- what only an encrypted store can tell ------------------------------------------------

    @cached_property
    def _seen(self) -> Seen:
        return Seen(self._cache)

    def _drop_older(self, bundles: dict[str, Bundle]) -> list[SkippedFile]:
        """Drop the files that are older than ones that were seen before; what was dropped."""
        older = self._seen.older(bundles.values())
        if self._seen.is_new:
            with self._database.transaction():
                self._seen.keep()
        for bundle in older:
            del bundles[bundle.name]
        return [rolled_back(bundle) for bundle in older]

    def greatest_seen(self, session_id: str, machine_id: str) -> int:
        """The greatest revision that a machine's file of a session was seen to have; 0 for none."""
        return self._seen.greatest(session_id, machine_id) if self.encrypted else 0

    def accept_older(self) -> None:
        """Forget which revisions were seen: what lies there now counts."""
        with self._database.transaction():
            self._seen.forget()

    def _known_listing(self) -> Listing | None:
        if not self._transport.remote:
            return None
        if self._listing is None:
            kept = self._cache.setting(_LOOK)
            if kept:
                marker, digest = json.loads(kept)
                entries = tuple(Entry(name, stamp) for name, stamp in self._cache.entries())
                self._listing = Listing(marker.encode("latin-1"), entries, digest)
        return self._listing

    def _keep_listing(self, listing: Listing) -> None:
        if not self._transport.remote or listing is self._listing or listing.marker is None:
            return
        if listing.unseen:
            return  # the next look has to ask again
        self._listing = listing
        with self._database.transaction():
            self._cache.put_entries((entry.name, entry.stamp) for entry in listing.entries)
            kept = json.dumps([listing.marker.decode("latin-1"), listing.digest])
            self._cache.put_setting(_LOOK, kept)

    def _read_again(
        self,
        fresh: Sequence[Entry],
        gone: Sequence[str],
        bundles: dict[str, Bundle],
        problems: dict[str, ProblemRow],
    ) -> None:
        from claude_sync.bundle.codec import incomplete
        from claude_sync.bundle.head import HEAD_SIZE, TAIL_SIZE

        for name in gone:
            bundles.pop(name, None)
            problems.pop(name, None)
        read: list[Bundle] = []
        wrong: dict[str, tuple[Stamp, ClaudeSyncError]] = {}
        names = []
        listed = {entry.name: entry.stamp for entry in fresh}
        for entry in fresh:
            if entry.stamp.size:
                names.append(entry.name)
            else:
                wrong[entry.name] = (entry.stamp, incomplete())
        for ends in self._transport.ends(names, HEAD_SIZE, TAIL_SIZE):
            try:
                read.append(self._bundle(ends))
            except FileUnreadable as error:
                wrong[ends.name] = (listed[ends.name], error)
            except FileGone:
                # It was listed: it is replaced or moved just now, or its disk fails. What it holds
                # is unknown, which is another thing than nothing.
                wrong[ends.name] = (ends.stamp, _not_yet())
            except (BundleError, TransportError) as error:
                wrong[ends.name] = (ends.stamp, error)
        with self._database.transaction():
            self._note_older(read)
            self._cache.drop_files(gone)
            self._cache.put_bundles(read)
            self._cache.drop_problems(bundle.name for bundle in read)
            self._cache.put_problems(
                (name, stamp, type(why).__name__, str(why)) for name, (stamp, why) in wrong.items()
            )
            for name in wrong:
                bundles.pop(name, None)
        for bundle in read:
            bundles[bundle.name] = bundle
            problems.pop(bundle.name, None)
        if wrong:
            problems.update(self._cache.problems())

    def greatest_revisions(self) -> dict[tuple[str, str], int]:
        """Of each file that went back to a lower revision, by session and machine id: the greatest.

        Good until it is at least as far again.
        """
        try:
            rows = json.loads(self._cache.setting(_WENT_BACK) or "[]")
            return {(str(one), str(other)): int(revision) for one, other, revision in rows}
        except (ValueError, TypeError):
            return {}

    def _note_older(self, read: Sequence[Bundle]) -> None:
        """Remember which files hold a lower revision than they did when they were read before."""
        known = self.greatest_revisions()
        changed = dict(known)
        for bundle in read:
            head = bundle.head
            of = (head.session_id, head.machine_id)
            before = self._cache.bundle(bundle.name)
            if before is not None and (before.head.session_id, before.head.machine_id) == of:
                changed[of] = max(before.head.revision, changed.get(of, 0))
            if changed.get(of, 0) <= head.revision:
                changed.pop(of, None)
        if changed != known:
            rows = [[*of, revision] for of, revision in changed.items()]
            self._cache.put_setting(_WENT_BACK, json.dumps(rows))

    def _bundle(self, ends: Ends) -> Bundle:
        from claude_sync.bundle.head import read_head

        if ends.error is not None:
            raise ends.error
        head = read_head(ends.head, ends.tail, ends.size)
        if head is None:
            head = self._read_in_full(ends)
        return Bundle(ends.name, ends.stamp, head)

    def _read_in_full(self, ends: Ends) -> BundleHead:
        from claude_sync.bundle.codec import reserved
        from claude_sync.bundle.unpack import read_whole

        get = Get(ends.name, [Range(0, -1)], ends.stamp)
        for got in self._transport.read([get]):
            try:
                return read_whole(got.blocks).head
            except BundleIncomplete:
                # Its ends didn't tell: as long as its stamp is the same, it isn't all read again.
                raise reserved() from None
        raise _not_yet()

    def remembered(self, name: str) -> Bundle | None:
        """The bundle that had a name at the last look, None if there was none."""
        return self._cache.bundle(name)

    # -- reading ------------------------------------------------------------------------------

    def fetch(
        self, wanted: Sequence[Request], check: Callable[[], None]
    ) -> Iterator[Fetched | ClaudeSyncError]:
        """Fetch bundles, in their order; what went wrong with one is its answer.

        One that can't be used after all is known again by its stamp, and not fetched twice.

        Raises:
            StoreOffline, Stopped: all that is left can't be fetched.
        """
        from claude_sync.store.download import fetch

        for request, answer in zip(wanted, fetch(self._transport, wanted, check), strict=True):
            if isinstance(answer, BundleError):
                self._note_unusable(request.bundle, answer)
            yield answer

    def _note_unusable(self, bundle: Bundle, why: BundleError) -> None:
        kind = BundleReserved if isinstance(why, BundleIncomplete) else type(why)
        with self._database.transaction():
            self._cache.drop_files([bundle.name])
            self._cache.put_problems([(bundle.name, bundle.stamp, kind.__name__, str(why))])

    def fetch_one(self, wanted: Request, check: Callable[[], None]) -> Fetched:
        """Fetch one bundle.

        Raises:
            BundleError: it can't be used.
            TransportError: it can't be read.
            SessionChanging: what lies here of its session is being rewritten.
            ClaudeHomeError: it can't be written here.
        """
        # To its end: left early, a transport takes that for a reading that was given up.
        [answer] = self.fetch([wanted], check)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def encoded(self, bundle: Bundle, offset: int, length: int) -> Iterator[bytes]:
        """Bytes of a bundle in canonical form, which nothing proves.

        Args:
            bundle: the bundle.
            offset: counted from where its encoded transcript begins; the sidecar comes behind that.
            length: how many; where there are fewer, those.

        Raises:
            TransportError: they can't be read.
            BundleError: of an encrypted store, they aren't what was written.
        """
        start = bundle.head.start + offset
        for got in self._transport.read([Get(bundle.name, [Range(start, length)], bundle.stamp)]):
            yield from got.blocks

    def raw(self, name: str, check: Callable[[], None]) -> Iterator[bytes]:
        """A file's bytes, whatever they are.

        Raises:
            TransportError: it can't be read.
        """
        for got in beneath(self._transport).read([Get(name, [Range(0, -1)])]):
            for block in got.blocks:
                check()
                yield block

    def prefix_digest(self, bundle: Bundle, size: int) -> str | None:
        """SHA-256, in hex, of the first bytes of a bundle's encoded transcript.

        Args:
            bundle: the bundle.
            size: how many, encoded.

        Returns:
            None if it has fewer, or the host can't tell.
        """
        head = bundle.head
        if self.encrypted or not head.start or size > head.encoded_size:
            return None
        return self.prefix_digests([(bundle, size)])[0]

    def prefix_digests(self, asked: Sequence[tuple[Bundle, int]]) -> list[str | None]:
        """The same of many bundles, each with its size, without a round trip each."""
        if self.encrypted:
            return [None] * len(asked)
        return self._transport.digests(
            [
                Get(bundle.name, [Range(bundle.head.start, size)], bundle.stamp)
                for bundle, size in asked
            ]
        )

    def verify(self, bundles: Sequence[Bundle]) -> Iterator[tuple[Bundle, ClaudeSyncError | None]]:
        """Read bundles through; what is wrong with each, None for nothing.

        Raises:
            StoreOffline, Stopped: what is left can't be read.
        """
        from claude_sync.bundle.unpack import read_whole

        gets = (Get(bundle.name, [Range(0, -1)], bundle.stamp) for bundle in bundles)
        for got, bundle in zip(self._transport.read(gets), bundles, strict=False):
            try:
                read_whole(got.blocks)
            except (StoreOffline, Stopped):
                raise
            except (BundleError, TransportError) as error:
                yield bundle, error
            else:
                yield bundle, None

    # -- writing ------------------------------------------------------------------------------

    def send(self, outgoing: Iterable[Outgoing], check: Callable[[], None]) -> Iterator[Sent]:
        """Write sessions into their bundles; each is durable there when its answer comes.

        Raises:
            StoreOffline, Stopped: all that is left can't be written.
        """
        from claude_sync.store.upload import send

        return send(self._transport, outgoing, check)

    def remember(self, bundles: Iterable[Bundle]) -> None:
        """Keep the heads of bundles that were just written, inside the caller's transaction."""
        self._cache.put_bundles(bundles)

    def remove(self, names: Sequence[str]) -> None:
        """Remove files of this store.

        Raises:
            TransportError: one can't be removed.
        """
        self._transport.remove(names)
        with self._database.transaction():
            self._cache.drop_files(names)

    def count_as_older(self, removed: Iterable[Bundle]) -> None:
        """Note that bundles were removed for good: in an encrypted store, one that is put back is
        an older one then. Not where a copy of it still lies there."""
        if not self.encrypted:
            return
        left = {_writer_of(bundle) for bundle in self._cache.bundles().values()}
        with self._database.transaction():
            self._seen.count_as_older(one for one in removed if _writer_of(one) not in left)

    def probe(self) -> None:
        """Prove that a file can be written there, read back and removed.

        Raises:
            TransportError: it can't.
        """
        from claude_sync.store.marker import probe

        probe(self._transport)


def _writer_of(bundle: Bundle) -> tuple[str, str]:
    return bundle.head.session_id.lower(), bundle.head.machine_id


def _not_yet() -> BundleIncomplete:
    return BundleIncomplete(
        "the file changed or disappeared while it was looked at",
        todo="it is looked at again next time",
    )


def _is_unseen(name: str, unseen: Sequence[str]) -> bool:
    """Whether a file lies where the listing couldn't look."""
    return "" in unseen or name.partition("/")[0] in unseen


def _by_session(bundles: Mapping[str, Bundle]) -> dict[str, tuple[Bundle, ...]]:
    found: dict[str, list[Bundle]] = {}
    for bundle in map(_with_plain_id, bundles.values()):
        found.setdefault(bundle.head.session_id, []).append(bundle)
    return {key: tuple(value) for key, value in found.items()}


def _with_plain_id(bundle: Bundle) -> Bundle:
    """The bundle with its session's id in lower case: two that differ only by case are one."""
    session_id = bundle.head.session_id.lower()
    if session_id == bundle.head.session_id:
        return bundle
    return bundle._replace(head=bundle.head._replace(session_id=session_id))
