"""Reading what a person typed as the store's location. Pure: a string in, a value out.

A folder, ``ssh://[user@]host[:port]/absolute/path``, ``ssh://host/~/path``, ``host:path``, or
``rclone:REMOTE:PATH`` for a place in a cloud that rclone reaches. One letter before the colon is a
drive on every system; a ``/`` before the first colon makes it a folder.
``%XX`` counts in the ssh:// form only.
"""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import sys
from types import ModuleType

from claude_sync.errors import UsageError
from claude_sync.values import NamedTuple

_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]+)://"
_DRIVE = r"[A-Za-z]:"
_PERCENT = "%([0-9A-Fa-f]{2})"
_CONTROL = "[\x00-\x1f\x7f-\x9f]"
_CREDENTIALS_BEFORE_HOST = r"[^/:]*:[^/]*@[^/]*:"
# ssh gives host and user to the commands of its configuration (ProxyCommand, Match exec), which a
# shell runs; newer ssh refuses these characters itself: CVE-2023-51385.
_UNSAFE_FOR_SHELLS = frozenset("'`\"$;&<>|(){}")
_CLOUD = "rclone:"
# As rclone allows in names (fs/fspath/path.go). What a connection string has besides, a comma, a
# colon before the name, could hold credentials, which would be saved and shown.
_REMOTE = r"[\w.+@][\w.+@ -]*"
_HOW_CLOUD = "write rclone:REMOTE:PATH, with a remote that `rclone listremotes` names"
_HOW = "write a folder, or ssh://host/path for a host"


class FolderLocation(NamedTuple):
    """A folder of this machine. ``path`` is absolute."""

    path: str

    @property
    def spelling(self) -> str:
        """How the preferences spell it."""
        return self.path


class HostLocation(NamedTuple):
    """A directory on a host that ssh reaches.

    Attributes:
        host: a name of ssh's configuration or the network's, or an address without brackets.
        path: begins with ``/``, or with ``~/`` for the home directory there.
        user: "" for the one that ssh's configuration names.
        port: 0 for the one that ssh's configuration names.
    """

    host: str
    path: str
    user: str = ""
    port: int = 0

    @property
    def spelling(self) -> str:
        """How the preferences spell it."""
        user = f"{_escaped(self.user)}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        path = _escaped(self.path)
        # A '~' right after the host's slash is the home directory, so one in the root needs two.
        slash = "/" if path.startswith(("~", "/~")) else ""
        return f"ssh://{user}{host}{port}{slash}{path}"

    @property
    def login(self) -> str:
        """What to type to log in there, by the very way that leads to the store."""
        import shlex

        port = f"-p {self.port} " if self.port else ""
        return f"ssh {port}{shlex.quote(f'{self.user}@{self.host}' if self.user else self.host)}"


class CloudLocation(NamedTuple):
    """A place in a cloud that rclone reaches.

    Attributes:
        remote: how the person's rclone calls the cloud.
        path: in it; begins with ``/`` only where that counts (SFTP), never ends with one.
    """

    remote: str
    path: str

    @property
    def spelling(self) -> str:
        """How the preferences spell it."""
        return f"{_CLOUD}{self.remote}:{self.path}"

    @property
    def fs(self) -> str:
        """How rclone spells it."""
        return f"{self.remote}:{self.path}"


class OtherLocation(NamedTuple):
    """A location of a kind that an installed package knows. ``scheme`` is in lower case."""

    scheme: str
    spelling: str


Location = FolderLocation | HostLocation | CloudLocation | OtherLocation


def parse_location(
    text: str, *, home: str = "", directory: str = "", system: str = sys.platform
) -> Location:
    """Read the location of a store.

    Args:
        text: what was typed, or what the preferences hold.
        home: what ``~`` stands for; "" for this user's home directory.
        directory: what a relative folder is relative to; "" for the current one.
        system: whose paths these are, as `sys.platform` has it.

    Raises:
        UsageError: it is no location, holds a password, or could be taken for an option.
    """
    if not text:
        raise UsageError("the location is empty", todo=_HOW)
    if "\0" in text:
        raise UsageError("the location has a NUL character", todo=_HOW)
    scheme = re.match(_SCHEME, text)
    if scheme is not None:
        return _parse_url(scheme.group(1).lower(), text, text[scheme.end() :])
    if re.match(_DRIVE, text):
        if system != "win32":
            raise UsageError(
                "the location begins with a drive letter, which this system doesn't have",
                todo="write a folder with its '/', such as ./c:name",
            )
        return _parse_folder(text, home, directory, system)
    if text.startswith(_CLOUD):
        return _parse_cloud(text[len(_CLOUD) :])
    before_slash = re.split(r"[/\\]", text, maxsplit=1)[0]
    if text.startswith("[") and "]:" in before_slash:
        host, _, path = text[1:].partition("]:")
        return _host_location("", host, 0, _scp_path(path))
    if ":" in before_slash:
        return _parse_scp(text)
    return _parse_folder(text, home, directory, system)


