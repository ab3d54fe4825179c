"""What files are called where none can be replaced safely: each revision has a name of its own.

No call of rclone's replaces a file safely everywhere: an upload under the old name destroys the old
file when it is cut, a move removes its target first, and what is half there is seen by others on
WebDAV and SFTP. So a file is written under a name that nothing ever had, and its older revision is
removed once the new one was seen whole. The name says how many bytes that is, so that a listing
tells a file that is still on its way from one that is there::

    <name>.<number>-<bytes>-<8 hex digits><.ccsync>

The number grows by one, and the greatest one counts. The digits, drawn at random, keep two writers
apart that don't know of each other, and an upload that was cut from the one that is tried again.
Nobody comes to a number of ten digits by counting, so such a name is another file's. After the
greatest one, which somebody else made up, comes 1: what that replaces is removed as ever.
Number 0 is never written: it stands for a file without any, where a revision has its name.
"""

from __future__ import annotations

import os
import re

from claude_sync.values import NamedTuple

_SUFFIX = ".ccsync"
_GREATEST = 999_999_999
_REVISION = r"(.+)\.(0|[1-9][0-9]{0,8})-(0|[1-9][0-9]{0,14})-([0-9a-f]{8})(\.ccsync)?"


class Revision(NamedTuple):
    """What the name of a revision says.

    Attributes:
        name: of the file whose revision it is.
        number: greater than that of the revision before.
        size: bytes of the whole file.
    """

    name: str
    number: int
    size: int


def revision_of(file: str) -> Revision | None:
    """What a name says as that of a revision, None if it is none.

    Args:
        file: the name in the storage, with or without its directory.
    """
    match = re.fullmatch(_REVISION, file)
    if match is None:
        return None
    name, number, size, _, suffix = match.groups()
    return Revision(name + (suffix or ""), int(number), int(size))


def plain_name(file: str) -> str:
    """The name of the file whose revision a name is; the name itself where it is none."""
    revision = revision_of(file)
    return file if revision is None else revision.name


def older_name(name: str, size: int, count: int) -> str:
    """What to call a file in a listing whose name a revision has; several by their count."""
    stem = name.removesuffix(_SUFFIX)
    return f"{stem}.0-{size}-{count:08x}{name[len(stem) :]}"


def next_number(number: int) -> int:
    """The number of the revision that replaces one with this number; 0 stands for none."""
    return number + 1 if number < _GREATEST else 1


def new_revision(name: str, number: int, size: int) -> str:
    """A name for a file's next revision, which nobody else has."""
    stem = name.removesuffix(_SUFFIX)
    return f"{stem}.{number}-{size}-{os.urandom(4).hex()}{name[len(stem) :]}"
