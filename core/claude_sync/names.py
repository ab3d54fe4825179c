"""Which names are safe on every system. Pure: strings in, strings or errors out."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator

from claude_sync.errors import BundleUnsafe

TEMPORARY_PREFIX = ".ccsync-"
"""How our own files are called as long as they are unfinished."""

MAX_RELATIVE_BYTES = 512
"""Of a relative path: a sidecar's, or a session's directory in its repository."""

MAX_KEY_BYTES = 1024
"""Of a project's key."""

WORDS_FOR_SIDES = frozenset({"mine", "theirs", "both"})
"""What a person says to a resolve: no machine should be called so."""

# The device names of Windows, with or without an extension:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"}
)
# https://www.unicode.org/reports/tr44/#General_Category_Values
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DRIVE = r"[A-Za-z]:"
_REFUSED = r"[\x00-\x1f\x7f-\x9f\\%s]" % (':<>"|?*' if os.name == "nt" else "")
_EMPTY_PART = r"(?:^|/)\.{0,2}(?:/|\Z)"
_BAD_END = r"[. ](?:/|\Z)"
# What a device's name begins with: few parts do, and only those are looked at one by one.
_LIKE_DEVICE = r"(?i)(?:^|/)(?:con|prn|aux|nul|com|lpt)"
_SESSION_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# What the client was seen to keep beside a transcript.
_SIDECAR_FOLDERS = frozenset({"subagents", "tool-results", "workflows"})
_SIDECAR_FILES = frozenset({"custom-title.json"})
_MACHINE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


def is_session_id(text: str) -> bool:
    """Whether a string is a session id, and so a transcript's stem: a UUID, in either case.

    `claude --resume` refuses any other. What else lies beside transcripts (subagents, the copies
    that sync tools make of conflicts, an index) is no session.
    """
    return _SESSION_ID.fullmatch(text) is not None


def is_machine_name(text: str) -> bool:
    """Whether a string may be a machine's name, and so part of a file's on every system."""
    return (
        re.fullmatch(_MACHINE_NAME, text) is not None
        and not text.endswith(".")
        and not is_windows_device(text)
    )


def writers(session_id: str, machine: str, machine_id: str) -> Iterator[str]:
    """What a machine may be called in the name of its file of a session, the best first.

    Machines that were cloned share a name, and sessions may claim one file with their dashes.
    """
    yield machine
    yield (of_id := f"{machine}-{machine_id[:8]}")
    yield f"{of_id}-{hashlib.sha256(session_id.encode()).hexdigest()[:8]}"


def is_windows_device(name: str) -> bool:
    """Whether Windows reserves this file name for a device."""
    return name.rstrip(" ").partition(".")[0].lower() in _WINDOWS_DEVICES


def is_project_key(text: str) -> bool:
    """Whether a string is a project's key, spelled as all machines spell it.

    ``git:<host>/<path>`` or ``name:<name>``.
    """
    kind, _, name = text.partition(":")
    if not name or text != normal_key(text):
        return False
    if has_control(text) or len(text.encode()) > MAX_KEY_BYTES:
        return False
    if kind == "name":
        return True
    host, *parts = name.split("/")
    # A user before the host may be a password.
    return (
        kind == "git" and parts != [] and "@" not in host and not {"", ".", ".."} & {host, *parts}
    )


def normal_key(text: str) -> str:
    """A project's key, or a part of one, as all machines spell it: lower case and NFC."""
    return text.lower() if text.isascii() else _composed(_composed(text).lower())


def has_control(text: str) -> bool:
    """Whether a string holds a control character, a line's or a paragraph's end, or half of a
    surrogate pair: what no name needs, and no key can have."""
    if text.isascii():
        return not text.isprintable()
    import unicodedata

    return any(unicodedata.category(character) in _CONTROL for character in text)


def check_relative(path: str) -> str:
    """A relative ``/``-separated path that is safe on every system, returned as it is.

    The rules are those of FORMAT.md, "Safe paths": at most 512 bytes of valid UTF-8; no empty part,
    ``.`` or ``..``; no backslash, drive or control character; no part that ends in a dot or a
    blank; no device name. On Windows nothing that it refuses, or reads as a file's alternate
    stream.

    Raises:
        BundleUnsafe: it isn't.
    """
    problem = _relative_problem(path)
    if problem:
        raise BundleUnsafe(f"one of its paths {problem}", todo="it was not used")
    return path


def _relative_problem(path: str) -> str:
    try:
        if len(path.encode()) > MAX_RELATIVE_BYTES:
            return "is longer than 512 bytes"
    except UnicodeEncodeError:
        return "is not valid Unicode"
    if re.match(_DRIVE, path):
        return "begins with a drive"
    if re.search(_EMPTY_PART, path):
        return "has an empty part, '.' or '..'"
    if re.search(_REFUSED, path):
        return "has a character that some system refuses"
    like_device = re.search(_LIKE_DEVICE, path) is not None
    if re.search(_BAD_END, path) or (like_device and any(map(is_windows_device, path.split("/")))):
        return "has a part that Windows reserves"
    return ""


def is_hidden(name: str) -> bool:
    """Whether a name, or a part of a path, begins with a dot: none of a session's does."""
    return name.startswith(".")


def is_sidecar_path(path: str) -> bool:
    """Whether a file below a session's folder is one of the session's, and safe everywhere.

    What else lies there is someone else's, or not known: it stays where it is, and what a bundle
    holds of that kind is never placed. Settings or hooks must not come along with a session.
    """
    try:
        check_relative(path)
    except BundleUnsafe:
        return False
    first, *rest = path.split("/")
    if any(map(is_hidden, rest)) or is_temporary(path):
        return False
    return first in _SIDECAR_FOLDERS if rest else first in _SIDECAR_FILES


def is_temporary(path: str) -> bool:
    """Whether a file is named as ours are that are unfinished: none of a session's travels so."""
    return path.rsplit("/", 1)[-1].lower().startswith(TEMPORARY_PREFIX)


def folded(path: str) -> str:
    """What two names must not share: case and normalisation taken away."""
    return path.casefold() if path.isascii() else _composed(_composed(path).casefold())


def _composed(text: str) -> str:
    import unicodedata  # ASCII, as most names are, needs none of its tables

    return unicodedata.normalize("NFC", text)