def _parse_folder(text: str, home: str, directory: str, system: str) -> FolderLocation:
    rules = ntpath if system == "win32" else posixpath
    if text.startswith("-"):
        raise UsageError(
            "the location begins with '-'", todo=f"write .{rules.sep}{text} for a folder"
        )
    if text.startswith("~"):
        first, separator, rest = text.replace(rules.sep, "/", 1).partition("/")
        if first != "~":
            raise UsageError("the location begins with another user's '~'", todo="write it in full")
        text = rules.join(home or os.path.expanduser("~"), rest if separator else "")
    if not _is_whole(text, rules):
        # Of a path from the root on Windows only the drive is missing.
        text = rules.join(directory or os.getcwd(), text)
    if not _is_whole(text, rules):
        raise UsageError(
            "the location is relative to the current folder of another drive",
            todo="write it in full",
        )
    return FolderLocation(rules.normpath(text))


def _is_whole(path: str, rules: ModuleType) -> bool:
    # ntpath.isabs only asks for a drive since Python 3.13.
    return bool(rules.isabs(path) and (rules is posixpath or rules.splitdrive(path)[0]))


def _parse_scp(text: str) -> HostLocation:
    if re.match(_CREDENTIALS_BEFORE_HOST, text):
        raise _password_refused()
    before, _, path = text.partition(":")
    user, _, host = before.rpartition("@")
    return _host_location(user, host, 0, _scp_path(path))


def _parse_cloud(text: str) -> CloudLocation:
    remote, colon, path = text.partition(":")
    if not colon:
        raise UsageError(
            "the location names no remote of rclone's, or no path in it",
            todo=f"{_HOW_CLOUD}; a host of that name is ssh://rclone/path",
        )
    if not re.fullmatch(_REMOTE, remote) or remote.endswith(" "):
        raise UsageError("that is no name of a remote of rclone's", todo=_HOW_CLOUD)
    parts = path.split("/")
    if re.search(_CONTROL, path) or ".." in parts or "~" in parts[:1]:
        raise UsageError("the path in the cloud has a part it can't have", todo=_HOW_CLOUD)
    kept = [part for part in parts if part not in ("", ".")]
    if not kept:
        raise UsageError(
            "the location names no folder in the cloud",
            todo=f"name one, such as rclone:{remote}:claude-sync",
        )
    return CloudLocation(remote, ("/" if path.startswith("/") else "") + "/".join(kept))


def _scp_path(path: str) -> str:
    if path.startswith("-"):
        raise UsageError("the path on the host begins with '-'", todo="write ./ before it")
    return path if path.startswith(("/", "~")) else f"~/{path}"


def _parse_url(scheme: str, text: str, rest: str) -> Location:
    authority, slash, path = rest.partition("/")
    user, _, address = authority.rpartition("@")
    if ":" in user:
        raise _password_refused()
    if scheme != "ssh":
        return OtherLocation(scheme, scheme + text[len(scheme) :])
    host, port = _split_port(address)
    path = _unescaped(path)
    return _host_location(
        _unescaped(user), host, port, path if path.startswith("~") else slash + path
    )


def _split_port(address: str) -> tuple[str, int]:
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", address)
    if bracketed is not None:
        host, port = bracketed.group(1), bracketed.group(2) or ""
    else:
        host, _, port = address.partition(":")
    if not port:
        return host, 0
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise UsageError(
            "the port isn't a number from 1 to 65535", todo="correct it, or leave it out"
        )
    return host, int(port)


def _host_location(user: str, host: str, port: int, path: str) -> HostLocation:
    for what, value in (("host", host), ("user", user)):
        if value.startswith("-"):
            raise UsageError(f"the name of the {what} begins with '-'", todo=_HOW)
        if re.search(_CONTROL, value) or any(c.isspace() or c in _UNSAFE_FOR_SHELLS for c in value):
            raise UsageError(f"the name of the {what} has a character it can't have", todo=_HOW)
        if value.endswith("\\"):
            raise UsageError(f"the name of the {what} ends in a backslash", todo=_HOW)
    if not host or any(c in "/\\@%[]" for c in host):
        raise UsageError("the location has no host", todo=_HOW)
    return HostLocation(host, _normal(path), user, port)


def _normal(path: str) -> str:
    """The path with single slashes and none at its end; ``..`` stays, for links may be there."""
    if "\0" in path:
        raise UsageError("the path on the host has a NUL character", todo=_HOW)
    first, *parts = path.split("/")
    if first not in ("", "~"):
        raise UsageError(
            "the path on the host begins with another user's '~'", todo="write it in full"
        )
    kept = [part for part in parts if part not in ("", ".")]
    if not kept:
        raise UsageError(
            "the location names no folder on the host", todo="name one, such as host:claude-sync"
        )
    return "/".join([first, *kept])


def _password_refused() -> UsageError:
    return UsageError(
        "the location has a password, which would be saved and shown",
        todo="leave it out, as ssh uses its agent and its keys",
    )


def _escaped(text: str) -> str:
    """What `_unescaped` reads back: ``%``, control characters and bytes that aren't UTF-8."""
    pieces: list[str] = []
    for character in text:
        if character == "%" or re.match(_CONTROL, character) or "\ud800" <= character <= "\udfff":
            pieces.extend(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))
        else:
            pieces.append(character)
    return "".join(pieces)


def _unescaped(text: str) -> str:
    """``%XX`` as the byte it stands for; a ``%`` that begins no such thing is itself."""
    if "%" not in text:
        return text
    pieces = re.split(_PERCENT, text)
    data = b"".join(
        bytes([int(piece, 16)]) if index % 2 else piece.encode("utf-8", "surrogateescape")
        for index, piece in enumerate(pieces)
    )
    return data.decode("utf-8", "surrogateescape")
