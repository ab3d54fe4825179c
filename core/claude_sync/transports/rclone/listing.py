"""What rclone's listings mean. Pure: parsed JSON in, values out; all of it is hostile.

A file's newest whole revision bears its name here. Whatever else lies there is listed under the
name that it has in the storage, so that nothing is hidden from those who read by contents: an older
revision that a writer left behind when it died, or one of a machine that shares another's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from itertools import count

from claude_sync.model import Stamp
from claude_sync.transports.base import MARKER_NAME, Entry, is_usable_name
from claude_sync.transports.rclone.names import older_name, revision_of
from claude_sync.values import NamedTuple

_MOST_BYTES = 1 << 60


class File(NamedTuple):
    """A file of the storage.

    Attributes:
        path: its name there.
        stamp: as it was listed. Its time is the storage's, in whole seconds: where it is asked for
            one file, some tell no better.
        number: of its revision, 0 where its name says none.
    """

    path: str
    stamp: Stamp
    number: int = 0


class Seen(NamedTuple):
    """What lies in a storage, or in one of its directories.

    Attributes:
        files: by name.
        markers: the newest first; more than one while it is replaced.
        unfinished: files that aren't all there, by their names in the storage.
        duplicates: names in the storage that several files bear, sorted.
    """

    files: Mapping[str, File]
    markers: tuple[File, ...]
    unfinished: tuple[File, ...]
    duplicates: tuple[str, ...] = ()

    @property
    def marker(self) -> File | None:
        """The marker that counts, None where there is none."""
        return self.markers[0] if self.markers else None

    def entries(self) -> tuple[Entry, ...]:
        """As a transport lists them."""
        listed = (Entry(name, file.stamp) for name, file in self.files.items() if "/" in name)
        return tuple(sorted(listed))

    def digest(self, marker: bytes | None) -> str:
        """Equal digests mean equal listings, the marker's bytes included."""
        digest = hashlib.sha256(repr(marker).encode())
        for name in sorted(self.files):
            digest.update(repr((name, *self.files[name])).encode())
        if self.duplicates:
            digest.update(repr(self.duplicates).encode())
        return digest.hexdigest()


def seen_in(items: Iterable[object], directory: str = "") -> Seen:
    """Read a listing.

    Args:
        items: as ``operations/list`` brings them.
        directory: which one was listed, "" for the root. rclone gives whole paths all the same.
    """
    files: dict[str, list[File]] = {}
    markers: list[File] = []
    unfinished: list[File] = []
    paths: dict[str, File] = {}
    duplicates: set[str] = set()
    for file in _files(items):
        if directory and not file.path.startswith(f"{directory}/"):
            continue
        # Google Drive lets several files share a name: the newest counts.
        known = paths.get(file.path)
        if known is not None:
            duplicates.add(file.path)
        if known is None or known.stamp.mtime_ns < file.stamp.mtime_ns:
            paths[file.path] = file
    for file in paths.values():
        revision = revision_of(file.path)
        if revision is not None and revision.size != file.stamp.size:
            unfinished.append(file)
            continue
        name = file.path if revision is None else revision.name
        numbered = file if revision is None else file._replace(number=revision.number)
        if name == MARKER_NAME:
            markers.append(numbered)
        elif is_usable_name(name) and is_usable_name(file.path):
            files.setdefault(name, []).append(numbered)
    found: dict[str, File] = {}
    for name, revisions in files.items():
        newest = max(revisions, key=lambda file: (file.number, file.path))
        found |= {file.path: file for file in revisions if file.path not in (name, newest.path)}
        found[name] = newest
    for name, revisions in files.items():
        for file in revisions:
            if file.path == name and found[name] is not file:
                aliases = (older_name(name, file.stamp.size, number) for number in count())
                found[next(alias for alias in aliases if alias not in found)] = file
    markers.sort(key=lambda file: (file.number, file.path), reverse=True)
    return Seen(found, tuple(markers), tuple(unfinished), tuple(sorted(duplicates)))


def _files(items: Iterable[object]) -> Iterator[File]:
    """What are files, with numbers that can be numbers."""
    for item in items:
        if not isinstance(item, dict) or item.get("IsDir") is not False:
            continue
        path, size, time = item.get("Path"), item.get("Size"), item.get("ModTime")
        if not isinstance(path, str) or not isinstance(size, int) or path.count("/") > 1:
            continue
        if 0 <= size < _MOST_BYTES:
            yield File(path, Stamp(size, _nanoseconds(time), _number_of(path)))


def _number_of(path: str) -> int:
    """What stands for an inode: two names are two files, whatever their sizes and times."""
    digest = hashlib.sha256(path.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:7], "big") | 1


def _nanoseconds(time: object) -> int:
    """A time of RFC 3339 in whole seconds, as nanoseconds; 0 if it is none."""
    try:
        text = str(time)
        moment = datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc)
        zone = text[19:].lstrip(".0123456789")
        if zone not in ("", "Z"):
            hours, minutes = zone[1:].split(":")
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            moment += -offset if zone[0] == "+" else offset
        return max(0, int(moment.timestamp())) * 1_000_000_000
    except (ValueError, OverflowError):
        return 0
