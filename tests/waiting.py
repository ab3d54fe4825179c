"""Waiting for what is going to come, without asking how long that takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""For what comes at once on an idle machine; eight test runs at once, on two cores, take their
time."""

_BETWEEN_LOOKS_SECONDS = 0.005


def until(
    get: Callable[[], T],
    wanted: Callable[[T], object] = bool,
    seconds: float = PATIENCE_SECONDS,
) -> T:
    """Wait for something to come true.

    Args:
        get: looks.
        wanted: whether what it returned is what is waited for.
        seconds: after which it counts as never coming.

    Returns:
        what `get` returned in the end.

    Raises:
        AssertionError: it never came; with what was there instead.
    """
    end = time.monotonic() + seconds
    while not wanted(value := get()):
        assert time.monotonic() < end, f"still {value!r} after {seconds} s"
        time.sleep(_BETWEEN_LOOKS_SECONDS)
    return value
