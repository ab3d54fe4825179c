"""What the transcripts that lie here are: read where their stamps are new, else remembered."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from claude_sync.claude.session_files import signature_of
from claude_sync.claude.slugs import Known
from claude_sync.errors import SessionError
from claude_sync.model import LocalSession, Version
from claude_sync.state.cache import LocalRow
from claude_sync.sync.context import Context

# What reads transcripts is imported where one is read: most looks find none that has changed.
if TYPE_CHECKING:
    from claude_sync.claude.transcript import Summary
    from claude_sync.store.delta import LinePrefix, LocalBase

_ROWS_A_FLUSH = 500
AHEAD_BYTES = 128 << 20
"""About as much as is read while a host answers."""


class LocalRows:
    """The rows of all transcripts here, by the path of each.

    Every method that reads may raise RecordsError, and Stopped where `context` says so.

    Args:
        context: what to work with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rows = context.cache.local_rows()
        self._new: dict[str, LocalRow] = {}
        self._summaries: dict[str, Summary] = {}
        self._lines: dict[str, LinePrefix] = {}
        self._signatures: dict[str, tuple[object, str]] = {}

    def slug(self, transcript: Path) -> Known | None:
        """The last slug that a transcript was found to have, and when; None where nobody looked."""
        row = self._rows.get(str(transcript))
        return None if row is None or row.slug is None else (row.stamp, row.slug)

    def _signature(self, local: LocalSession) -> str:
        """Of a session as it was listed: it is asked for again and again."""
        if not local.sidecar:
            return ""
        key = str(local.path)
        known = self._signatures.get(key)
        if known is None or known[0] is not local.sidecar:
            known = self._signatures[key] = (local.sidecar, signature_of(local))
        return known[1]

    def known(self, local: LocalSession) -> LocalRow | None:
        """What a session is, if that is known without reading it."""
        row = self._rows.get(str(local.path))
        if row is None or row.stamp != local.stamp or row.sidecar != self._signature(local):
            return None
        return row

    def row(self, local: LocalSession) -> LocalRow:
        """What a session is; read if its stamps are new.

        Raises:
            SessionError: it vanished, or is being rewritten.
        """
        row = self.known(local)
        if row is None:
            key = str(local.path)
            before = self._rows.get(key)
            from claude_sync.sync.survey.read_session import read_session

            row = read_session(
                local,
                self._signature(local),
                before,
                lambda: self._context.records.session(local.session_id).layout,
                self._context.check,
            )
            self._rows[key] = self._new[key] = row
            if len(self._new) >= _ROWS_A_FLUSH:
                self._write()
        return row

    def summary(self, local: LocalSession) -> Summary:
        """What both ends of a transcript say; the rest of it isn't read for that.

        Raises:
            SessionUnreadable: it can't be read until someone acts.
        """
        from claude_sync.claude.transcript import Summary
        from claude_sync.sync.survey.read_session import summarize_file

        key = str(local.path)
        row = self._rows.get(key)
        if row is not None and row.stamp == local.stamp:
            return Summary(row.cwds, row.title, begun=row.cut.size > 0)
        if key not in self._summaries:
            self._summaries[key] = summarize_file(local)
        return self._summaries[key]

    def cwds(self, local: LocalSession) -> tuple[str, ...]:
        """The working directories that both ends of a transcript name, the likeliest first.

        Raises:
            SessionUnreadable: it can't be read until someone acts.
        """
        row = self._rows.get(str(local.path))
        if row is not None and row.stamp == local.stamp:
            return row.cwds
        return self.summary(local).cwds

    def below(self, path: Path) -> list[str]:
        """The paths of the transcripts that are known to lie at a path or below it."""
        beginning = str(path / "_")[:-1]
        return [one for one in self._rows if one == str(path) or one.startswith(beginning)]

    def in_folder(self, folder: Path) -> list[str]:
        """The sessions that are known to lie in a folder."""
        return [Path(path).stem.lower() for path in self.below(folder)]

    def learn(self, local: LocalSession, version: Version, sidecar_sha256: str) -> None:
        """Take over what a session proved to be when it was read elsewhere, with these stamps."""
        from claude_sync.sync.survey.read_session import row_of

        key, row = str(local.path), row_of(local, self.summary(local), version, sidecar_sha256)
        self._rows[key] = self._new[key] = row

    def read_ahead(self, sessions: Iterable[LocalSession]) -> None:
        """Read those whose stamps are new, as many as aren't too much to wait for."""
        for local in _few(one for one in sessions if self.known(one) is None):
            with suppress(SessionError):  # it comes again where this one is needed
                self.row(local)

    def measure_ahead(self, sessions: Iterable[LocalSession]) -> None:
        """Measure transcripts, for what `here` tells of them, as many as aren't too much."""
        from claude_sync.store.delta import measure

        for local in _few(sessions):
            with suppress(OSError):  # it is measured where this one is needed
                self._lines[str(local.path)] = measure(local, self._context.check)

    def here(self, local: LocalSession) -> LocalBase:
        """A session as it lies here, for bringing a newer one with few bytes.

        Raises:
            SessionError: it vanished, or is being rewritten.
        """
        from claude_sync.store.delta import LocalBase

        return LocalBase(local, self.row(local).sidecar_sha256, self._lines.get(str(local.path)))

    def flush(self, here: Container[str]) -> None:
        """Write what was read into the cache, and drop those whose paths aren't here."""
        self._take_slugs()
        gone = [path for path in self._rows if path not in here]
        if not self._new and not gone:
            return
        with self._context.database.transaction():
            self._write()
            self._context.cache.drop_local(gone)
        for path in gone:
            del self._rows[path]

    def _take_slugs(self) -> None:
        """Add to the rows what was found of slugs meanwhile."""
        for path, (stamp, slug) in self._context.home.slugs.learned.items():
            row = self._rows.get(path)
            if row is not None and row.stamp == stamp and row.slug != slug:
                self._rows[path] = self._new[path] = row._replace(slug=slug)

    def _write(self) -> None:
        with self._context.database.transaction():
            self._context.cache.put_local(self._new)
        self._new = {}


def _few(sessions: Iterable[LocalSession]) -> Iterator[LocalSession]:
    """Those that are read while a host answers; one that is too big is skipped."""
    left = AHEAD_BYTES
    for local in sessions:
        if local.stamp.size <= left:
            left -= local.stamp.size
            yield local
