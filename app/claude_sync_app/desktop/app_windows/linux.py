"""Browsers with app windows on Linux: by their names in PATH."""

from __future__ import annotations

from collections.abc import Mapping


def candidates(environment: Mapping[str, str]) -> list[str]:
    """Programs that may be there, the likeliest first."""
    del environment
    return [
        "google-chrome",
        "google-chrome-stable",
        "chromium",
        "chromium-browser",
        "microsoft-edge",
        "microsoft-edge-stable",
        "brave-browser",
        "vivaldi",
    ]
