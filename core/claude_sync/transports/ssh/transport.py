"""A directory on a host that ssh reaches.

One running script on the host serves many calls, one after the other, and requests are sent ahead
of answers, so that many files don't cost a round trip each. See `script` for what runs there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from claude_sync.errors import FileGone, TransportError
from claude_sync.transports.base import (
    ChangeWatch,
    Ends,
    Get,
    Got,
    Listing,
    PendingListing,
    Put,
    Written,
    is_usable_name,
    no_ends,
    stopped,
    unusable_name,
)
from claude_sync.transports.location import HostLocation
from claude_sync.transports.ssh.answers import listing_from, usable_digest
from claude_sync.transports.ssh.command import ssh_argv
from claude_sync.transports.ssh.errors import (
    cant_make,
    file_refused,
    file_unreadable,
    home_missing,
)
from claude_sync.transports.ssh.reading import (
    BYTES_AT_ONCE,
    NAMES_AT_ONCE,
    UNREADABLE,
    Stream,
    ahead,
    answer_words,
    bytes_asked,
    check_store,
    cut_ends,
    ends_request,
    gathered,
    gets_request,
    is_wanted,
    length_of,
    read_files,
    read_stamps,
)
from claude_sync.transports.ssh.script import CUTTING, HASHING, READING, WRITING, spelled
from claude_sync.transports.ssh.session import Session
from claude_sync.transports.ssh.watching import HostWatch
from claude_sync.transports.ssh.writing import Upload

_IDLE_SECONDS = 20.0
_ATTEMPTS = 3
# Of one listing. A store has a file for each session and machine.
_MOST_ENTRIES = 250_000
_MOST_LISTING_BYTES = 64 << 20


class SshTransport:
    """A `Transport` over ssh.

    Args:
        location: the host and the directory on it.
        command: what stands for ``ssh``; empty for ``ssh``.
        runtime: a directory for the shared connection's socket; made with mode 0700 if missing.
    """

    remote = True

    def __init__(self, location: HostLocation, command: Sequence[str], runtime: Path) -> None:
        self._location = location
        self._command = list(command)
        self._runtime = runtime
        self._stopped = False
        self._marked = False
        self._proves = True
        self._idle: list[Session] = []
        self._running: set[Session] = set()
        self._lock = threading.Lock()

    @property
    def location(self) -> str:
        return self._location.spelling

    @property
    def label(self) -> str:
        return self._location.host

    # --- sessions ------------------------------------------------------------------------------

    @contextmanager
    def _session(self, *parts: str) -> Iterator[Session]:
        """A session for one call. It is kept for the next one if the call went well.

        Args:
            parts: what the script needs to know for it.
        """
        with self._kept(self._take()) as session:
            session.need(*parts)
            yield session

    @contextmanager
    def _kept(self, session: Session) -> Iterator[Session]:
        try:
            yield session
        except BaseException:
            self._let_go(session)
            raise
        self._idle.append(session)

    def _take(self) -> Session:
        if self._stopped:
            raise stopped()
        while self._idle:
            session = self._idle.pop()
            # What was idle for long may have lost its connection unnoticed: a laptop that slept.
            if session.is_running and time.monotonic() - session.used < _IDLE_SECONDS:
                return session
            self._let_go(session)
        argv = ssh_argv(self._command, self._location, self._runtime)
        session = Session(argv, self._location, lambda: self._stopped)
        with self._lock:
            self._running.add(session)
        return session

    def _let_go(self, session: Session) -> None:
        with self._lock:
            self._running.discard(session)
        session.close()

    def watch_changes(self) -> ChangeWatch:
        return HostWatch(self._location, self._command, self._runtime)

    def interrupt(self) -> None:
        self._stopped = True
        with self._lock:
            running = list(self._running)
        for session in running:
            session.end()

    def close(self) -> None:
        self._idle.clear()
        with self._lock:
            running = list(self._running)
        # Also those of iterators that were left in the middle and are still alive.
        for session in running:
            self._let_go(session)

    # --- listing -------------------------------------------------------------------------------

    def list_files(self, known: Listing | None = None) -> Listing:
        with self.start_listing(known) as answer:
            return answer()

    @contextmanager
    def start_listing(self, known: Listing | None = None) -> Iterator[PendingListing]:
        digest = usable_digest(known.digest) if known is not None else ""
        session = self._take()
        unanswered = True

        def answer() -> Listing:
            nonlocal unanswered
            unanswered = False
            # From here on it is there for the next call: what is new is read over it at once.
            with self._kept(session):
                session.wait_from_now()
                return self._listing(session, known)

        try:
            session.send(b"L %s\n" % (digest or "none").encode())
            yield answer
        finally:
            if unanswered:
                self._let_go(session)

    def _listing(self, session: Session, known: Listing | None) -> Listing:
        words = self._words(session)
        if words == ["same"] and known is not None:
            listing: Listing | None = known
        elif words[0] == "look" and len(words) == 2:
            # Taken to its end before a line is looked into: one that never ends costs less so.
            lines = list(session.lines(_MOST_ENTRIES, _MOST_LISTING_BYTES))
            listing = listing_from(words[1], lines)
        else:
            listing = None
        if listing is None:
            raise session.nonsense()
        self._marked = listing.marker is not None
        if known is not None and not listing.digest and known == listing:
            return known
        return listing

    def _words(self, session: Session) -> list[str]:
        return answer_words(session, self._where())

    # --- reading -------------------------------------------------------------------------------

    def ends(self, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
        if not names:
            return
        at_once = max(1, min(NAMES_AT_ONCE, 4 * BYTES_AT_ONCE // max(1, head + tail)))
        batches = [names[at : at + at_once] for at in range(0, len(names), at_once)]
        with self._session(CUTTING, READING) as session:
            for batch in ahead(
                session, batches, lambda batch: ends_request(_usable(batch), head, tail)
            ):
                found = self._ends(session, _usable(batch), head, tail)
                for name in batch:
                    if found is None:
                        yield self._ends_alone(name, head, tail)
                    else:
                        yield found.get(name) or self._no_ends(name)

    def _ends(
        self, session: Session, names: Sequence[str], head: int, tail: int
    ) -> dict[str, Ends] | None:
        """The next answer; None if a file changed while it was given."""
        most = len(names) * (head + tail)
        files = read_files(session, "ends", len(names), self._where(), most)
        data = b"".join(session.counted(files.total))
        if not files.is_settled(read_stamps(session, len(names))):
            return None
        found = cut_ends(names, files, data, head=head, tail=tail)
        for name, mark in zip(names, files.marks, strict=True):
            if mark == UNREADABLE:
                found[name] = no_ends(name, self._not_given(name, mark))
        return found

    def _ends_alone(self, name: str, head: int, tail: int) -> Ends:
        for _ in range(_ATTEMPTS if is_usable_name(name) else 0):
            with self._session(CUTTING, READING) as session:
                session.send(ends_request([name], head, tail))
                found = self._ends(session, [name], head, tail)
            if found is not None:
                return found.get(name) or self._no_ends(name)
        return self._no_ends(name)

    def _no_ends(self, name: str) -> Ends:
        return no_ends(name, self._gone(name))

    def digests(self, gets: Sequence[Get]) -> list[str | None]:
        answers: list[str | None] = []
        if not gets:
            return answers
        batches = [gets[at : at + NAMES_AT_ONCE] for at in range(0, len(gets), NAMES_AT_ONCE)]
        with self._session(HASHING, CUTTING, READING) as session:
            for batch in ahead(session, batches, lambda b: gets_request("K", _usable_gets(b))):
                found = iter(self._digests(session, _usable_gets(batch)))
                answers += [next(found) if is_usable_name(get.name) else None for get in batch]
        return answers

    def _digests(self, session: Session, gets: Sequence[Get]) -> list[str | None]:
        files = read_files(session, "digests", len(gets), self._where(), bytes_asked(gets))
        lines = [session.line().decode("ascii", "replace") for _ in gets]
        if not files.is_settled(read_stamps(session, len(gets))):
            return [None] * len(gets)
        answers: list[str | None] = []
        for get, mark, stamp, line in zip(gets, files.marks, files.stamps, lines, strict=True):
            whole = stamp is not None and all(
                piece.length < 0 or piece.offset + piece.length <= stamp.size
                for piece in get.ranges
            )
            known = len(line) == 64 and whole and is_wanted(get, mark, stamp)
            answers.append(line if known else None)
        return answers

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        batches = gathered(gets)
        first = next(batches, None)
        if first is None:
            return
        with self._session(CUTTING, READING) as session:
            for batch in ahead(
                session, chain([first], batches), lambda b: gets_request("G", _usable_gets(b))
            ):
                if len(batch) == 1:
                    yield from self._stream(session, batch[0])
                else:
                    yield from self._several(session, batch)

    def _stream(self, session: Session, get: Get) -> Iterator[Got]:
        """The answer to one get, as it comes."""
        asked = _usable_gets([get])
        answer = Stream(session, asked, self._where())

        def blocks() -> Iterator[bytes]:
            if not answer.is_wanted():
                raise self._not_given(get.name, answer.mark)
            for piece in answer.pieces():
                self._check_stopped()
                yield piece
            self._check_stopped()
            if not answer.finish():
                raise self._gone(get.name)

        yield Got(get.name, blocks())
        answer.finish()

    def _several(self, session: Session, gets: Sequence[Get]) -> Iterator[Got]:
        """The answer to several small gets, once it is sure that they can be separated."""
        asked = _usable_gets(gets)
        files = read_files(session, "gets", len(asked), self._where(), bytes_asked(asked))
        data = b"".join(session.counted(files.total))
        if not files.is_settled(read_stamps(session, len(asked))):
            for get in gets:
                yield from self._alone(get)
            return
        found: dict[int, bytes | TransportError] = {}
        at = 0
        for get, mark, stamp in zip(asked, files.marks, files.stamps, strict=True):
            size = length_of(get.ranges, stamp.size) if stamp is not None and mark == "+" else 0
            wanted = is_wanted(get, mark, stamp)
            found[id(get)] = data[at : at + size] if wanted else self._not_given(get.name, mark)
            at += size
        for get in gets:
            yield Got(get.name, self._blocks(found.get(id(get), self._gone(get.name))))

    def _alone(self, get: Get) -> Iterator[Got]:
        with self._session(CUTTING, READING) as session:
            session.send(gets_request("G", _usable_gets([get])))
            yield from self._stream(session, get)

    def _blocks(self, data: bytes | TransportError) -> Iterator[bytes]:
        self._check_stopped()
        if isinstance(data, TransportError):
            raise data
        yield data

    # --- writing -------------------------------------------------------------------------------

    def write(self, puts: Iterable[Put]) -> Iterator[Written]:
        with self._session(HASHING, CUTTING, WRITING) as session:
            upload = Upload(session, self._where, self._check_stopped)
            upload.marked, upload.proves = self._marked, self._proves
            yield from upload.run(puts)
            self._proves = upload.proves

    def remove(self, names: Sequence[str]) -> None:
        if not all(map(is_usable_name, names)):
            raise unusable_name()
        with self._session() as session:
            batches = [names[at : at + NAMES_AT_ONCE] for at in range(0, len(names), NAMES_AT_ONCE)]
            for _ in ahead(session, batches, _remove_request):
                words = self._words(session)
                if words != ["ok"]:
                    raise file_refused(" ".join(words[1:]), self._where())

    def create(self) -> None:
        with self._session() as session:
            session.send(b"M\n")
            words = session.words()
            if words == ["ok"]:
                return
            if words == ["no", "nohome"]:
                raise home_missing(self._location.host)
            if len(words) > 2 and words[1] == "offline":
                raise cant_make(" ".join(words[2:]), self._where())
            check_store(words, self._where())
            raise session.nonsense()

    # --- for errors --------------------------------------------------------------------------

    def _check_stopped(self) -> None:
        if self._stopped:
            raise stopped()

    def _where(self, name: str = "") -> str:
        path = f"{self._location.path}/{name}" if is_usable_name(name) else self._location.path
        return f"{self._location.host}:{path}"

    def _not_given(self, name: str, mark: str) -> TransportError:
        """Why nothing comes of a file, by what the script says of it."""
        if mark == UNREADABLE:
            return file_unreadable(self._where(name))
        return self._gone(name)

    def _gone(self, name: str) -> FileGone:
        return FileGone(
            "a file is gone, or has changed since it was listed",
            where=self._where(name),
            todo="look again",
        )


def _usable(names: Sequence[str]) -> list[str]:
    return [name for name in names if is_usable_name(name)]


def _usable_gets(gets: Sequence[Get]) -> list[Get]:
    return [get for get in gets if is_usable_name(get.name)]


def _remove_request(names: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in [f"R {len(names)}", *map(spelled, names)]).encode()
