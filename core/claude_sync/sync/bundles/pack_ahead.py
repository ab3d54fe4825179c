"""Packing what will most likely be pushed, while a distant store answers what lies there.

What is made is used only where the answer leaves everything as it was thought to be; so nothing
depends on it but time.
"""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.errors import ClaudeSyncError, RecordsError, Stopped
from claude_sync.model import LocalSession
from claude_sync.store.packing import Outgoing, PackedAhead, pack_ahead
from claude_sync.sync.bundles.label import label_of
from claude_sync.sync.bundles.naming import is_ignored
from claude_sync.sync.context import Context
from claude_sync.sync.survey.comparisons import remember_extension
from claude_sync.sync.survey.local_rows import AHEAD_BYTES
from claude_sync.sync.survey.survey import Survey

_HELD_BYTES = 8 << 20
WORTH_IT_BYTES = 1 << 20
"""A smaller session is packed as quickly as it is written."""


class PackingAhead:
    """Sessions that were packed ahead.

    Args:
        context: what to work with.
        named: beginnings of the ids of those that will be pushed, None for all that changed.
        project: only sessions of this project key.
    """

    def __init__(
        self, context: Context, named: Sequence[str] | None = None, project: str | None = None
    ) -> None:
        self._context = context
        self._named = named
        self._project = project
        self._made: dict[str, PackedAhead] = {}

    def meanwhile(self, survey: Survey) -> None:
        """Read what is new here, and pack the big ones of it that were pushed before.

        Raises:
            RecordsError, Stopped: any other error comes again when that session is pushed.
        """
        survey.read_ahead(self._named)
        if self._context.store.encrypted:
            return  # what is sealed can't be put together from what is thought to lie there
        left, room = AHEAD_BYTES, _HELD_BYTES
        for local in survey.alone(self._named):
            size = local.stamp.size + sum(stamp.size for _, stamp in local.sidecar)
            if size < WORTH_IT_BYTES or size > left:
                continue
            try:
                outgoing = self._outgoing(survey, local)
                if outgoing is None:
                    continue
                left -= size
                made = self._pack(outgoing, room)
            except (Stopped, RecordsError):
                raise
            except ClaudeSyncError:
                continue
            if made is not None:
                self._made[local.session_id] = made
                room -= made.held

    def take(self, session_id: str) -> PackedAhead | None:
        """A session as it was packed ahead; once."""
        return self._made.pop(session_id, None)

    def _pack(self, outgoing: Outgoing, room: int) -> PackedAhead | None:
        made, base = pack_ahead(outgoing, room, self._context.check), outgoing.base
        if made is None or base is None:
            return None
        if made.extends and made.version != base.head.version:
            # So nobody reads it once more to know what it was packed from.
            remember_extension(self._context.records, made.version, base.head.version)
        return made

    def _outgoing(self, survey: Survey, local: LocalSession) -> Outgoing | None:
        """How a session will be written if the store is as it was at the last look."""
        context, session_id = self._context, local.session_id
        remembered, row = survey.record(session_id), survey.rows.known(local)
        base = context.store.remembered(remembered.name) if remembered.name else None
        if row is None or base is None or base.head.version != remembered.written:
            return None
        version = survey.version(local)
        if (version, row.sidecar_sha256) == (base.head.version, base.head.sidecar_sha256):
            return None
        if context.decisions.of(session_id).forgotten and self._named is None:
            return None
        belongs = survey.project(local)
        if belongs is None or (self._project is not None and belongs.key != self._project):
            return None
        if (
            self._named is None
            and self._project is None
            and is_ignored(belongs.key, context.preferences.ignore)
        ):
            return None
        # Only its beginning counts yet: when it is sent, all of it is made afresh.
        label = label_of(
            context,
            survey,
            local,
            project=belongs,
            revision=remembered.revision,
            mtime_ns=local.stamp.mtime_ns,
        )
        return Outgoing(
            base.name,
            local,
            label,
            expected=version,
            whole_lines=label.open,
            base=base,
            layout=remembered.layout,
        )
