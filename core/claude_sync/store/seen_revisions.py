"""The greatest revision that each file of an encrypted store was seen to have.

Its files can't be forged, but an older one can be put back whole. One whose revision is lower than
one that was seen before is left out, until that is there again or its machine has written a newer
one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from functools import cached_property

from claude_sync.errors import BundleRolledBack
from claude_sync.model import Bundle, Outcome, SkippedFile
from claude_sync.state.cache import Cache

_SEEN = "revisions"
_NEVER = (0, "")


class Seen:
    """What was seen of one store.

    Args:
        cache: where it is kept.

    Attributes:
        is_new: whether something was noted that isn't kept yet.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self.is_new = False

    @cached_property
    def _known(self) -> dict[str, tuple[int, str]]:
        """By session and machine id: the greatest revision, and the file that had it."""
        try:
            rows = json.loads(self._cache.setting(_SEEN) or "{}")
            return {str(of): (int(revision), str(file)) for of, (revision, file) in rows.items()}
        except (ValueError, TypeError, AttributeError):
            return {}

    def greatest(self, session_id: str, machine_id: str) -> int:
        """The greatest revision of a machine's file of a session; 0 where none was seen."""
        return self._known.get(f"{session_id.lower()} {machine_id}", _NEVER)[0]

    def files(self) -> dict[str, str]:
        """The session of each file that was seen, by the file's name without its folder."""
        return {file: of.partition(" ")[0] for of, (_, file) in self._known.items()}

    def older(self, bundles: Collection[Bundle]) -> list[Bundle]:
        """Which bundles are older than ones that were seen and aren't there any more.

        What is greater than was seen is noted. An older one beside the greatest was left by a
        writer that was cut off, or copied by a sync tool: it loses to that as in any store.
        """
        known = self._known
        there: dict[str, int] = {}
        for bundle in bundles:
            of, revision = _of(bundle), bundle.head.revision
            there[of] = max(revision, there.get(of, 0))
            if revision > known.get(of, _NEVER)[0]:
                file = bundle.name.rpartition("/")[2]
                known[of], self.is_new = (revision, file), True
        return [one for one in bundles if there[_of(one)] < known.get(_of(one), _NEVER)[0]]

    def keep(self) -> None:
        """Remember what was noted."""
        self._cache.put_setting(_SEEN, json.dumps(self._known))
        self.is_new = False

    def count_as_older(self, bundles: Iterable[Bundle]) -> None:
        """Count bundles that were removed as older than what lay there: they may be put back."""
        for bundle in bundles:
            of = _of(bundle)
            revision, file = self._known.get(of, _NEVER)
            self._known[of] = (max(revision, bundle.head.revision + 1), file)
        self.keep()

    def forget(self) -> None:
        """Forget all of it."""
        self._known.clear()
        self.keep()


def _of(bundle: Bundle) -> str:
    return f"{bundle.head.session_id.lower()} {bundle.head.machine_id}"


def rolled_back(bundle: Bundle) -> SkippedFile:
    """What is said of a bundle that is older than one that was seen."""
    message = "older than what lay there before: an old file was put back"
    return SkippedFile(
        bundle.name,
        Outcome.FAILED,
        message,
        session_id=bundle.head.session_id,
        kind=BundleRolledBack.__name__,
    )
