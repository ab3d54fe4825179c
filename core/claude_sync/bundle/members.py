"""The members of a .ccsync file: their order, what each may be, and what covers what.

The rules are those of FORMAT.md, "The bundle". ``check`` covers all members but the transcript, the
sidecar's files and itself, so that it can be checked from both ends of a file; ``sha256`` and
``sidecar_sha256`` stand for what is left out.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from claude_sync.bundle.codec import BIGGEST_ESCAPE, corrupt
from claude_sync.disk.hashing import PassingHash
from claude_sync.errors import BundleCorrupt, BundleTooNew, BundleUnsafe
from claude_sync.model import (
    MAX_SIDECAR_FILES,
    MAX_SUPERSEDES,
    MAX_TITLE_CHARACTERS,
    BundleHead,
    SidecarFile,
    Version,
)
from claude_sync.names import (
    check_relative,
    folded,
    is_machine_name,
    is_project_key,
    is_session_id,
    is_temporary,
)

SCHEMA = 1

MAX_INTEGER = (1 << 63) - 1

FRONT = ("schema", "session_id", "project_key", "subpath", "machine", "machine_id")
BACK = (
    "sidecar_sha256",
    "size",
    "sha256",
    "mtime_ns",
    "revision",
    "pushed_at",
    "title",
    "open",
    "supersedes",
    "decision",
    "encoded_size",
)
MEMBERS = (*FRONT, "transcript", "sidecar", *BACK, "check")
"""The members, in their order."""
SIDECAR_MEMBERS = ("path", "data", "size", "sha256")
"""The members of each element of ``sidecar``, in their order."""

# What stands between the parts of a canonical file. Each holds a quote that no backslash escapes,
# followed by what can't follow a string's end; so none of them can occur inside a string.
AFTER_FRONT = b',"transcript":"'
AFTER_TRANSCRIPT = b'","sidecar":['
BEFORE_BACK = b'],"sidecar_sha256":'

_ABSURD_REVISION = 1 << 48
# The widest gap between two doubles of 63 bits.
_ROUNDING = 1024
# Made once: thousands of heads are spelled when a store is listed first.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_HEX = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|\+00:00)"
)

# --- members -----------------------------------------------------------------------------------


def compact(value: object) -> bytes:
    """A value as a bundle's writer spells it."""
    return _ENCODER.encode(value).encode()


def is_integer(value: object) -> bool:
    """Whether a member's value is an integer that every reader can hold; a bool is none."""
    return type(value) is int and 0 <= value <= MAX_INTEGER


def is_absurd(revision: int) -> bool:
    """Whether no writer can have come to such a revision: a stranger's, which decides nothing."""
    return revision >= _ABSURD_REVISION


def next_after(*numbers: int) -> int:
    """The number after the greatest; that again where a hostile bundle left no greater one."""
    return min(1 + max(numbers), MAX_INTEGER)


def is_digest(value: object) -> bool:
    """Whether a member's value is a SHA-256 in lower-case hex."""
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def _is_text(rule: Callable[[str], object]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and bool(rule(value))


def _is_subpath(text: str) -> bool:
    return text == "" or bool(check_relative(text))


def _is_title(text: str) -> bool:
    return len(text) <= MAX_TITLE_CHARACTERS


def _is_supersedes(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) <= MAX_SUPERSEDES
        and all(map(is_digest, value))
    )


def _is_time_ns(value: object) -> bool:
    return type(value) is int and -MAX_INTEGER <= value <= MAX_INTEGER


