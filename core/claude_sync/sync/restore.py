"""Bringing back an earlier version of a session: any that can still be had.

Order of steps: look · put what is given up into the vault · install the version · remember the
decision · push at once, where the store is there. What can be had without the store is brought
back without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from claude_sync.claude.compare import Extent
from claude_sync.claude.transcript import summarize, title_of
from claude_sync.claude.turn_counts import count_turns
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.disk.snapshot import Snapshot, open_regular, translating_read_errors
from claude_sync.errors import (
    ClaudeSyncError,
    NotSetUp,
    SessionError,
    Stopped,
    TransportError,
    UsageError,
)
from claude_sync.model import (
    Bundle,
    LocalSession,
    Outcome,
    Result,
    SessionState,
    State,
    Version,
)
from claude_sync.state.vault_entry import Kept
from claude_sync.sync.bundles.keep import keep_bundle
from claude_sync.sync.context import Context
from claude_sync.sync.decide import Decision, remember_decision
from claude_sync.sync.planner import MAX_RIVALS
from claude_sync.sync.pull import pull_surveyed
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.rivals import newest_of_each
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.comparisons import Comparisons
from claude_sync.sync.survey.identity import find_id
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.resolve_apply import InstalledSide, install_side
from claude_sync.sync.tree.restore_apply import install_kept


@dataclass(frozen=True, slots=True)
class EarlierVersion:
    """A version of a session that can be brought back.

    Attributes:
        version: its transcript.
        machine: whose bundle holds it, "" for this machine's vault.
        reason: what put it into the vault, a word; "" for a bundle.
        at_ns: when its transcript was last written, nanoseconds since the epoch.
        turns: how often a person said something in it.
        is_here: whether what lies here holds all of it.
        kept_ns: since when the vault has it, nanoseconds since the epoch; 0 for a bundle.
    """

    version: Version
    machine: str
    reason: str
    at_ns: int
    turns: int
    is_here: bool
    kept_ns: int = 0


@dataclass(frozen=True, slots=True)
class Restorable:
    """A session of which something could be brought back.

    Attributes:
        session_id: the session.
        title: other people's text, "" where unknown.
        gone: whether it was here and is gone.
        shortened: whether what is here lacks something that was said in it before.
        kept: how many versions the vault holds.
        at_ns: when the newest of those was kept, or else the session was last written, nanoseconds
            since the epoch.
        project_key: "" where unknown.
        size: of its newest version's transcript that is known, bytes.
        machines: names of the machines whose bundles of it are in the store.
    """

    session_id: str
    title: str
    gone: bool
    shortened: bool
    kept: int
    at_ns: int
    project_key: str = ""
    size: int = 0
    machines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """An earlier version and where it lies."""

    shown: EarlierVersion
    kept: Kept | None = None
    bundle: Bundle | None = None


def _order(one: EarlierVersion) -> tuple[bool, bool, int]:
    """What isn't here first; then what says something, for damage is kept as well; the newest."""
    return one.is_here, not one.turns, -one.at_ns


def restorable(context: Context) -> list[Restorable]:
    """The sessions that could be brought back: what is gone here or lost something comes first.

    Args:
        context: what to work with. Where its store can't be reached, the vault alone counts.

    Raises:
        ClaudeHomeError: Claude Code's folder can't be read.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("looking"):
        survey, _ = look_anyway(context)
        return restorable_surveyed(context, survey, states_surveyed(context, survey))


def restorable_surveyed(
    context: Context, survey: Survey, states: Sequence[SessionState]
) -> list[Restorable]:
    """The same from a survey that was just made, under the lock, and the states by it."""
    standing = {one.session_id: one for one in states}
    found = []
    for session_id in sorted({*standing, *context.vault.sessions()}):
        entries = [kept for kept in context.vault.entries(session_id) if kept.version]
        known = standing.get(session_id)
        if entries or (known is not None and (known.state is State.GONE or known.shortened)):
            found.append(_restorable(survey, session_id, known, entries))
    return sorted(
        found, key=lambda one: (not (one.gone or one.shortened), -one.at_ns, one.session_id)
    )


def _restorable(
    survey: Survey, session_id: str, known: SessionState | None, entries: Sequence[Kept]
) -> Restorable:
    kept_at_ns = int(entries[-1].kept_at * 1e9) if entries else 0
    sizes = [one.version.size for one in entries if one.version is not None]
    return Restorable(
        session_id=session_id,
        title=_title(survey, session_id, known, entries),
        gone=session_id not in survey.local and survey.hidden(session_id) is None,
        shortened=known is not None and known.shortened,
        kept=len(entries),
        at_ns=kept_at_ns or (known.mtime_ns if known is not None else 0),
        project_key=known.project_key if known is not None else "",
        size=known.size if known is not None else max(sizes, default=0),
        machines=known.machines if known is not None else (),
    )


def _title(
    survey: Survey, session_id: str, known: SessionState | None, entries: Sequence[Kept]
) -> str:
    """A session's title; of one that is gone or damaged, what it was called elsewhere or before."""
    if known is not None and known.title:
        return known.title
    for bundle in survey.bundles.get(session_id, ()):
        if bundle.head.title:
            return bundle.head.title
    for kept in reversed(entries):
        if title := _title_of_file(session_id, kept.transcript):
            return title
    return ""


