"""Writing what a push decided on into this machine's bundles, a group at a time.

Invariant: what a bundle of ours holds and the new one won't is in the vault, durable, before it is
written over or removed; a file that can't be read may hold anything.

Order of steps: what goes is kept, for each · write, each durable before its answer · remove older
files of sessions that moved · remember the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from claude_sync.bundle.members import is_absurd, next_after
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import (
    BundleCorrupt,
    BundleError,
    BundleForeign,
    BundleIncomplete,
    BundleRolledBack,
    BundleTooNew,
    BundleUnsafe,
    ClaudeSyncError,
    Stopped,
)
from claude_sync.model import Bundle, LocalSession, ProjectKey, SkippedFile, Stamp, Version
from claude_sync.store.packing import Outgoing
from claude_sync.store.skipped import INCOMPLETE
from claude_sync.store.upload import Sent
from claude_sync.sync.bundles.keep import keep_bundle, keep_unreadable, lies_here
from claude_sync.sync.bundles.label import label_of
from claude_sync.sync.bundles.naming import bundle_name, is_named_for, is_revision_of
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from claude_sync.sync.bundles.pack_ahead import PackingAhead

_RECORDS_A_GROUP = 200
_REPLACEABLE = frozenset(
    kind.__name__ for kind in (BundleCorrupt, BundleForeign, BundleRolledBack, BundleUnsafe)
)
_SEVERAL = ("", "")
"""Whose a name is that several share, but for its case."""


@dataclass(frozen=True, slots=True)
class PlannedPush:
    """One session to be written.

    Attributes:
        local: the session.
        project: where it belongs.
        own: this machine's bundle of it as it lies in the store, None where there is none.
        keep_own: whether that holds something that the new one won't.
    """

    local: LocalSession
    project: ProjectKey
    own: Bundle | None
    keep_own: bool


class _Written(NamedTuple):
    planned: PlannedPush
    sent: Sent
    bundle: Bundle


class PushWriter:
    """Writes sessions.

    Args:
        context: what to work with.
        survey: what was seen.
        ahead: what was packed while the store answered.
        named: whether a person named the sessions: then what never arrived is written over.
    """

    def __init__(
        self, context: Context, survey: Survey, ahead: PackingAhead | None, *, named: bool
    ) -> None:
        self._context = context
        self._survey = survey
        self._ahead = ahead
        self._named = named

    def run(
        self, to_push: Sequence[PlannedPush]
    ) -> Iterator[tuple[PlannedPush, Sent | ClaudeSyncError]]:
        """Write them; what went wrong with one before it was sent stands in its place.

        Raises:
            StoreOffline, Stopped: all that is left can't be written; what was is remembered.
        """
        made: list[Outgoing] = []
        by_name: dict[str, PlannedPush] = {}
        with self._context.decisions.together():
            for planned in to_push:
                self._context.check()
                try:
                    with translating_read_errors(planned.local.session_id):
                        outgoing = self._outgoing(planned)
                except Stopped:
                    raise
                except ClaudeSyncError as error:
                    yield planned, error
                    continue
                made.append(outgoing)
                by_name[outgoing.name] = planned
        written: list[_Written] = []
        try:
            for sent in self._context.store.send(made, self._context.check):
                planned = by_name[sent.outgoing.name]
                if sent.bundle is None or sent.error is not None:
                    yield planned, sent
                    continue
                written.append(_Written(planned, sent, sent.bundle))
                if sent.outgoing.expected is None and sent.read == planned.local.stamp:
                    head = sent.bundle.head
                    self._survey.rows.learn(planned.local, head.version, head.sidecar_sha256)
                yield planned, sent
                if len(written) >= _RECORDS_A_GROUP:
                    self._remember(written)
                    written = []
        finally:
            self._remember(written)

    def _outgoing(self, planned: PlannedPush) -> Outgoing:
        context, survey, local = self._context, self._survey, planned.local
        session_id, own = local.session_id, planned.own
        name = bundle_name(
            context.store.names, context.machine, planned.project.key, session_id, self._taken
        )
        self._keep_what_goes(planned, name)
        self._taken[name.lower()] = (session_id, context.machine.id)
        remembered = survey.record(session_id)
        compared = survey.is_open(local) or bool(survey.bundles.get(session_id))
        expected = self._version(local) if compared else survey.known_version(local)
        # Greater than all that were seen, so that it tells which of two was written knowing of the
        # other; a stranger's absurd one leaves no room above it.
        revisions = [
            bundle.head.revision
            for bundle in survey.bundles.get(session_id, ())
            if bundle.head.machine_id == context.machine.id or not is_absurd(bundle.head.revision)
        ]
        seen = context.store.greatest_seen(session_id, context.machine.id)
        label = label_of(
            context,
            survey,
            local,
            project=planned.project,
            revision=next_after(remembered.revision, *revisions, seen),
            mtime_ns=survey.row(local).stamp.mtime_ns if compared else local.stamp.mtime_ns,
        )
        extends = own is not None and own.name == name and not planned.keep_own
        return Outgoing(
            name,
            local,
            label,
            expected=expected,
            whole_lines=label.open,
            base=own if extends else None,
            layout=remembered.layout if remembered.name == name else "",
            ahead=self._ahead.take(session_id) if self._ahead is not None else None,
            replaces=self._listed.get(name) or self._listed.get(name.lower()),
        )

    def _version(self, local: LocalSession) -> Version:
        """What goes into the bundle: of an open session no unfinished line."""
        row = self._survey.row(local)
        return row.cut if self._survey.is_open(local) else row.whole

    @cached_property
    def _files(self) -> dict[str, Bundle | SkippedFile]:
        """What lies in the store, by name; where no other bears that, by the one in lower case."""
        exact: dict[str, Bundle | SkippedFile] = {one.name: one for one in self._survey.skipped}
        exact |= {one.name: one for one in chain(*self._survey.bundles.values())}
        return {name.lower(): one for name, one in exact.items()} | exact

    @cached_property
    def _listed(self) -> dict[str, Stamp]:
        """The stamp of each file that the survey saw, by name, and by name in lower case."""
        listing = self._context.store.last_listing
        entries = listing.entries if listing is not None else ()
        exact = {entry.name: entry.stamp for entry in entries}
        return {name.lower(): stamp for name, stamp in exact.items()} | exact

    @cached_property
    def _taken(self) -> dict[str, tuple[str, str]]:
        """Whose file each in the store is, or is about to be, by its name in lower case."""
        taken: dict[str, tuple[str, str]] = {}
        for bundle in chain(*self._survey.bundles.values()):
            owner = bundle.head.session_id, bundle.head.machine_id
            if taken.setdefault(bundle.name.lower(), owner) != owner:
                taken[bundle.name.lower()] = _SEVERAL
        return taken

    # -- what is written over, or removed afterwards ------------------------------------------

    def _keep_what_goes(self, planned: PlannedPush, name: str) -> None:
        context, survey, local = self._context, self._survey, planned.local
        if planned.own is not None and planned.keep_own:
            keep_bundle(context, planned.own, "push")
        # Some systems know no case; where they do, the file of that very name.
        there = self._files.get(name) or self._files.get(name.lower())
        going = self._older_files(planned, name)
        if isinstance(there, SkippedFile):
            _check_replaceable(there, named=self._named)
            keep_unreadable(context, local.session_id, there.name, "push")
        elif there is not None:
            going.append(there)
        for bundle in going:
            if bundle is planned.own:
                continue
            version, sidecar_sha256 = self._version(local), survey.row(local).sidecar_sha256
            if not lies_here(local, version, sidecar_sha256, bundle):
                keep_bundle(context, bundle, "push")

    def _older_files(self, planned: PlannedPush, name: str) -> list[Bundle]:
        """This machine's files of a session under other names that it gave them itself.

        Not whatever bears its id: a machine that was cloned shares that, and may write its own.
        """
        session_id, names = planned.local.session_id, self._context.store.names
        written = {self._survey.record(session_id).name, planned.own.name if planned.own else ""}
        return [
            other
            for other in self._survey.bundles.get(session_id, ())
            if (other.name in written - {name} or is_revision_of(other.name, name))
            and other.head.machine_id == self._context.machine.id
            and is_named_for(names, other, other.head.project_key, other.head.machine)
        ]

    # -- remembering --------------------------------------------------------------------------

    def _remember(self, written: Sequence[_Written]) -> None:
        older = [
            one.name
            for planned, _, bundle in written
            for one in self._older_files(planned, bundle.name)
        ]
        try:
            # Before that is remembered: else nothing would tell later that they are ours.
            if older:
                self._context.store.remove(older)
        finally:
            self._remember_bundles([(sent, bundle) for _, sent, bundle in written])

    def _remember_bundles(self, written: Sequence[tuple[Sent, Bundle]]) -> None:
        records = self._context.records
        with self._context.remembering():
            self._context.store.remember(bundle for _, bundle in written)
            for sent, bundle in written:
                session_id = bundle.head.session_id
                head = bundle.head
                records.hold(session_id, head.version)
                records.merge(session_id, head.version, head.sidecar_sha256, head.revision)
                records.remember(
                    session_id,
                    written=bundle.head.version,
                    revision=bundle.head.revision,
                    name=bundle.name,
                    layout=sent.layout,
                )
                self._context.decisions.push_again(session_id)


def _check_replaceable(there: SkippedFile, *, named: bool) -> None:
    """Whether a file of the store that is no bundle may be written over, once it is kept.

    Raises:
        BundleError: it may yet turn out to be a newer bundle of this machine.
    """
    if there.kind in _REPLACEABLE:
        return
    if there.kind not in INCOMPLETE:
        kind = BundleTooNew if there.kind == BundleTooNew.__name__ else BundleError
        raise kind(
            "the file named as this machine's bundle can't be read, so it isn't overwritten",
            where=there.name,
            todo=there.message,
        )
    if not named:
        raise BundleIncomplete(
            "this machine's bundle there is incomplete, so it isn't overwritten",
            where=there.name,
            todo="wait for it, or push the session by name to replace it",
        )
