"""The error tree. Every error says what happened, where, and what to do.

ClaudeSyncError
├── UsageError                  the caller asked for something impossible
│   ├── NotSetUp                a store is needed and none was chosen yet
│   ├── MachineNameTaken        another machine has that name in the store
│   ├── StoreMissing            no store is there, and none is to be made
│   ├── StoreKeyNeeded          the store is encrypted, and no key was given
│   ├── StoreKeyWrong           a key doesn't open the store, or can't be one
│   ├── SessionNotFound         no session has that id
│   └── SessionAmbiguous        several sessions begin with that id
├── PreferencesError            a preference can't be stored as asked
├── ProjectKeyError             no host and path can be read from a remote
├── SessionError                one session can't be handled now
│   ├── SessionOpen             the client has it open: it is never replaced
│   ├── SessionChanging         it changes faster than it can be read
│   ├── SessionVanished         it was there a moment ago
│   ├── SessionDivided          copies of it diverged, and none can be chosen
│   │   └── SessionCrowded      more versions of it lie in the store than are compared
│   ├── SessionUnreadable       it can't be seen here, so where it stands is unknown
│   └── SessionUnplaced         no directory of this machine is known for it
├── BundleError                 one .ccsync file can't be used
│   ├── BundleIncomplete        it ends early: most likely it is still arriving
│   │   └── BundleReserved      its place is kept, and a part of it hasn't come yet
│   ├── BundleCorrupt           its bytes don't match its checksums
│   │   ├── BundleForeign       nobody who has the encrypted store's key wrote it
│   │   └── BundleRolledBack    an older one lies where a newer one was
│   ├── BundleTooNew            a newer claude-sync made it
│   ├── BundleUnsafe            it names something that isn't safe to use
│   └── BundlePlaceholder       it is in the cloud and not downloaded
├── TransportError              the store can't be used
│   ├── StoreOffline            it can't be reached now (host down, no network): passing
│   │   └── StoreAbsent         only a person can bring it back: mount it, unlock a key
│   │       ├── StoreTooNew     a newer claude-sync made it
│   │       ├── StoreLocked     it is encrypted, and its key can't be had here
│   │       └── MarkerReplaced  it was encrypted, and its marker isn't as we wrote it
│   ├── StoreDenied             it is there, but refuses access
│   ├── StoreFull               no space left in it
│   ├── StoreUnseen             a part of it can't be listed, so what lies there is unknown
│   ├── FileArrived             another file lies there than the one that was listed
│   ├── FileUnreadable          the named file is there and can't be read; others can
│   └── FileGone                the named file isn't there (any more)
├── ClaudeHomeError             Claude Code's own folder can't be used
├── VaultError                  the vault can't keep a version, so nothing is replaced
├── RecordsError                this machine's records can't be opened
│   └── RecordsTooNew           a newer claude-sync made them
├── SearchError                 the index of what was said can't be used now
├── LockBusy                    another claude-sync of this user is at work
└── Stopped                     work ended early because it was asked to
"""

from __future__ import annotations

from claude_sync.spelling import plain


