"""Browsers with app windows on macOS: inside their bundles, for everyone or for this user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_NAMES = ("Google Chrome", "Microsoft Edge", "Chromium", "Brave Browser", "Vivaldi")


def candidates(environment: Mapping[str, str]) -> list[str]:
    """Programs that may be there, the likeliest first."""
    folders = [Path("/Applications")]
    if home := environment.get("HOME", ""):
        folders.append(Path(home) / "Applications")
    return [
        str(folder / f"{name}.app" / "Contents" / "MacOS" / name)
        for name in _NAMES
        for folder in folders
    ]
