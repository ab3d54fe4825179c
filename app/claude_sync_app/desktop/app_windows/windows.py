"""Browsers with app windows on Windows: Edge is part of it."""

from __future__ import annotations

import ntpath
from collections.abc import Mapping

_FOLDERS = ("ProgramFiles(x86)", "ProgramFiles", "LOCALAPPDATA")
_PROGRAMS = (
    ("Google", "Chrome", "Application", "chrome.exe"),
    ("Microsoft", "Edge", "Application", "msedge.exe"),
)


def candidates(environment: Mapping[str, str]) -> list[str]:
    """Programs that may be there, the likeliest first."""
    folders = [folder for name in _FOLDERS if (folder := environment.get(name, ""))]
    return [ntpath.join(folder, *program) for program in _PROGRAMS for folder in folders]
