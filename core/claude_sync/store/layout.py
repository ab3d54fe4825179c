"""What this machine remembers of the files in a bundle that it wrote (`upload.Sent.layout`)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from claude_sync.bundle.members import sidecar_digest
from claude_sync.model import Bundle, LocalSession, SidecarFile


def sidecar_of(bundle: Bundle, layout: str) -> Mapping[str, SidecarFile] | None:
    """A bundle's sidecar files, by path, from a layout; None if that is of another bundle."""
    try:
        files = {
            path: SidecarFile(path, int(row[2]), str(row[3]))
            for path, row in json.loads(layout or "{}").items()
        }
    except (ValueError, TypeError, AttributeError, IndexError):
        return None
    return files if sidecar_digest(files.values()) == bundle.head.sidecar_sha256 else None


def still_known(layout: str, local: LocalSession) -> Mapping[str, SidecarFile]:
    """The files of a session here, by path, whose stamps are what they were when it was written."""
    try:
        rows = json.loads(layout or "{}")
        return {
            path: SidecarFile(path, int(rows[path][2]), str(rows[path][3]))
            for path, stamp in local.sidecar
            if path in rows and rows[path][4:] == list(stamp)
        }
    except (ValueError, TypeError, LookupError):
        return {}
