r"""How a system spells a path: case, length, and links of a drive that `subst` made."""

from __future__ import annotations

import pytest

from claude_sync.errors import VaultError
from claude_sync.spelling import extended, links_followed, plain, same_case

LINKS = {
    "W:\\link": "real\\deep",
    "W:\\away": "\\\\?\\D:\\elsewhere",
    "W:\\share": "\\\\?\\UNC\\nas\\code",
    "W:\\circle": "W:\\circle",
}


@pytest.mark.parametrize(
    ("path", "long"),
    [
        ("C:\\Users\\me", "\\\\?\\C:\\Users\\me"),
        ("C:/Users/me/../you", "\\\\?\\C:\\Users\\you"),
        ("\\\\nas\\code\\app", "\\\\?\\UNC\\nas\\code\\app"),
        ("\\\\?\\C:\\Users\\me", "\\\\?\\C:\\Users\\me"),
        ("\\no\\drive", "\\no\\drive"),
        ("relative", "relative"),
    ],
)
def test_windows_takes_an_absolute_path_at_any_length(path: str, long: str) -> None:
    assert extended(path, "win32") == long
    assert extended(path, "linux") == path


def test_an_error_names_a_path_as_a_person_writes_it() -> None:
    assert plain(extended("\\\\nas\\code", "win32")) == "\\\\nas\\code"
    assert "(C:\\Users\\me)" in str(VaultError("full", where=extended("C:\\Users\\me", "win32")))


@pytest.mark.parametrize(("system", "same"), [("win32", True), ("darwin", True), ("linux", False)])
def test_case_counts_only_on_some_systems(system: str, *, same: bool) -> None:
    assert (same_case("c--Users", system) == same_case("C--users", system)) is same


@pytest.mark.parametrize(
    ("path", "followed"),
    [
        ("W:\\app", "W:\\app"),  # a drive that subst made, or a mapped one, stays
        ("W:\\link\\app\\x", "W:\\real\\deep\\app\\x"),
        ("W:\\away\\app", "D:\\elsewhere\\app"),
        ("W:\\share\\app", "\\\\nas\\code\\app"),
        ("W:\\circle\\app", "W:\\circle\\app"),
        ("\\\\nas\\code\\app", "\\\\nas\\code\\app"),
    ],
)
def test_links_are_followed_as_the_client_does_and_drives_stay(path: str, followed: str) -> None:
    assert links_followed(path, LINKS.get) == followed