# What would lead somewhere, or name something, if it weren't refused.
_NAMES: dict[str, Callable[[object], bool]] = {
    "session_id": _is_text(is_session_id),
    "project_key": _is_text(is_project_key),
    "subpath": _is_text(_is_subpath),
    "machine": _is_text(is_machine_name),
}
_OTHERS: dict[str, Callable[[object], bool]] = {
    "machine_id": _is_text(_UUID.fullmatch),
    "sidecar_sha256": is_digest,
    "size": is_integer,
    "sha256": is_digest,
    "mtime_ns": _is_time_ns,
    "revision": is_integer,
    "pushed_at": _is_text(_TIME.fullmatch),
    "title": _is_text(_is_title),
    "open": lambda value: isinstance(value, bool),
    "supersedes": _is_supersedes,
    "decision": is_integer,
    "encoded_size": is_integer,
}


def too_new() -> BundleTooNew:
    """The error for a bundle whose schema this version doesn't know."""
    return BundleTooNew(
        "a newer claude-sync made the bundle", todo="upgrade claude-sync on this machine"
    )


def check_schema(value: object) -> None:
    """Look at the schema before anything else, for it says what the rest means.

    Raises:
        BundleTooNew: a newer claude-sync made the bundle.
        BundleCorrupt: it is no number of a schema.
    """
    if type(value) is int and value > SCHEMA:
        raise too_new()
    if type(value) is not int or value != SCHEMA:
        raise _bad_member("schema")


def check_members(values: Mapping[str, object]) -> None:
    """Check the type, range and shape of those members that are given.

    Raises:
        BundleCorrupt: one isn't what it must be.
        BundleUnsafe: one is a name that must not be used.
    """
    for name, is_right in _OTHERS.items():
        if name in values and not is_right(values[name]):
            raise _bad_member(name)
    for name, is_right in _NAMES.items():
        if name in values and not isinstance(values[name], str):
            raise _bad_member(name)
        if name in values and not is_right(values[name]):
            raise BundleUnsafe(
                f"the bundle's member '{name}' can't be used as a name here",
                todo="it was not used",
            )


def head_of(values: Mapping[str, object], start: int = 0) -> BundleHead:
    """The head that a bundle's small members make, once every one of them is right.

    Args:
        values: by name; ``check`` among them, ``transcript`` and ``sidecar`` not looked at.
        start: where the encoded transcript begins, 0 where the file isn't canonical.

    Raises:
        BundleTooNew: a newer claude-sync made it.
        BundleCorrupt: a member is missing, isn't what it must be, or doesn't fit ``check``.
        BundleUnsafe: one is a name that must not be used.
    """
    if "schema" in values:
        check_schema(values["schema"])
    for name in (*FRONT, *BACK, "check"):
        if name not in values:
            raise corrupt(f"the bundle's member '{name}' is missing")
    if values["check"] != check_of(values):
        raise corrupt("what the bundle says of itself was changed on the way")
    check_members(values)
    # Checked just now, member by member.
    members: dict[str, Any] = {name: values[name] for name in (*FRONT, *BACK)}
    members["supersedes"] = tuple(members["supersedes"])
    head = BundleHead(**members, start=start)
    if not head.size <= head.encoded_size <= BIGGEST_ESCAPE * head.size:
        raise _bad_member("encoded_size")
    return head


def _bad_member(name: str) -> BundleCorrupt:
    return corrupt(f"the bundle's member '{name}' is not what it must be")


def check_of(values: Mapping[str, object]) -> str:
    """The member ``check``: SHA-256 of all others, with an empty sidecar and no transcript.

    See FORMAT.md, "Check".
    """
    covered: dict[str, object] = {name: values[name] for name in FRONT}
    covered["sidecar"] = []
    covered.update((name, values[name]) for name in BACK)
    return hashlib.sha256(compact(covered)).hexdigest()


