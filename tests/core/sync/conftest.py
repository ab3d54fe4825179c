from __future__ import annotations

import pytest

from machines import SESSION, Pair, said


@pytest.fixture
def diverged(pair: Pair) -> Pair:
    """The same session continued on both; both have pushed."""
    for machine in pair:
        machine.write(SESSION, said(f"on {machine.name}"))
        machine.push()
    return pair
