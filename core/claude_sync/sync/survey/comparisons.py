"""How a session's versions diverge: remembered from before, else read from their bytes.

What is known of two versions never changes, so it is kept for good; so it must be sure that the
bytes that were read are those of these versions, though the client may be writing to one. What
costs least is tried first: a hash of the longer one's beginning; where bytes cost, a hash that the
store's host makes; only then both transcripts whole.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from claude_sync.bundle import codec
from claude_sync.claude.compare import Divergence, Extent, compare, line_start
from claude_sync.claude.turn_counts import count_missing_turns
from claude_sync.disk.prefix_hashes import begins_with, prefix_hashes
from claude_sync.disk.snapshot import Snapshot, stamp_of, translating_read_errors
from claude_sync.errors import BundleError, SessionChanging, SessionVanished
from claude_sync.model import Bundle, LocalSession, Version
from claude_sync.state.records import Records
from claude_sync.sync.context import Context
from claude_sync.sync.planner import MAX_RIVALS, Ask

# Most comparisons are remembered; what fetches and reads bundles is imported where one isn't.
if TYPE_CHECKING:
    from claude_sync.store.delta import LocalBase, Request
    from claude_sync.store.download import Fetched

Plan = TypeVar("Plan")


class Comparisons:
    """How the versions of one session diverge.

    Args:
        context: what to work with.
        local: the session here, None where it isn't.
        version: what its transcript counts as.
        bundles: its bundles that can be read where bytes are needed.
        base: what lies here, where a bundle that extends it is going to be fetched anyway, else
            None. Then it is fetched at once, which tells as much as asking for a hash first.

    Use as a context manager: what was fetched to be read is dropped at the end, except what was
    released. Every method may raise RecordsError; what reads raises as `learn` does.
    """

    def __init__(
        self,
        context: Context,
        local: LocalSession | None,
        version: Version | None,
        bundles: tuple[Bundle, ...],
        *,
        base: LocalBase | None = None,
    ) -> None:
        self._context = context
        self._base = base
        self._local = local
        self._version = version
        self._bundles = {bundle.head.version: bundle for bundle in bundles}
        self._fetched: dict[Version, Fetched] = {}

    def __enter__(self) -> Comparisons:
        return self

    def __exit__(self, *_: object) -> None:
        for fetched in self._fetched.values():
            fetched.discard()

    def known(self, x: Version, y: Version) -> Divergence | None:
        """How two versions diverge, None where that must be read first."""
        known = self._context.records.relation(x, y)
        if known is not None:
            return Divergence(**known)
        known = self._context.records.relation(y, x)
        return Divergence(**known).turned() if known is not None else None

    def settle(self, plan: Callable[[], Plan | Ask]) -> Plan:
        """Plan, reading what the plan asks for, until there is one.

        Raises:
            BundleError, TransportError: a version can't be read.
            SessionVanished: one is no longer there.
            SessionChanging: the transcript here was rewritten meanwhile.
        """
        while isinstance(planned := plan(), Ask):
            self.learn(planned.x, planned.y)
        return planned

    def learn(self, x: Version, y: Version) -> Divergence:
        """Find out, and remember, how two versions diverge.

        Raises:
            BundleError, TransportError: a version can't be read.
            SessionVanished: one is no longer there.
            SessionChanging: the transcript here was rewritten meanwhile.
        """
        known = self.known(x, y)
        if known is None:
            known = self._read(x, y, lambda: self._by_hash(x, y) or self._by_bytes(x, y))
        return known

    def with_lines(self, x: Version, y: Version) -> Divergence:
        """The same with lines counted, whatever is known already."""
        known = self.known(x, y)
        if known is None or (known.x_lines < 0 or known.y_lines < 0):
            known = self._read(x, y, lambda: self._by_bytes(x, y))
        return known

    def lacks(self, version: Version) -> bool:
        """Whether the transcript here lacks something that is said in a version it once was.

        Where that version can't be had any more, whatever isn't in the transcript counts as said.

        Raises:
            as `learn`
        """
        local, mine = self._here()
        if version == mine or self._ends_unfinished(version):
            return False
        known = self.known(mine, version)
        if known is None:
            with translating_read_errors(local.session_id):
                extends = version.size <= mine.size and begins_with(
                    local.path, version, self._context.check
                )
            if extends:
                known = self._read(mine, version, lambda: _extension_of(version))
            elif (there := self.find(version)) is not None:
                here = Extent(local.path, mine.size)
                known = self._read(mine, version, lambda: compare(here, there, self._context.check))
        return known is None or (known.answered and not known.extends)

    def _ends_unfinished(self, version: Version) -> bool:
        """Whether a version is the transcript here with the line that an open session is cut by."""
        local, mine = self._here()
        if not mine.size < version.size <= local.stamp.size:
            return False
        with translating_read_errors(local.session_id):
            return begins_with(local.path, version, self._context.check)

    def _here(self) -> tuple[LocalSession, Version]:
        assert self._local is not None
        assert self._version is not None
        return self._local, self._version

    def missing_turns(self, version: Version) -> int | None:
        """How many turns of a version the transcript here lacks; None where it can't be had.

        Raises:
            as `learn`
        """
        there = self.find(version)
        if there is None:
            return None
        local, mine = self._here()
        here, common = Extent(local.path, mine.size), self.learn(mine, version).common
        with translating_read_errors(local.session_id):
            start = line_start(there, common)
            return count_missing_turns(here, there, start, self._context.check)

    def beginnings(self, longest: Version, shorter: Sequence[Version]) -> frozenset[Version]:
        """Which of several versions another one begins with: read at most once, and remembered.

        Raises:
            as `learn`
        """
        records = self._context.records
        known = records.extended_by(longest)
        if all(version.sha256 in known for version in shorter):
            return frozenset(shorter)
        local = self._local
        with translating_read_errors(local.session_id if local is not None else ""):
            path = self.extent(longest).path
            hashes = prefix_hashes(path, [one.size for one in shorter], self._context.check)
            if local is not None and longest == self._version:
                self._check_still(local, longest)
        held = frozenset(one for one in shorter if hashes.get(one.size) == one.sha256)
        with self._context.database.transaction():
            for version in held:
                remember_extension(records, longest, version)
        return held

    def find(self, version: Version) -> Extent | None:
        """Where a version can be read that isn't the one here: in a bundle, or in the vault.

        Raises:
            BundleError: its bundle can't be read.
            TransportError: the store went away.
        """
        if version in self._bundles:
            return self.extent(version)
        if self._local is not None:
            for kept in self._context.vault.entries(self._local.session_id):
                with suppress(OSError):
                    if begins_with(kept.transcript, version, self._context.check):
                        return Extent(kept.transcript, version.size)
        longer = [one for one in self._bundles if one.size > version.size and one != self._version]
        for one in longer[:MAX_RIVALS]:
            with suppress(BundleError):  # what can't be read holds nothing for anybody
                path = self.extent(one).path
                if begins_with(path, version, self._context.check):
                    return Extent(path, version.size)
        return None

    def release(self, bundle: Bundle) -> Fetched | None:
        """A bundle that was fetched to be read, now the caller's to install or to discard.

        None where another one was read for the same transcript: it may have other sidecar files.
        """
        fetched = self._fetched.get(bundle.head.version)
        if fetched is None or fetched.head.sidecar_sha256 != bundle.head.sidecar_sha256:
            return None
        return self._fetched.pop(bundle.head.version)

    def extent(self, version: Version) -> Extent:
        """Where a version's bytes can be read."""
        if self._local is not None and version == self._version:
            return Extent(self._local.path, version.size)
        if version not in self._fetched:
            bundle = self._bundles.get(version)
            if bundle is None:
                raise SessionVanished(
                    "a version of this session is gone",
                    todo="look again",
                    passing=True,
                )
            self._fetched[version] = self._context.store.fetch_one(
                self._request(bundle), self._context.check
            )
        return Extent(self._fetched[version].transcript.path, version.size)

    def _request(self, bundle: Bundle) -> Request:
        mtime_ns = self._context.home.mtime_to_restore(bundle.head.mtime_ns)
        staging = self._context.staging
        from claude_sync.store.delta import Request

        return Request(bundle, staging, mtime_ns, self._base)

    def _read(self, x: Version, y: Version, read: Callable[[], Divergence]) -> Divergence:
        """Read how two versions diverge, and remember it once it is sure to be of these two."""
        local = self._local
        with translating_read_errors(local.session_id if local is not None else ""):
            divergence = read()
            if local is not None and self._version is not None and self._version in (x, y):
                self._check_still(local, self._version)
        self._remember(x, y, divergence)
        return divergence

    def _check_still(self, local: LocalSession, version: Version) -> None:
        """Whether the transcript here still begins with the version it counts as."""
        if stamp_of(os.lstat(local.path)) == local.stamp:
            return
        if not begins_with(local.path, version):
            raise SessionChanging(
                "the session was rewritten while it was compared",
                where=local.session_id,
                todo="it is tried again next time",
            )

    def _remember(self, x: Version, y: Version, divergence: Divergence) -> None:
        records = self._context.records
        if divergence.extended:
            records.put_relation(y, x, divergence.turned()._asdict())
        else:
            records.put_relation(x, y, divergence._asdict())

    def _by_hash(self, x: Version, y: Version) -> Divergence | None:
        """Whether the longer one begins with the shorter, if a hash says so."""
        longer, shorter = (x, y) if x.size >= y.size else (y, x)
        if longer == self._version and self._local is not None:
            holds = begins_with(self._local.path, shorter, self._context.check)
        elif self._is_asked_for(longer, shorter):
            holds = self._remote_begins_with(longer, shorter)
        else:
            self.extent(longer)
            holds = self._fetched[longer].begins_with(shorter, self._context.check)
        if not holds:
            return None
        divergence = _extension_of(shorter)
        return divergence if longer == x else divergence.turned()

    def _is_asked_for(self, longer: Version, shorter: Version) -> bool:
        """Whether a hash made there tells, and costs less than to fetch the longer one."""
        if longer in self._fetched or self._base is not None:
            return False
        return self._context.store.remote and shorter == self._version

    def _remote_begins_with(self, longer: Version, shorter: Version) -> bool:
        bundle = self._bundles.get(longer)
        if bundle is None or self._local is None:
            return False
        digest = hashlib.sha256()
        size = 0
        try:
            with Snapshot(self._local.path) as snapshot:
                snapshot.size = min(snapshot.size, shorter.size)
                for block in codec.encode(snapshot.blocks()):
                    self._context.check()
                    digest.update(block)
                    size += len(block)
        except OSError:
            return False
        return self._context.store.prefix_digest(bundle, size) == digest.hexdigest()

    def _by_bytes(self, x: Version, y: Version) -> Divergence:
        return compare(self.extent(x), self.extent(y), self._context.check)


def remember_extension(records: Records, longer: Version, shorter: Version) -> None:
    """Remember that a version extends another."""
    records.put_relation(longer, shorter, _extension_of(shorter)._asdict())


def _extension_of(shorter: Version) -> Divergence:
    return Divergence(
        common=shorter.size, extends=True, extended=False, said=True, answered=False, y_lines=0
    )


def given_up(context: Context, session_id: str, old: Extent, new: Extent) -> list[str]:
    """What a session gives up when its transcript becomes another that doesn't extend it.

    Args:
        context: what to work with.
        session_id: the session.
        old, new: the transcript before and after.

    Returns:
        SHA-256 of the versions held before that the new one neither extends nor is a part of;
        none where the old one was merely cut short, and none that was undone: neither is carried
        to other machines.
    """
    common = compare(old, new, context.check).common
    if common == new.size:
        return []
    kept = context.records.held(session_id) - context.decisions.of(session_id).declined
    held = [version for version in kept if common < version.size <= old.size]
    hashes = prefix_hashes(old.path, [version.size for version in held], context.check)
    return [version.sha256 for version in held if hashes.get(version.size) == version.sha256]
