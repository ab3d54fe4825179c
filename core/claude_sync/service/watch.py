"""The system's events that something changed, and whether they still come.

Events are hints: what they name is looked at, what they miss is found by a rescan. A handler does
nothing but pass a path on: an exception in it would end watchdog's thread for good while the
observer looks alive. Whether events still come is found out by making one, a heartbeat: in a
folder of our own, watched by the same observer, a file is made now and then, and its event has to
arrive. A watched folder that is removed and made again leaves its watch blind; so the folder's
identity is compared, and everything is built anew.
"""

from __future__ import annotations

import errno
import os
import time
import warnings
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from claude_sync.bundle.file_names import SUFFIX
from claude_sync.disk import files
from claude_sync.transports.base import MARKER_NAME, PLACEHOLDER_SUFFIX
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver

_JOIN_SECONDS = 0.5
_LIMITS_RETRY_SECONDS = 300.0
_HEARTBEAT_SECONDS = 3.0
_HEARTBEAT_FILE = "heartbeat"


class Area(Enum):
    """What may have changed."""

    SESSION = "session"
    COMPANION = "companion"
    LIVE = "live"
    STORE = "store"


Notify = Callable[[Area, str], None]
"""Called with what may have changed, and where: a path. From watchdog's thread."""

_Identity = tuple[int, int]


def concerns_store(path: str) -> bool:
    """Whether what lies at a path counts in a store: what is unfinished has other names."""
    return path.endswith((SUFFIX, MARKER_NAME, PLACEHOLDER_SUFFIX))


class _Root(NamedTuple):
    """A folder that is watched: what may change in it, and whether folders below it count."""

    area: Area
    path: Path
    deep: bool = True


