"""Which arrivals are new, and since when others are known; stored, so no restart asks twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from claude_sync.model import Bundle, SessionState
from claude_sync.service.news import arriving
from claude_sync.service.status import Arrival
from claude_sync.state.cache import Cache

_SETTING = "arrivals"


class Arrivals:
    """What could be pulled, and since when that is known.

    Args:
        cache: of the store; the times are stored there.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._fresh: dict[str, Arrival] = {}
        self._seen = _read(cache.setting(_SETTING))

    def of(self, waiting: Iterable[tuple[SessionState, tuple[Bundle, ...]]]) -> list[Arrival]:
        """The arrivals of now, newest first.

        Args:
            waiting: each session that another machine holds a newer version of, and its bundles.
        """
        now = time.time()
        found: list[Arrival] = []
        seen: dict[str, float] = {}
        for state, bundles in waiting:
            head = arriving(state, bundles)
            if head is None:
                continue
            # What changed may be a task list alone.
            key = f"{head.session_id} {head.sha256} {head.sidecar_sha256}"
            seen[key] = self._seen.get(key, now)
            arrival = Arrival(
                state=state,
                machine=head.machine,
                version=head.version,
                seen_at=seen[key],
                here=state.path is not None,
                was_open=head.open,
                pushed_at=head.mtime_ns / 1e9,
            )
            found.append(arrival)
            if key not in self._seen:
                self._fresh[arrival.session_id] = arrival
        if seen != self._seen:
            self._seen = seen
            self._cache.put_setting(_SETTING, json.dumps(seen))
        return found

    def take_fresh(self) -> list[Arrival]:
        """Those that were seen for the first time since this was asked."""
        fresh, self._fresh = self._fresh, {}
        return list(fresh.values())


def _read(text: str) -> dict[str, float]:
    try:
        document = json.loads(text)
        return {str(key): float(value) for key, value in document.items()}
    except (ValueError, AttributeError, TypeError):
        return {}
