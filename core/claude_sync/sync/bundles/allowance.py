"""How much may still be pushed to a cloud today.

What goes by itself is held back once the day's bytes are used up: a session that grows all day is
sent whole each time, since no cloud takes only the growth. What a person names goes all the same,
and counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date

from claude_sync.errors import ClaudeSyncError, Stopped
from claude_sync.model import Bundle, LocalSession, SessionState, State
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey
from claude_sync.wording import size

_SENT = "sent-on"


def bytes_to_send(context: Context, local: LocalSession, own: Bundle | None) -> int:
    """About how many bytes a push sends; where they are compressed, by how the older ones were.

    Args:
        context: what is worked with.
        local: the session.
        own: this machine's bundle of it in the store, None where there is none.
    """
    size = local.total_bytes
    if own is None or not context.store.encrypted or not own.head.encoded_size:
        return size
    return size * min(own.stamp.size, own.head.encoded_size) // own.head.encoded_size


def held_back(context: Context, survey: Survey, states: Iterable[SessionState]) -> frozenset[str]:
    """Ids of the sessions that a push of all would hold back today, though they have changed."""
    if not context.daily_limit:
        return frozenset()
    changed = (one for one in states if one.state is State.CHANGED)
    going = {one.session_id for one in changed if not (one.ignored or one.forgotten)}
    allowance, held = Allowance(context, named=False), set()
    for session_id in sorted(going):  # in the order of a push
        try:
            local = survey.copy(session_id)
        except Stopped:
            raise
        except ClaudeSyncError:
            continue  # a push says what is wrong with it
        if local is None:
            continue
        own = survey.split(session_id)[0]
        if not allowance.allows(bytes_to_send(context, local, own)):
            held.add(session_id)
    return frozenset(held)


class Allowance:
    """What is left of a day's bytes; they are counted with the records of the store.

    Args:
        context: what is worked with.
        named: whether a person named what is pushed: then nothing is held back.

    Attributes:
        sent: bytes that went today.
    """

    def __init__(self, context: Context, *, named: bool) -> None:
        self._context = context
        self._limit = context.daily_limit
        self._named = named
        self._today = date.today().isoformat()
        self.sent = self._known() if self._limit else 0
        self._planned = 0

    def _known(self) -> int:
        try:
            day, sent = json.loads(self._context.cache.setting(_SENT) or "[]")
            return int(sent) if day == self._today else 0
        except (ValueError, TypeError):
            return 0

    def allows(self, count: int) -> bool:
        """Whether so many more bytes may go; the first of a day may, however many they are."""
        if not self._limit or self._named:
            return True
        used = self.sent + self._planned
        if used and used + count > self._limit:
            return False
        self._planned += count
        return True

    def spend(self, count: int) -> None:
        """So many bytes were sent."""
        if self._limit and count:
            self.sent += count
            with self._context.database.transaction():
                self._context.cache.put_setting(_SENT, json.dumps([self._today, self.sent]))

    def explanation(self) -> str:
        """Why something is held back, and what to do."""
        return (
            f"no more than {size(self._limit)} a day go to a cloud by themselves "
            "(cloud_megabytes_a_day); the rest is pushed tomorrow, or now if it is named"
        )