def _title_of_file(session_id: str, transcript: Path) -> str:
    with suppress(OSError), open_regular(transcript) as file:
        return title_of(session_id, summarize(file).title)
    return ""


def look_anyway(context: Context) -> tuple[Survey, bool]:
    """What can be seen, and whether the store is among it."""
    try:
        return look(context), True
    except (TransportError, NotSetUp):
        return look(context, store=False), False


def find_restorable(context: Context, survey: Survey, session: str) -> str:
    """The one session whose id begins so, of those that something is here, there or kept of.

    Raises:
        UsageError: there is none, or more than one.
    """
    ids = {*survey.ids(), *context.vault.sessions()}
    prefix = session.lower()
    return prefix if prefix in ids else find_id(prefix, sorted(ids))


def earlier_versions(context: Context, session: str) -> list[EarlierVersion]:
    """The versions of a session that can be brought back: what isn't here any more comes first.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.

    Raises:
        UsageError: no session, or more than one, has that id.
        SessionError: it can't be read here.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("looking"):
        restore = _Restore(context, session)
        found = [one.shown for one in restore.find()]
        restore.survey.flush()
    return found


def restore(context: Context, session: str, version: Version) -> list[Result]:
    """Bring back an earlier version of a session. That is a decision: the other machines follow.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.
        version: which, as `earlier_versions` offered it.

    Returns:
        what was installed here; what was pushed, where the store is there.

    Raises:
        UsageError: no session, or more than one, has that id; or the version can't be had.
        SessionOpen: it is open here.
        SessionError: it changed meanwhile, or no directory is known for it.
        BundleError, TransportError: the version can't be fetched.
        VaultError: what is replaced can't be kept.
        ClaudeHomeError: Claude Code's folder can't be written.
    """
    with context.working("restoring"):
        return _Restore(context, session).run(version)


def bring_back(context: Context, session: str) -> list[Result]:
    """Have a session here again that is gone: as the store has it, else as the vault does.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.

    Returns:
        what was installed here; what was pushed, where it came from the vault.

    Raises:
        UsageError: no session, or more than one, has that id; or nothing of it can be had.
        SessionError, BundleError, TransportError, VaultError, ClaudeHomeError: it can't be.
    """
    with context.working("restoring"):
        restoring = _Restore(context, session)
        if restoring.survey.bundles.get(restoring.session_id):
            return pull_surveyed(context, restoring.survey, [restoring.session_id])
        best = next((one.shown.version for one in restoring.find()), None)
        if best is None:
            raise UsageError("nothing of that session is kept", where=restoring.session_id)
        return restoring.run(best)


class _Restore:
    def __init__(self, context: Context, session: str) -> None:
        self._context = context
        self.survey, self.has_store = look_anyway(context)
        self.session_id = find_restorable(context, self.survey, session)
        self._local = self._copy()

    def _copy(self) -> LocalSession | None:
        copies = self.survey.local.get(self.session_id, ())
        return self.survey.copy(self.session_id) if copies else None

    # -- what there is ------------------------------------------------------------------------

    def find(self) -> list[_Found]:
        """Every version that can be had, each once."""
        found: dict[Version, _Found] = {}
        here = self.survey.row(self._local).whole if self._local is not None else None
        for one in (*self._in_store(), *self._in_vault()):
            if one.shown.version != here:
                found.setdefault(one.shown.version, one)
        return sorted(found.values(), key=lambda one: _order(one.shown))

    def _in_store(self) -> Iterator[_Found]:
        bundles = self.survey.bundles.get(self.session_id, ())
        # Ours first: strangers can write more of them than anybody would look through.
        ours_first = sorted(
            (bundle for bundle in newest_of_each(bundles) if bundle.head.size),
            key=lambda one: one.head.machine_id != self._context.machine.id,
        )
        with Comparisons(self._context, None, None, bundles) as comparisons:
            for bundle in ours_first[:MAX_RIVALS]:
                head = bundle.head
                try:
                    extent = comparisons.extent(head.version)
                except Stopped:
                    raise
                except ClaudeSyncError:
                    continue  # it can't be had now; the doctor says why
                shown = self._shown(extent, head.version, head.machine, "", head.mtime_ns)
                yield _Found(shown, bundle=bundle)

    def _in_vault(self) -> Iterator[_Found]:
        for kept in reversed(self._context.vault.entries(self.session_id)):
            if kept.version is None:
                continue
            try:
                with Snapshot(kept.transcript) as snapshot:
                    version = snapshot.settle()
            except (OSError, SessionError):
                continue
            if version.size:
                extent = Extent(kept.transcript, version.size)
                shown = self._shown(extent, version, "", kept.reason, kept.mtime_ns)
                yield _Found(replace(shown, kept_ns=int(kept.kept_at * 1e9)), kept=kept)

    def _shown(
        self, extent: Extent, version: Version, machine: str, reason: str, at_ns: int
    ) -> EarlierVersion:
        with translating_read_errors(self.session_id):
            return EarlierVersion(
                version=version,
                machine=machine,
                reason=reason,
                at_ns=at_ns,
                turns=count_turns(extent, self._context.check),
                is_here=self._local is not None and begins_with(self._local.path, version),
            )

    # -- bringing it back ---------------------------------------------------------------------

    def run(self, version: Version) -> list[Result]:
        """Bring a version back."""
        chosen = next((one for one in self.find() if one.shown.version == version), None)
        if chosen is None:
            raise UsageError(
                "that version can't be had any more",
                where=self.session_id,
                todo=f"see `claude-sync restore {self.session_id} --list`",
            )
        if self._local is not None:
            self.survey.check_closed(self._local)
        replaced = self._keep_what_goes(chosen)
        if chosen.bundle is not None:
            side = install_side(
                self._context, self.survey, chosen.bundle, self._local, reason="restore"
            )
        else:
            assert chosen.kept is not None
            side = install_kept(self._context, self.survey, chosen.kept, version, self._local)
        others = {bundle.head.version for bundle in replaced}
        if side.installed.undo.before is not None:
            others.add(side.installed.undo.before)
        made = Decision(
            session_id=self.session_id,
            kept=version,
            path=side.installed.path,
            others=others,
            rivals=replaced,
            undo=side.installed.undo,
            side=side,
            was_here=self._local is not None,
        )
        bundles = self.survey.bundles.get(self.session_id, ())
        remember_decision(self._context, made, bundles)
        result = self._result(chosen, side)
        self._context.recorder.add_result("restore", result)
        return [result, *self._push()]

    def _keep_what_goes(self, chosen: _Found) -> list[Bundle]:
        """Put into the vault what the store holds of others, unless the version is that."""
        bundles = newest_of_each(self.survey.bundles.get(self.session_id, ()))
        replaced = [bundle for bundle in bundles if bundle.head.version != chosen.shown.version]
        for bundle in replaced:
            keep_bundle(self._context, bundle, "restore")
        return replaced

    def _push(self) -> list[Result]:
        if not self.has_store:
            return []
        return push_surveyed(self._context, look(self._context), [self.session_id])

    def _result(self, chosen: _Found, side: InstalledSide) -> Result:
        return Result(
            self.session_id,
            Outcome.REPLACED if self._local is not None else Outcome.IMPORTED,
            machine=chosen.shown.machine or self._context.machine.name,
            path=side.installed.path,
            directory=side.directory,
            bytes=side.received,
            from_elsewhere=chosen.shown.version.size,
            title=_title_of_file(self.session_id, side.installed.path),
            mtime_ns=chosen.shown.at_ns,
        )
