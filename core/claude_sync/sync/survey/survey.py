"""What lies here, what lies in the store, and what is remembered, joined by session id.

A survey reads directory listings, the caches, and only those files whose stamps are new. It
decides nothing and changes nothing but the caches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from claude_sync.claude.home import folder_matches
from claude_sync.claude.live_sessions import LiveSessions, read_live_sessions
from claude_sync.claude.session_files import is_plan
from claude_sync.claude.tree import Unseen
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import (
    SessionDivided,
    SessionOpen,
    SessionUnreadable,
    StoreUnseen,
)
from claude_sync.model import (
    MAX_SUPERSEDES,
    Bundle,
    LocalSession,
    Outcome,
    ProjectKey,
    SkippedFile,
    Version,
)
from claude_sync.state.cache import LocalRow
from claude_sync.state.records import NOTHING, SessionRecord
from claude_sync.store.skipped import is_unknown
from claude_sync.store.store import StoreView
from claude_sync.sync.context import Context
from claude_sync.sync.rivals import Mine, Split, own_and_rivals
from claude_sync.sync.survey.local_rows import LocalRows
from claude_sync.sync.survey.opening import with_announced

if TYPE_CHECKING:
    from claude_sync.projects.placement import Placement


class Survey:
    """One look at everything. Good as long as its caller holds the lock; look again after.

    Args:
        context: what to look at.
        view: the store's listing, None to look at this machine only.

    Attributes:
        tree: what was seen of Claude's tree, and what couldn't be.
        local: every copy of each session in it, by id; mostly one.
        bundles: of each session in the store, by id.
        problems: files of the store that were skipped.
        live: what the client has open, or is about to open.
        all_are_rivals: whether this machine's own bundles count as others' too: a file that
            is brought by hand may be anybody's.
        into: where sessions that aren't here go, None for their projects' directories.
        remembered: the records of every session, by id.
        rows: what the transcripts here were found to be.
    """

    def __init__(self, context: Context, view: StoreView | None) -> None:
        self.context = context
        context.decisions.refresh()
        self.live: LiveSessions = with_announced(
            read_live_sessions(context.home.live_folder),
            context.paths.opening_file,
            context.home.path,
        )
        self.rows = LocalRows(context)
        context.home.slugs.remembered = self.rows.slug
        self.tree = context.home.look()
        self.local: dict[str, tuple[LocalSession, ...]] = {}
        for session in self.tree.sessions:
            known = self.local.get(session.session_id, ())
            self.local[session.session_id] = (*known, session)
        self.bundles: Mapping[str, tuple[Bundle, ...]] = {}
        self.skipped: tuple[SkippedFile, ...] = ()
        self.unseen: frozenset[str] = frozenset()
        if view is not None:
            self.set_store_view(view)
        self.remembered: dict[str, SessionRecord] = context.records.sessions()
        self.all_are_rivals = False
        self.into: Path | None = None
        self._open: dict[Path, bool] = {}
        self._directories: dict[str, Path | None] = {}
        self._longest: dict[str, LocalSession] = {}
        used: dict[str, int] = {}
        for copies in self.local.values():
            for session in copies:
                used[session.folder] = max(session.stamp.mtime_ns, used.get(session.folder, 0))
        context.registry.refresh(used, roots=context.preferences.projects_roots)

    def set_store_view(self, view: StoreView) -> None:
        """Set what lies in the store."""
        self.bundles, self.skipped = view.bundles, view.skipped
        self.unseen = view.unseen

    # -- ids ----------------------------------------------------------------------------------

    def ids(self) -> list[str]:
        """Every session that is here or in the store."""
        return sorted(self.local.keys() | self.bundles.keys())

    def find(self, prefix: str) -> str:
        """The one session whose id begins so, or is so.

        Raises:
            SessionNotFound: none does.
            SessionAmbiguous: several do.
        """
        prefix = prefix.lower()
        if prefix in self.local or prefix in self.bundles:
            return prefix
        from claude_sync.sync.survey.identity import find_id

        return find_id(prefix, sorted({*self.ids(), *self._hidden}))

    def check_seen(self, session_id: str) -> None:
        """Let nothing be decided for a session of which the store holds what nobody could see.

        Raises:
            StoreUnseen
        """
        if not self.unseen:
            return
        names = [bundle.name for bundle in self.bundles.get(session_id, ())]
        names.append(self.record(session_id).name)
        folders = {name.partition("/")[0] for name in names}
        for local in self.local.get(session_id, ()):
            project = self.project(local)
            if project is not None:
                folders.add(self.context.store.names.folder(project.key))
        if "" in self.unseen or folders & self.unseen:
            raise unseen_error(self.context, next(iter(sorted(folders & self.unseen)), ""))

    @cached_property
    def unread(self) -> Mapping[str, SkippedFile]:
        """Files of the store that nobody could read, by the session that each seems to be of.

        Whatever else lies there of such a session, that it is up to date can't be told.
        """
        return {one.session_id: one for one in self.skipped if one.session_id and is_unknown(one)}

    def record(self, session_id: str) -> SessionRecord:
        """The record of one session; of an unknown one, nothing."""
        return self.remembered.get(session_id, NOTHING)

    # -- what of this machine can't be seen ---------------------------------------------------

    @cached_property
    def _hidden(self) -> dict[str, Unseen]:
        """What hides each session that is known to lie here and can't be seen, by id."""
        found: dict[str, Unseen] = {}
        for unseen in self.tree.unseen:
            if unseen.session_id:
                found.setdefault(unseen.session_id, unseen)
                continue
            for session_id in self.rows.in_folder(unseen.path):
                found.setdefault(session_id, unseen)
        return {key: one for key, one in found.items() if key not in self.local}

    def hidden(self, session_id: str) -> Unseen | None:
        """What may hide a session that isn't among those seen here: then it isn't gone."""
        if session_id in self.local or not self.tree.unseen:
            return None
        known = self._hidden.get(session_id)
        if known is None and self.record(session_id).seen:
            # It was here, nobody knows where, and there is somewhere that can't be seen.
            known = next((one for one in self.tree.unseen if not one.session_id), None)
        return known

    def may_be_of(self, unseen: Unseen, project: str) -> bool:
        """Whether something that can't be seen may belong to a project."""
        folder = unseen.path.parent if unseen.session_id else unseen.path
        return any(
            one.key == project and folder_matches(folder.name, str(one.path))
            for one in self.context.registry.projects()
        )

    def is_blank(self, session_id: str) -> bool:
        """Whether nothing is known of a session but transcripts that hold nothing: then it is none.

        Nothing of the disk is asked for that: one of which no line is whole may not be known yet.
        """
        return (
            not self.record(session_id).seen
            and not any(map(self._may_say_something, self.local.get(session_id, ())))
            and not any(bundle.head.size for bundle in self.bundles.get(session_id, ()))
        )

    def _may_say_something(self, local: LocalSession) -> bool:
        row = self.rows.known(local)
        return local.stamp.size > 0 if row is None else row.cut.size > 0

    def check_visible(self, session_id: str) -> None:
        """Let nothing be decided about a session that may lie here where it can't be seen.

        Raises:
            SessionUnreadable: it may.
        """
        unseen = self.hidden(session_id)
        if unseen is not None:
            raise unreadable(unseen)

    # -- the transcript that lies here --------------------------------------------------------

    def copy(self, session_id: str) -> LocalSession | None:
        """The transcript that lies here: of several copies the one that extends the others.

        Raises:
            SessionUnreadable: one may lie where it can't be seen.
            SessionDivided: two copies have diverged; both are named.
        """
        copies = self.local.get(session_id, ())
        if not copies:
            self.check_visible(session_id)
        if len(copies) < 2:
            return copies[0] if copies else None
        if session_id not in self._longest:
            self._longest[session_id] = self._find_longest(copies)
        return self._longest[session_id]

    def _find_longest(self, copies: Sequence[LocalSession]) -> LocalSession:
        longest = max(copies, key=lambda one: (one.stamp.size, one.stamp.mtime_ns, one.folder))
        for other in copies:
            if other is not longest and not self._holds(longest, other):
                raise SessionDivided(
                    "two copies of this session are here, and they diverged",
                    where=f"{longest.path} and {other.path}",
                    todo="move one of them away",
                )
        return longest

    def _holds(self, longer: LocalSession, shorter: LocalSession) -> bool:
        from claude_sync.claude.compare import Extent, compare
        from claude_sync.disk.prefix_hashes import begins_with

        x, y = self.row(longer).whole, self.row(shorter).whole
        with translating_read_errors(longer.session_id):
            if x == y or begins_with(longer.path, y):
                return True
            return compare(Extent(longer.path, x.size), Extent(shorter.path, y.size)).extends

    @cached_property
    def plans(self) -> Mapping[str, tuple[LocalSession, ...]]:
        """Which transcripts here name each plan that is here, by its path in a bundle."""
        found: dict[str, tuple[LocalSession, ...]] = {}
        for local in self.tree.sessions:
            for path, _ in local.sidecar:
                if is_plan(path):
                    found[path] = (*found.get(path, ()), local)
        return found

    def is_open(self, local: LocalSession) -> bool:
        """Whether the client counts as having a session open, the same throughout this survey."""
        known = self._open.get(local.path)
        if known is None:
            known = self._open[local.path] = self.live.is_open(local, self._is_own_write)
        return known

    def quiet_at(self, local: LocalSession) -> float | None:
        """When a session that only its time tells of counts as closed, seconds since the epoch.

        None where a live file tells, or where it is closed already.
        """
        if self.live.unreadable or local.session_id in self.live.open_files:
            return None
        return self.live.quiet_at(local, self._is_own_write)

    def check_closed(self, local: LocalSession) -> None:
        """Let nothing be done with a session that the client has open.

        Raises:
            SessionOpen: says what can be done.
        """
        if self.is_open(local):
            raise SessionOpen(
                f"the session can't be replaced now: {self.live.explain(local)}",
                where=local.session_id,
            )

    def _is_own_write(self, local: LocalSession) -> bool:
        written_ns = self.record(local.session_id).installed_ns
        return written_ns != 0 and written_ns == local.stamp.mtime_ns

    def version(self, local: LocalSession) -> Version:
        """What the transcript is: while it is open, up to its last full line."""
        row = self.row(local)
        return row.cut if self.is_open(local) else row.whole

    def known_version(self, local: LocalSession) -> Version | None:
        """The same if it is known without reading the file."""
        row = self.rows.known(local)
        return None if row is None else self._version_in(row, local)

    def _version_in(self, row: LocalRow, local: LocalSession) -> Version:
        return row.cut if row.cut != row.whole and self.is_open(local) else row.whole

    def row(self, local: LocalSession) -> LocalRow:
        """What a transcript and its sidecars are; read if their stamps are new.

        Raises:
            SessionError: it vanished, or is being rewritten.
        """
        return self.rows.row(local)

    def alone(self, named: Sequence[str] | None = None) -> Iterator[LocalSession]:
        """Transcripts that are their session's only copy here.

        Args:
            named: beginnings of their ids, None for all.
        """
        beginnings = None if named is None else tuple(filter(None, named))
        for session_id, copies in self.local.items():
            if len(copies) == 1 and (beginnings is None or session_id.startswith(beginnings)):
                yield copies[0]

    def read_ahead(self, named: Sequence[str] | None = None) -> None:
        """Read what is new of sessions that were met before: it is sure to be compared.

        Args:
            named: beginnings of their ids, None for all.
        """
        self.rows.read_ahead(one for one in self.alone(named) if one.session_id in self.remembered)

    def flush(self) -> None:
        """Write what was read into the cache, and drop what is no longer there."""
        here = {str(copy.path) for copies in self.local.values() for copy in copies}
        for unseen in self.tree.unseen:
            here.update(self.rows.below(unseen.path))
        self.rows.flush(here)

    # -- for the planner ----------------------------------------------------------------------

    def mine(self, session_id: str, local: LocalSession | None) -> Mine | None:
        """The transcript here with everything that decides who wins."""
        if local is None:
            return None
        row = self.row(local)
        if not row.cut.size:
            # No version at all: what was decided here wasn't decided for it, and any beats it.
            return Mine(self.version(local), row.sidecar_sha256, begun=False)
        decided = self.context.decisions.of(session_id)
        return Mine(
            version=self.version(local),
            sidecar_sha256=row.sidecar_sha256,
            supersedes=frozenset(self.supersedes(session_id)),
            decision=decided.decision,
        )

    def supersedes(self, session_id: str) -> tuple[str, ...]:
        """The newest versions that the one here knowingly replaces, oldest first."""
        return self.context.decisions.of(session_id).supersedes[-MAX_SUPERSEDES:]

    def split(self, session_id: str) -> Split:
        """This machine's own bundle, whether a push must beat it, and all rivals.

        Where the session isn't here, its own bundle is one more that could bring it back. One that
        was undone here needn't be beaten: a pull skips it, so nothing else would help.
        """
        if self.all_are_rivals:
            return Split(None, False, self.bundles.get(session_id, ()))
        here = session_id in self.local
        own, is_rival, rivals = own_and_rivals(
            self.bundles.get(session_id, ()),
            self.context.machine.id,
            self.record(session_id).written if here else None,
        )
        if is_rival and own is not None:
            is_rival = own.head.version not in self.context.decisions.of(session_id).declined
        return Split(own, is_rival, rivals)

    def learn_from_bundles(self, session_id: str, local: LocalSession | None) -> None:
        """Learn what a session gave up from the bundles that know it.

        From its own bundle where the records were lost; from another machine's that is the very
        version that lies here: what was decided of that version there holds here as well.
        (Otherwise a conflict that was settled elsewhere would stand here until the last machine
        followed.) Not what was said here itself: anybody may write that it was given up, and only
        a person who pulls or chooses takes their word for it.
        """
        remembered = self.record(session_id)
        is_known = remembered.seen or remembered.written is not None
        if is_known and not any(one.head.supersedes for one in self.bundles.get(session_id, ())):
            return  # true of most, and known without splitting their bundles
        own, _, rivals = self.split(session_id)
        heads = []
        if own is not None and not remembered.seen and remembered.written is None:
            heads.append(own.head)
        if local is not None and any(rival.head.supersedes for rival in rivals):
            version = self.version(local)
            heads += [
                rival.head
                for rival in rivals
                if rival.head.version == version
                and rival.head.machine_id != self.context.machine.id
            ]
        held = {version.sha256 for version in self.context.records.held(session_id)}
        if own is not None and remembered.written is not None:
            held.add(own.head.sha256)
        decisions = self.context.decisions
        latest = max([decisions.of(session_id).decision, *(head.decision for head in heads)])
        with decisions.together():
            given_up = [one for head in heads for one in head.supersedes if one not in held]
            decisions.supersede(session_id, given_up)
            decisions.decide(session_id, latest)

    def refresh(self, session_id: str) -> None:
        """Look at the records of one session again, after they were changed."""
        self.remembered[session_id] = self.context.records.session(session_id)

    # -- what needs no planner ----------------------------------------------------------------

    def is_pushed(self, local: LocalSession, own: Bundle | None) -> bool:
        """Whether this machine's bundle is known to hold what lies here, and we to have written it.

        Asks nothing of the disk; False where it isn't known.
        """
        remembered = self.record(local.session_id)
        row = self.rows.known(local)
        if own is None or row is None or not remembered.seen:
            return False
        version = self._version_in(row, local)
        decided = self.context.decisions.of(local.session_id)
        head = own.head
        return (
            self.is_known_intact(local.session_id, version)
            and head.version == version == remembered.written
            and head.sidecar_sha256 == row.sidecar_sha256
            and head.decision >= decided.decision
            and not decided.supersedes
        )

    def is_known_intact(self, session_id: str, version: Version) -> bool:
        """Whether a version holds all that was here before, as far as that needs no reading."""
        before = self.record(session_id).intact
        return (
            before is None
            or before == version
            or (version.sha256, before.sha256) in self._extensions
        )

    def cheap_outcome(self, session_id: str) -> Outcome | None:
        """Whether nothing of a session waits, as far as that is known without reading anything.

        UNCHANGED where all bundles are what lies here, AHEAD where they are known to be older.
        """
        copies = self.local.get(session_id, ())
        version = self.known_version(copies[0]) if len(copies) == 1 else None
        decided = self.context.decisions.of(session_id)
        if version is None or not self.record(session_id).seen or decided.supersedes:
            return None
        if not self.is_known_intact(session_id, version):
            return None
        row = self.row(copies[0])
        outcome = Outcome.UNCHANGED
        for bundle in self.bundles.get(session_id, ()):
            head = bundle.head
            if head.supersedes or head.decision > decided.decision:
                return None
            if head.version == version:
                if head.sidecar_sha256 != row.sidecar_sha256:
                    return None
            elif (version.sha256, head.sha256) in self._extensions:
                outcome = Outcome.AHEAD
            else:
                return None
        return outcome

    @cached_property
    def _extensions(self) -> frozenset[tuple[str, str]]:
        return self.context.records.extensions()

    # -- where it belongs ---------------------------------------------------------------------

    def directory(self, local: LocalSession) -> Path | None:
        """The working directory of a session that lies here, None where it isn't known.

        Raises:
            SessionUnreadable: its transcript can't be read.
        """
        key = f"{local.folder}/{local.session_id}"
        if key not in self._directories:
            cwds = self.rows.cwds(local)
            remembered = self.record(local.session_id).directory
            self._directories[key] = self._directory_of(local.folder, cwds, remembered or None)
        return self._directories[key]

    def _directory_of(self, folder: str, cwds: Sequence[str], placed: str | None) -> Path | None:
        """The directory that fits the folder's name, or one of the links that lead to it."""
        for name in (folder, *self.tree.names.get(folder, ())):
            found = self.context.registry.directory_of(name, cwds, placed)
            if found is not None:
                return found
        return None

    def placement(self, bundle: Bundle, *, ask: bool = True) -> Placement:
        """The working directory for a session that isn't here.

        Args:
            bundle: of the session.
            ask: whether git may be asked, for one that is about to be installed.

        Raises:
            SessionUnplaced: none is known.
        """
        if self.into is not None:
            from claude_sync.projects.placement import Placement

            return Placement(self.into)
        key, subpath = bundle.head.project_key, bundle.head.subpath
        return self.context.registry.placement(key, subpath, was_used=self._was_used, ask=ask)

    def _was_used(self, directory: Path) -> bool:
        """Whether a session that lies here belongs to a directory."""
        folder = self.context.home.folder_for(directory).name
        return any(
            local.folder == folder and self.directory(local) == directory
            for copies in self.local.values()
            for local in copies
        )

    def project(self, local: LocalSession) -> ProjectKey | None:
        """The project of a session that lies here: its directory's, else that of its bundle.

        Raises:
            SessionUnreadable: its transcript can't be read.
            ProjectKeyError: the project can't be told now.
        """
        directory = self.directory(local)
        if directory is not None:
            return self.context.registry.key_of(directory)
        for bundle in self.bundles.get(local.session_id, ()):
            return ProjectKey(bundle.head.project_key, bundle.head.subpath)
        return None


def unreadable(unseen: Unseen) -> SessionUnreadable:
    """The error for something of Claude's tree that can't be seen."""
    what = "a session" if unseen.session_id else "a project's sessions"
    return SessionUnreadable(
        f"{what} in Claude Code's folder can't be read ({unseen.problem})",
        where=str(unseen.path),
        todo="`claude-sync doctor` says what to do about it",
    )


def unseen_error(context: Context, folder: str) -> StoreUnseen:
    """The error for a folder of the store that couldn't be listed; "" for nobody knows which."""
    where = f"{context.store.label}/{folder}" if folder else context.store.label
    return StoreUnseen(
        "a part of the store can't be listed now, so nothing is decided about what may lie there",
        where=where,
        todo="check that folder's permissions and its disk, then try again",
    )
