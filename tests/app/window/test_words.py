"""The words of the window and of notices: one for each thing, spelled in one way."""

from __future__ import annotations

from pathlib import Path

import pytest

import claude_sync_app

APP = Path(claude_sync_app.__file__).parent
TEXTS = sorted(
    path
    for room in ("window", "tray")
    for path in (APP / room).rglob("*")
    if path.suffix in (".html", ".js", ".py")
)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(APP)))
def test_there_is_one_apostrophe(path: Path) -> None:
    assert "\u2019" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(APP)))
def test_what_is_kept_is_an_earlier_version(path: Path) -> None:
    """The vault is where it lies: no word that a page or a notice needs."""
    assert "vault" not in path.read_text(encoding="utf-8").lower()
