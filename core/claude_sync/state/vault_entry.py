"""One entry of the vault: what it holds, and whether it still does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from claude_sync.disk.snapshot import read_small
from claude_sync.model import Version
from claude_sync.values import NamedTuple

TRANSCRIPT = "transcript.jsonl"
SIDECAR = "sidecar"
ENTRY = "entry.json"


class Kept(NamedTuple):
    """One entry of the vault.

    Attributes:
        folder: where it lies.
        session_id: its session.
        version: of its transcript, None where only sidecar files were replaced.
        kept_at: seconds since the epoch.
        reason: what replaced it, a word.
        mtime_ns: the transcript's modification time.
        sidecar_sha256: of all sidecar files of a bundle that was kept whole, "" for any others.
    """

    folder: Path
    session_id: str
    version: Version | None
    kept_at: float
    reason: str
    mtime_ns: int
    sidecar_sha256: str = ""

    @property
    def transcript(self) -> Path:
        return self.folder / TRANSCRIPT

    @property
    def sidecar(self) -> Path:
        return self.folder / SIDECAR


def described(kept: Kept) -> bytes:
    """What an entry says of itself, as `load` reads it."""
    size, sha256 = kept.version or (None, None)
    entry = {
        "schema": 1,
        "size": size,
        "sha256": sha256,
        "kept_at": kept.kept_at,
        "reason": kept.reason,
        "mtime_ns": kept.mtime_ns,
        "sidecar_sha256": kept.sidecar_sha256,
    }
    return json.dumps(entry).encode()


def load(folder: Path, session_id: str) -> Kept | None:
    """The entry that lies in a folder, None where there is no whole one."""
    try:
        entry = json.loads(read_small(folder / ENTRY))
        version = None
        if entry["sha256"] is not None:
            version = Version(int(entry["size"]), str(entry["sha256"]))
        return Kept(
            folder=folder,
            session_id=session_id,
            version=version,
            kept_at=float(entry["kept_at"]),
            reason=str(entry["reason"]),
            mtime_ns=int(entry["mtime_ns"]),
            sidecar_sha256=str(entry.get("sidecar_sha256", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def is_as_kept(kept: Kept) -> bool:
    """Whether nothing was appended to the transcript after it was kept."""
    try:
        size = kept.transcript.lstat().st_size
    except OSError:
        return False
    return kept.version is not None and size == kept.version.size


def is_whole(kept: Kept) -> bool:
    """Whether the transcript still begins with the version it entered as, and will."""
    return kept.version is not None and _own_begins_with(kept, kept.version)


def _own_begins_with(kept: Kept, version: Version) -> bool:
    """Whether an entry's own transcript begins with a version; one in use elsewhere may change."""
    from claude_sync.disk.prefix_hashes import begins_with

    try:
        if kept.transcript.lstat().st_nlink > 1:
            return False
        return begins_with(kept.transcript, version)
    except OSError:
        return False


def is_extended(kept: Kept, later: Sequence[Kept]) -> bool:
    """Whether a later entry's transcript begins with this one's and no sidecar hangs on it."""
    if kept.version is None or kept.sidecar.exists() or not is_as_kept(kept):
        return False
    return any(
        other.version is not None
        and other.version.size >= kept.version.size
        and _own_begins_with(other, kept.version)
        for other in later
    )
