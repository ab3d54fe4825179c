"""Earlier versions of a session as a page lists them. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from claude_sync.model import Version
from claude_sync.sync.restore import EarlierVersion
from claude_sync_app.tray.labels import machine_of

_WHY = {
    "pull": "Replaced by a pull",
    "push": "Replaced in the shared folder",
    "resolve": "Given up by a choice",
    "undo": "Undone",
    "restore": "Replaced by a restore",
    "forget": "Removed from the shared folder",
}


def version_rows(session: str, found: Sequence[EarlierVersion]) -> list[dict[str, Any]]:
    """A row for each version, in the order in which they were found."""
    return [version_row(session, one) for one in found]


def version_row(session: str, one: EarlierVersion) -> dict[str, Any]:
    """What `versions.html` shows of one."""
    return {
        "written_ns": one.at_ns,
        "kept_ns": one.kept_ns,
        "where": machine_of(one.machine) if one.machine else "Kept on this machine",
        "why": _WHY.get(one.reason, "") if not one.machine else "In the shared folder",
        "turns": one.turns,
        "size": one.version.size,
        "is_here": one.is_here,
        "path": f"/versions/{session}/{name_of_version(one.version)}",
        "body": json.dumps({"version": name_of_version(one.version)}),
    }


def name_of_version(version: Version) -> str:
    """What a version is called in a page's address."""
    return f"{version.size}-{version.sha256}"


def version_named(name: str) -> Version | None:
    """The version that an address names, None where it names none."""
    size, _, sha256 = name.partition("-")
    if not (size.isascii() and size.isdigit() and len(size) < 20 and len(sha256) == 64):
        return None
    return Version(int(size), sha256)
