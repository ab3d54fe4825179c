"""What this machine remembers of the files in a bundle that it wrote (`upload.Sent.layout`)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from claude_sync.bundle.members import sidecar_digest
from claude_sync.model import Bundle, SidecarFile


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