def exact_time(values: Mapping[str, object]) -> int | None:
    """The exact ``mtime_ns`` of a bundle whose numbers went through double precision.

    jq before 1.7 writes an integer from 2**53 on as the shortest decimal that means the nearest
    double: https://github.com/jqlang/jq/blob/master/NEWS.md, "Changes in 1.7". A few hundred
    integers share that double, and ``check`` tells which of them it was.

    Args:
        values: all small members; ``check`` doesn't fit them as they are.

    Returns:
        None where the time wasn't rounded so, or no other time fits ``check``.
    """
    written = values["mtime_ns"]
    if type(written) is float and written.is_integer():
        written = int(written)  # It writes a round one as 1e+16.
    if type(written) is not int or not 1 << 53 <= abs(written) <= MAX_INTEGER:
        return None
    from decimal import Decimal

    double = float(written)
    if written != int(Decimal(repr(double))):
        return None
    for candidate in range(written - _ROUNDING, written + _ROUNDING + 1):
        if float(candidate) != double:
            continue
        if values["check"] == check_of({**values, "mtime_ns": candidate}):
            return candidate
    return None


def members_of(head: BundleHead) -> dict[str, object]:
    """The small members of a bundle that has this head, ``check`` among them."""
    values: dict[str, object] = {name: getattr(head, name) for name in (*FRONT, *BACK)}
    values["check"] = check_of(values)
    return values


def front_of(values: Mapping[str, object]) -> bytes:
    """A canonical file's bytes up to where the encoded transcript begins."""
    return compact({name: values[name] for name in FRONT})[:-1] + AFTER_FRONT


def back_of(values: Mapping[str, object]) -> bytes:
    """A canonical file's bytes from the bracket that closes the sidecar."""
    return b"]," + compact({name: values[name] for name in (*BACK, "check")})[1:]


class RunningVersion:
    """The version of bytes that pass. `close` it where they may end early.

    Args:
        marks: sizes at which to note the hash as well.
    """

    def __init__(self, marks: Iterable[int] = ()) -> None:
        self._digest = PassingHash(marks)
        self._size = 0

    def add(self, data: bytes) -> bytes:
        """Count and hash the next bytes, and pass them on."""
        self._digest.add(data)
        self._size += len(data)
        return data

    @property
    def version(self) -> Version:
        """Of all that passed; nothing may pass after."""
        return Version(self._size, self._digest.hexdigest())

    @property
    def noted(self) -> Mapping[int, str]:
        """The hash of the first so many bytes, for each mark that was passed; after `version`."""
        return self._digest.noted

    def close(self) -> None:
        """Nothing more passes."""
        self._digest.close()


# --- sidecar -----------------------------------------------------------------------------------


def sidecar_digest(files: Iterable[SidecarFile]) -> str:
    """The member ``sidecar_sha256``: SHA-256 of the sorted lines ``path NUL sha256 LF``."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path):
        digest.update(f"{file.path}\0{file.sha256}\n".encode())
    return digest.hexdigest()


class SidecarPaths:
    """The paths of one sidecar, each of which must be a file of its own on every system."""

    def __init__(self) -> None:
        # In order, with NUL for each slash: what lies in a folder follows that folder's own name.
        self._names: list[str] = []

    def add(self, path: str) -> None:
        """Take one more path.

        Raises:
            BundleUnsafe: it isn't safe, or it and an earlier one would be one file somewhere, or
                one would have to be a file and a folder.
            BundleCorrupt: it is one too many.
        """
        if len(self._names) == MAX_SIDECAR_FILES:
            raise corrupt(f"the bundle has more than {MAX_SIDECAR_FILES:,} sidecar files")
        name = folded(check_relative(path))
        if is_temporary(path):
            raise BundleUnsafe(
                "a sidecar file in the bundle has a name that claude-sync keeps for itself",
                todo="it was not used",
            )
        name = name.replace("/", "\0")
        at = bisect_left(self._names, name)
        before, after = self._names[at - 1 : at], self._names[at : at + 1]
        if (
            after == [name]
            or any(name.startswith(f"{one}\0") for one in before)
            or any(one.startswith(f"{name}\0") for one in after)
        ):
            raise BundleUnsafe(
                "two sidecar files in the bundle would be the same file", todo="it was not used"
            )
        self._names.insert(at, name)