class Watch:
    """Watches Claude's projects, what lies beside them, its live files, and a store that is local.

    Args:
        projects: Claude's projects folder.
        companions: folders beside that in which files of sessions lie, each with whether what lies
            in folders below it counts.
        live: its folder of live files.
        store: the store's root where it is local, else None.
        heartbeats: a folder of our own for `heartbeat` files; made with mode 0700 if missing.
        notify: called for every event; must return at once and never raise.

    Attributes:
        problem: why no events come, a sentence; "" if they do.
    """

    def __init__(
        self,
        *,
        projects: Path,
        companions: Mapping[Path, bool],
        live: Path,
        store: Path | None,
        heartbeats: Path,
        notify: Notify,
    ) -> None:
        self._roots = [_Root(Area.SESSION, projects), _Root(Area.LIVE, live, deep=False)]
        if store is not None:
            self._roots.append(_Root(Area.STORE, store))
        self._roots += [_Root(Area.COMPANION, path, deep) for path, deep in companions.items()]
        self._heartbeats = heartbeats
        self._notify = notify
        self._observer: BaseObserver | None = None
        self._watched: dict[_Root, _Identity | None] = {}
        self._heartbeat_sent_at: float | None = None
        self._heartbeat_seen = False
        self._not_before = 0.0
        self.problem = ""

    @property
    def is_blind(self) -> bool:
        """Whether no events can come for Claude's projects, so that they have to be polled."""
        return self._watched.get(self._roots[0]) is None

    def start(self) -> None:
        """Watch what is there."""
        from watchdog.observers import Observer

        # It watches a folder twice that is made while its parent is looked through, and says so.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning, "watchdog")
        self.problem = ""
        self._watched = {}
        self._heartbeat_sent_at = None
        observer: BaseObserver | None = None
        try:
            observer = Observer()
            observer.start()
            watched = {root: self._watch_root(observer, root) for root in self._roots}
            # Last, and a root of its own: watchdog skips folders below a root for which the system
            # has no watch left, but never a root.
            self._watch_heartbeats(observer)
        except OSError as error:
            self._become_blind(error, observer)
            return
        self._observer, self._watched = observer, watched

    def _become_blind(self, error: OSError, observer: BaseObserver | None) -> None:
        if error.errno in (errno.ENOSPC, errno.EMFILE, errno.ENFILE):
            self.problem = (
                "the system's limit on watched folders is reached, so changes are looked for "
                "every few seconds: raise fs.inotify.max_user_watches and max_user_instances"
            )
            # Each try takes the watches that are left from all other programs for a moment.
            self._not_before = time.monotonic() + _LIMITS_RETRY_SECONDS
        else:
            self.problem = (
                f"the system doesn't tell of changes ({error.strerror}), so they are looked for "
                "every few seconds"
            )
        if observer is not None:
            _end(observer)

    def _watch_root(self, observer: BaseObserver, root: _Root) -> _Identity | None:
        identity = _identity(root.path)
        if identity is None:
            return None
        notify, area = self._notify, root.area

        def tell(path: str) -> None:
            if area is not Area.STORE or concerns_store(path):
                notify(area, path)

        handler, wanted = _handler(tell)
        try:
            observer.schedule(handler, str(root.path), recursive=root.deep, event_filter=wanted)
        except FileNotFoundError:
            return None
        return identity

    def _watch_heartbeats(self, observer: BaseObserver) -> None:
        try:
            files.make_private(self._heartbeats)
        except OSError:
            return
        handler, wanted = _handler(self._on_heartbeat)
        observer.schedule(handler, str(self._heartbeats), event_filter=wanted)
        self._send_heartbeat()

    def _on_heartbeat(self, _path: str) -> None:
        self._heartbeat_seen = True

    def _send_heartbeat(self) -> None:
        """Make an event that has to arrive before the next `restart_if_dead`."""
        heartbeat = self._heartbeats / _HEARTBEAT_FILE
        self._heartbeat_seen = False
        try:
            files.remove(heartbeat)
            files.touch_private(heartbeat)
        except OSError:
            self._heartbeat_sent_at = None
        else:
            self._heartbeat_sent_at = time.monotonic()

    def _is_silent(self) -> bool:
        if self._heartbeat_seen or self._heartbeat_sent_at is None:
            return False
        return time.monotonic() - self._heartbeat_sent_at > _HEARTBEAT_SECONDS

    def restart_if_dead(self) -> list[Area]:
        """Check that everything is still watched, and watch everything anew if it isn't.

        Returns:
            where something may have changed unseen meanwhile.
        """
        if self._observer is not None and self._is_healthy(self._observer):
            if self._heartbeat_seen:
                self._send_heartbeat()
            return []
        if self._observer is None and time.monotonic() < self._not_before:
            return []
        self.stop()
        self.start()
        return list(dict.fromkeys(root.area for root in self._roots))

    def _is_healthy(self, observer: BaseObserver) -> bool:
        return (
            observer.is_alive()
            and all(emitter.is_alive() for emitter in observer.emitters)
            and not self._is_silent()
            and all(self._watched.get(root) == _identity(root.path) for root in self._roots)
        )

    def stop(self) -> None:
        """Stop watching."""
        observer, self._observer = self._observer, None
        self._watched = {}
        if observer is not None:
            _end(observer)


def _handler(
    notify: Callable[[str], None],
) -> tuple[FileSystemEventHandler, list[type[FileSystemEvent]]]:
    """A handler that passes paths on, and which events it wants: none of reading, which we do."""
    from watchdog import events

    class Handler(events.FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            for path in (event.src_path, event.dest_path):
                if path:
                    notify(os.fsdecode(path))

    return Handler(), [
        events.FileCreatedEvent,
        events.FileModifiedEvent,
        events.FileMovedEvent,
        events.FileDeletedEvent,
        events.DirCreatedEvent,
        events.DirMovedEvent,
        events.DirDeletedEvent,
    ]


def _end(observer: BaseObserver) -> None:
    if observer.is_alive():
        observer.stop()
        observer.join(_JOIN_SECONDS)


def _identity(root: Path) -> _Identity | None:
    try:
        status = os.stat(root)
    except OSError:
        return None
    return status.st_dev, status.st_ino
