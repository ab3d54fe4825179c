"""When a store that can't be used is tried again."""

from __future__ import annotations

import pytest

from claude_sync.errors import ClaudeSyncError, StoreAbsent, StoreOffline
from claude_sync.service import schedule
from claude_sync.service.outage import after_failing


@pytest.mark.parametrize(
    ("error", "soon"),
    [
        (StoreOffline("the host doesn't answer"), True),
        (StoreOffline("the password is asked for", passing=False), False),
        (StoreAbsent("the disk isn't mounted"), False),
    ],
    ids=["that comes back", "that wants a password", "that wants to be mounted"],
)
def test_a_store_is_tried_soon_again_unless_it_waits_for_a_person(
    error: ClaudeSyncError, soon: bool
) -> None:
    outage = after_failing(None, error, jitter=0.5)
    assert (outage.retry_seconds <= schedule.FIRST_RETRY_SECONDS) is soon
    assert outage.retry_seconds <= schedule.LONGEST_RETRY_SECONDS
    again = after_failing(outage, error, jitter=0.5)
    assert again.failures == 2
    assert (again.retry_seconds > outage.retry_seconds) is soon
