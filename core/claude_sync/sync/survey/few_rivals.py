"""Finding out, and remembering, which of many versions of a session are compared.

What came of it is kept with what it came from, so that nothing is read again as long as neither
the store's versions of the session nor what lies here has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from claude_sync.errors import SessionCrowded
from claude_sync.model import Bundle
from claude_sync.sync.context import Context
from claude_sync.sync.crowd import few
from claude_sync.sync.rivals import Mine
from claude_sync.sync.survey.comparisons import Comparisons

_KEPT = "few-of-many "


def few_rivals(
    context: Context, comparisons: Comparisons, mine: Mine | None, rivals: Sequence[Bundle]
) -> tuple[Bundle, ...]:
    """Of rivals of one session that are many versions those that count.

    Args:
        context: what to work with.
        comparisons: what versions begin with; for what is read.
        mine: the transcript here, None where there is none.
        rivals: bundles, of more versions than are compared.

    Raises:
        SessionCrowded: more are left than are compared.
        BundleError, TransportError, SessionError: one can't be read.
    """
    setting = f"{_KEPT}{rivals[0].head.session_id}"
    asked = _asked(mine, rivals)
    kept = _kept(context.cache.setting(setting))
    if kept.get("asked") == asked:
        if "why" in kept:
            raise SessionCrowded(str(kept["why"]), todo=str(kept["todo"]))
        left = {*kept["left"]}
        return tuple(rival for rival in rivals if rival.name in left)
    try:
        found = few(mine, rivals, comparisons.known, comparisons.beginnings, comparisons.learn)
    except SessionCrowded as crowded:
        kept = {"asked": asked, "why": crowded.what, "todo": crowded.todo}
        context.cache.put_setting(setting, json.dumps(kept))
        raise
    kept = {"asked": asked, "left": [rival.name for rival in found]}
    context.cache.put_setting(setting, json.dumps(kept))
    return found


def _asked(mine: Mine | None, rivals: Sequence[Bundle]) -> str:
    """A digest of all that decides."""
    digest = hashlib.sha256(repr(None if mine is None else _deciding(mine)).encode())
    for rival in sorted(rivals, key=lambda one: one.name):
        head = rival.head
        digest.update(repr((rival.name, *head.version, head.supersedes, head.decision)).encode())
    return digest.hexdigest()


def _deciding(mine: Mine) -> tuple[Any, ...]:
    return (*mine.version, sorted(mine.supersedes), mine.decision)


def _kept(text: str) -> dict[str, Any]:
    try:
        kept = json.loads(text or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}