class ClaudeSyncError(Exception):
    """Base of all errors that claude-sync raises on purpose.

    Args:
        what: what happened, a clause without a full stop.
        where: the file, folder, host or session it happened to; empty if `what` says it.
        todo: what a person can do about it, an imperative clause; empty if nothing.
        passing: whether trying again later may help without anyone doing anything.

    ``str()`` of an error is the one sentence to show. Callers must not pass URLs, titles or
    transcript text: an error may end in a log.
    """

    passing = False

    def __init__(
        self, what: str, *, where: str = "", todo: str = "", passing: bool | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = plain(where)
        self.todo = todo
        if passing is not None:
            self.passing = passing

    def __str__(self) -> str:
        sentence = f"{self.what} ({self.where})" if self.where else self.what
        return f"{sentence}: {self.todo}" if self.todo else sentence


class UsageError(ClaudeSyncError):
    """The caller asked for something impossible."""


class NotSetUp(UsageError):
    """A store is needed and none was chosen yet."""


class MachineNameTaken(UsageError):
    """Another machine has that name in the store."""


class StoreMissing(UsageError):
    """No store is there, and none is to be made: it may still be arriving."""


class StoreKeyNeeded(UsageError):
    """The store is encrypted, and no key was given."""


class StoreKeyWrong(UsageError):
    """A key doesn't open the store, or can't be one. The key is never part of the error."""


class SessionNotFound(UsageError):
    """No session has that id."""


class SessionAmbiguous(UsageError):
    """Several sessions begin with that id."""


class PreferencesError(ClaudeSyncError):
    """A preference can't be stored as asked."""


class ProjectKeyError(ClaudeSyncError):
    """No host and path can be read from a remote."""


class SessionError(ClaudeSyncError):
    """One session can't be handled now; the others are done."""


class SessionOpen(SessionError):
    """The client has the session open: it is never replaced."""

    passing = True


class SessionChanging(SessionError):
    """The session changes faster than it can be read."""

    passing = True


class SessionVanished(SessionError):
    """The session was there a moment ago."""


class SessionUnreadable(SessionError):
    """What lies here of the session can't be seen: it is unknown, and not gone."""


class SessionDivided(SessionError):
    """Two copies of the session are here, and they diverged."""


class SessionCrowded(SessionDivided):
    """More versions of the session lie in the store than are compared: a conflict by count."""


class SessionUnplaced(SessionError):
    """No directory of this machine is known for the session."""


class BundleError(ClaudeSyncError):
    """One .ccsync file can't be used; the others are done."""


class BundleIncomplete(BundleError):
    """The file ends early: most likely it is still arriving."""

    passing = True


class BundleReserved(BundleIncomplete):
    """The file's place is kept, and a part of it hasn't come yet: its stamp tells when it has."""


class BundleCorrupt(BundleError):
    """The file's bytes don't match its checksums."""


class BundleForeign(BundleCorrupt):
    """The file lies in an encrypted store, and nobody who has its key wrote it."""


class BundleRolledBack(BundleCorrupt):
    """The file of an encrypted store is older than the one that was seen there before."""


class BundleTooNew(BundleError):
    """A newer claude-sync made the file."""


class BundleUnsafe(BundleError):
    """The file names something that isn't safe to use."""


class BundlePlaceholder(BundleError):
    """The file is in the cloud and not downloaded."""

    passing = True


class TransportError(ClaudeSyncError):
    """The store can't be used."""


class StoreOffline(TransportError):
    """The store can't be reached now: not mounted, host down, no network, not logged in."""

    passing = True


class StoreAbsent(StoreOffline):
    """The store comes back only once a person does something: mounts it, unlocks a key.

    It is tried again now and then all the same, and at once when a person does something.
    """


class StoreTooNew(StoreAbsent):
    """A newer claude-sync made the store; nothing in it is touched."""


class StoreLocked(StoreAbsent):
    """The store is encrypted, and its key can't be had here."""


class MarkerReplaced(StoreAbsent):
    """The store was encrypted, and its marker isn't as a machine with the key wrote it."""


class StoreDenied(TransportError):
    """The store is there, but refuses access."""


class StoreFull(TransportError):
    """No space is left in the store."""


class StoreUnseen(TransportError):
    """A part of the store can't be listed now: what lies in it is unknown."""

    passing = True


class FileArrived(TransportError):
    """Another file lies where one was to be written than the one that was listed."""

    passing = True


class FileUnreadable(TransportError):
    """The named file is there and can't be read, though the store answers: others can be."""


class FileGone(TransportError):
    """The named file isn't there (any more)."""

    passing = True


class ClaudeHomeError(ClaudeSyncError):
    """Claude Code's own folder can't be used."""


class VaultError(ClaudeSyncError):
    """The vault can't keep a version, so nothing is replaced."""


class RecordsError(ClaudeSyncError):
    """This machine's records can't be opened."""


class RecordsTooNew(RecordsError):
    """A newer claude-sync made this machine's records; they aren't touched."""


class SearchError(ClaudeSyncError):
    """The index of what was said can't be used now; losing it costs nothing but making it anew."""


class LockBusy(ClaudeSyncError):
    """Another claude-sync of this user is at work."""

    passing = True


class Stopped(ClaudeSyncError):
    """Work ended early because it was asked to; nothing is half done."""

    passing = True
