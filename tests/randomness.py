"""How many random cases are tried: few by default, all of them in CI."""

from __future__ import annotations

from hypothesis import settings

THOROUGH_EXAMPLES = 100
QUICK_EXAMPLES = 20


def examples(thorough: int) -> int:
    """How many to try under the profile that was chosen.

    Args:
        thorough: how many with ``--hypothesis-profile=thorough``; a fifth of it otherwise.
    """
    return max(1, thorough * settings().max_examples // THOROUGH_EXAMPLES)
