"""The error tree. Every error says what happened, where, and what to do.

ClaudeSyncError
├── UsageError                  the caller asked for something that makes no sense
│   ├── NotSetUp                a store is needed and none was chosen yet
│   ├── MachineNameTaken        another machine has that name where sessions meet
│   ├── SessionNotFound         no session has that id
│   └── SessionAmbiguous        several sessions begin with that id
├── PreferencesError            a preference can't be stored as asked
├── ProjectKeyError             no host and path can be read from a remote
├── SessionError                one session can't be handled now
│   ├── SessionOpen             the client has it open: it is never replaced
│   ├── SessionChanging         it changes faster than it can be read
│   ├── SessionVanished         it was there a moment ago
│   └── SessionUnplaced         no directory of this machine is known for it
├── BundleError                 one .ccsync file can't be used
│   ├── BundleIncomplete        it ends early: most likely it is still arriving
│   ├── BundleCorrupt           its bytes are not what it says they are
│   ├── BundleTooNew            a newer claude-sync made it
│   ├── BundleUnsafe            it names something that it must not
│   └── BundlePlaceholder       a cloud keeps it elsewhere for the moment
├── TransportError              the place where sessions meet can't be used
│   ├── StoreOffline            it isn't there now (host down, no network): passing
│   │   └── StoreAbsent         only a person can bring it back: mount it, unlock a key
│   ├── StoreDenied             it is there, but refuses us
│   ├── StoreFull               no room left on it
│   └── FileGone                the named file isn't there (any more)
├── ClaudeHomeError             Claude Code's own folder can't be used
├── VaultError                  the vault can't keep a version, so nothing is replaced
├── RecordsError                this machine's records can't be opened
├── LockBusy                    another claude-sync of this user is at work
└── Stopped                     work ended early because it was asked to
"""

from __future__ import annotations


class ClaudeSyncError(Exception):
    """Base of all errors that claude-sync raises on purpose.

    Args:
        what: what happened, a clause without a full stop.
        where: the file, folder, host or session it happened to; empty if `what` says it.
        todo: what a person can do about it, an imperative clause; empty if nothing.
        passing: whether trying again later may help without anybody doing anything.

    ``str()`` of an error is the one sentence to show. Callers must not pass URLs, titles or
    transcript text: an error may end in a log.
    """

    passing = False

    def __init__(
        self, what: str, *, where: str = "", todo: str = "", passing: bool | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.todo = todo
        if passing is not None:
            self.passing = passing

    def __str__(self) -> str:
        sentence = f"{self.what} ({self.where})" if self.where else self.what
        return f"{sentence}: {self.todo}" if self.todo else sentence


class UsageError(ClaudeSyncError):
    """The caller asked for something that makes no sense."""


class NotSetUp(UsageError):
    """A store is needed and none was chosen yet."""


class MachineNameTaken(UsageError):
    """Another machine has that name where sessions meet."""


class SessionNotFound(UsageError):
    """No session has that id."""


class SessionAmbiguous(UsageError):
    """Several sessions begin with that id."""


class PreferencesError(ClaudeSyncError):
    """A preference can't be stored as asked."""


class ProjectKeyError(ClaudeSyncError):
    """No host and path can be read from a remote."""


class SessionError(ClaudeSyncError):
    """One session can't be handled now; the others go on."""


class SessionOpen(SessionError):
    """The client has the session open: it is never replaced."""

    passing = True


class SessionChanging(SessionError):
    """The session changes faster than it can be read."""

    passing = True


class SessionVanished(SessionError):
    """The session was there a moment ago."""


class SessionDivided(SessionError):
    """Two copies of the session lie here and each has lines of its own."""


class SessionUnplaced(SessionError):
    """No directory of this machine is known for the session."""


class BundleError(ClaudeSyncError):
    """One .ccsync file can't be used; the others go on."""


class BundleIncomplete(BundleError):
    """The file ends early: most likely it is still arriving."""

    passing = True


class BundleCorrupt(BundleError):
    """The file's bytes are not what it says they are."""


class BundleTooNew(BundleError):
    """A newer claude-sync made the file."""


class BundleUnsafe(BundleError):
    """The file names something that it must not."""


class BundlePlaceholder(BundleError):
    """A cloud keeps the file elsewhere for the moment."""

    passing = True


class TransportError(ClaudeSyncError):
    """The place where sessions meet can't be used."""


class StoreOffline(TransportError):
    """The place isn't there now: not mounted, host down, no network, not logged in."""

    passing = True


class StoreAbsent(StoreOffline):
    """The place is there again only once a person did something: mounted it, unlocked a key.

    It is looked for now and then all the same, and at once when a person does anything.
    """


class StoreDenied(TransportError):
    """The place is there, but refuses us."""


class StoreFull(TransportError):
    """No room is left on the place."""


class FileGone(TransportError):
    """The named file isn't there (any more)."""

    passing = True


class ClaudeHomeError(ClaudeSyncError):
    """Claude Code's own folder can't be used."""


class VaultError(ClaudeSyncError):
    """The vault can't keep a version, so nothing is replaced."""


class RecordsError(ClaudeSyncError):
    """This machine's records can't be opened."""


class LockBusy(ClaudeSyncError):
    """Another claude-sync of this user is at work."""

    passing = True


class Stopped(ClaudeSyncError):
    """Work ended early because it was asked to; nothing is half done."""

    passing = True
