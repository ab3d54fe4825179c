"""What bundles are called, and which projects are ignored."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from claude_sync.sync.bundles.naming import ignore_pattern, is_ignored


def test_patterns_fit_keys_in_any_case() -> None:
    assert is_ignored("git:host/you/app", ["other", "GIT:HOST/You/*"])
    assert not is_ignored("git:host/you/app", ["git:host/me/*"])
    assert not is_ignored("git:host/you/app", [])


@given(st.text(), st.text())
def test_a_project_is_ignored_by_its_own_pattern_and_no_other_project_is(
    key: str, other: str
) -> None:
    key, other = key.lower(), other.lower()
    assert is_ignored(key, [ignore_pattern(key)])
    assert is_ignored(other, [ignore_pattern(key)]) == (other == key)
