from __future__ import annotations

import pytest

from machines import SESSION, Pair, said


@pytest.fixture
def apart(pair: Pair) -> Pair:
    """The same session gone on with on both; both have pushed."""
    for machine in pair:
        machine.write(SESSION, said(f"on {machine.name}"))
        machine.push()
    return pair
