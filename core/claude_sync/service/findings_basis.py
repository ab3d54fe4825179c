"""What the doctor's findings depend on and is seen to change. Pure."""

from __future__ import annotations

from claude_sync.service.status import Status


def circumstances(status: Status) -> object:
    """Equal to what it was before unless findings may be mended, or new ones be there."""
    return (
        status.offline_since is None,
        status.error,
        frozenset(one.session_id for one in status.conflicts),
    )
