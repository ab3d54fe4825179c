"""What rclone says as errors of ours.

Its answers are text, most of it a server's own words, so they are only searched: they may hold
addresses, tokens and names that no log of ours should.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from claude_sync.errors import (
    FileGone,
    FileUnreadable,
    StoreAbsent,
    StoreDenied,
    StoreFull,
    StoreOffline,
    TransportError,
)
from claude_sync.values import NamedTuple

MINIMUM = (1, 65)
"""The oldest rclone that all tests were run with: 1.60, which Debian 12 has, doesn't serve its
remote control on a Unix socket, and 1.65 is the oldest that PyPI has."""


class _Meaning(NamedTuple):
    signs: tuple[str, ...]
    kind: type[TransportError]
    what: str
    todo: str


# The first that fits counts.
_MEANINGS = (
    _Meaning(
        ("didn't find section in config file",),
        StoreAbsent,
        "rclone has no remote of that name",
        "set it up with `rclone config`, or choose another shared folder",
    ),
    _Meaning(
        ("unable to decrypt", "config password", "configuration password"),
        StoreAbsent,
        "rclone's configuration is encrypted and its password isn't known",
        "set RCLONE_PASSWORD_COMMAND to a command that prints it",
    ),
    _Meaning(
        ("couldn't find backend", "unknown backend", "didn't find backend"),
        StoreDenied,
        "this rclone doesn't know that kind of cloud",
        "install a newer rclone",
    ),
    _Meaning(
        (
            "ratelimitexceeded",
            "rate limit",
            "too many requests",
            "too_many_requests",
            "toomanyrequests",
            "slowdown",
            "activitylimitreached",
        ),
        StoreOffline,
        "the cloud asks to wait before it is used again",
        "try again later",
    ),
    _Meaning(
        (
            "quota",
            "insufficient storage",
            "insufficient_space",
            "insufficientstorage",
            "no space left",
            "not enough space",
            "storage limit",
            "disk full",
        ),
        StoreFull,
        "the cloud has no room left",
        "free some space there, or raise its quota",
    ),
    _Meaning(
        (
            "invalid_grant",
            "token expired",
            "expired_access_token",
            "fetch token",
            "empty token",
            "token is expired",
            "invalidauthenticationtoken",
            "invalid_access_token",
            "refresh token",
            "no refresh",
        ),
        StoreAbsent,
        "the cloud doesn't accept rclone's login any more",
        "run `rclone config reconnect {remote}:`",
    ),
    _Meaning(
        (
            "401",
            "unauthorized",
            "invalidaccesskeyid",
            "signaturedoesnotmatch",
            "unable to authenticate",
            "invalid credentials",
            "login incorrect",
        ),
        StoreAbsent,
        "the cloud doesn't accept the name and password that rclone has for it",
        "correct them with `rclone config`, or run `rclone config reconnect {remote}:`",
    ),
    _Meaning(
        ("403", "forbidden", "accessdenied", "access denied", "permission denied", "read-only"),
        StoreDenied,
        "the cloud doesn't allow that",
        "check what rclone's login may do there",
    ),
    _Meaning(
        ("is a file not a directory",),
        StoreDenied,
        "a file is where the shared folder should be, or the cloud doesn't allow to look",
        "check the path and what rclone's login may do there",
    ),
    _Meaning(
        ("directory not found", "nosuchbucket", "bucket does not exist", "doesn't exist"),
        StoreAbsent,
        "the shared folder isn't there in the cloud",
        "check that it wasn't moved or removed",
    ),
    _Meaning(
        ("object not found", "404", "no such file", "file does not exist"),
        FileGone,
        "a file is gone, or was replaced since it was listed",
        "look again",
    ),
    _Meaning(
        (
            "no such host",
            "connection refused",
            "connection reset",
            "broken pipe",
            "timeout",
            "timed out",
            "deadline exceeded",
            "unreachable",
            "no route to host",
            "handshake",
            "connection was lost",
            "connection lost",
            "eof",
            "dial tcp",
            "server misbehaving",
            "use of closed network connection",
            "ssh: disconnect",
            "ssh: rejected",
            "couldn't connect ssh",
            "couldn't initialise sftp",
            "file already closed",
            "context canceled",
            "ssh_fx_no_connection",
            "ssh_fx_connection_lost",
            "500",
            "502",
            "503",
            "504",
        ),
        StoreOffline,
        "the cloud doesn't answer",
        "check the network",
    ),
)

_NOT_WHOLE = ("corrupted on transfer", "sizes differ", "hashes differ", "hash differ")
# WebDAV's word while something else makes the same directory, as two uploads at once do: RFC 4918.
_LOCKED = "423"


def refused(text: str, remote: str, where: str, names: Sequence[str] = ()) -> TransportError:
    """What one of rclone's messages means.

    Args:
        text: the message.
        remote: of the location.
        where: the place or the file that it is about.
        names: what rclone was asked about. They stand in its messages, and say nothing of what is
            wrong, whatever words are in them.
    """
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = re.sub(_as_a_whole(name), " ", text)
    lowered = text.lower()
    if any(sign in lowered for sign in _NOT_WHOLE):
        return not_whole(where)
    if _says(lowered, _LOCKED):
        return _locked(where)
    for meaning in _MEANINGS:
        if any(_says(lowered, sign) for sign in meaning.signs):
            todo = meaning.todo.replace("{remote}", remote)
            return meaning.kind(meaning.what, where=where, todo=todo)
    return StoreDenied(
        "the cloud refuses, and rclone gives no reason that is known here",
        where=where,
        todo=f"see what `rclone lsd {remote}:` says",
    )


def unreadable(error: TransportError) -> FileUnreadable:
    """One file can't be read, for a reason that isn't the whole place's."""
    if isinstance(error, StoreFull):
        # Some clouds give out only so much of a file in a day.
        return FileUnreadable(
            "a file can't be read, since a quota of the cloud is used up",
            where=error.where,
            todo="try again later",
        )
    return FileUnreadable(
        f"a file can't be read, since {error.what}",
        where=error.where,
        todo=error.todo,
        passing=error.passing,
    )


def _says(text: str, sign: str) -> bool:
    """Whether a message has a sign; a status of HTTP only where it is no part of a name."""
    if sign.strip().isdecimal():
        return re.search(rf"(?<![\w.-]){sign.strip()}(?![\w-])", text) is not None
    return sign in text


def _as_a_whole(name: str) -> str:
    """What finds a name where it is no part of a word: a directory may be called "q"."""
    before = r"(?<!\w)" if name[0].isalnum() else ""
    after = r"(?!\w)" if name[-1].isalnum() else ""
    return before + re.escape(name) + after


def no_rclone() -> StoreAbsent:
    """There is no rclone here."""
    return StoreAbsent(
        "rclone isn't installed",
        todo="install it from https://rclone.org, or claude-sync with `claude-sync[cloud]`",
    )


def too_old(version: str) -> StoreAbsent:
    """The only rclone is too old."""
    return StoreAbsent(
        "rclone is too old",
        where=version,
        todo=f"install {'.'.join(map(str, MINIMUM))} or newer, or claude-sync with"
        " `claude-sync[cloud]`",
    )


def not_started(text: str, remote: str) -> TransportError:
    """rclone ended before it could be asked anything."""
    for meaning in _MEANINGS[:2]:
        if any(_says(text.lower(), sign) for sign in meaning.signs):
            return refused(text, remote, f"{remote}:")
    return StoreOffline(
        "rclone can't be started", where=remote, todo="see what `rclone listremotes` says"
    )


def rclone_ended(where: str) -> StoreOffline:
    """rclone's process ended in the middle."""
    return StoreOffline(
        "rclone ended in the middle of its work",
        where=where,
        todo="try again; what was finished stays",
    )


def broken_off(where: str) -> StoreOffline:
    """The bytes of a file stopped coming, though rclone is there."""
    return StoreOffline(
        "the cloud broke off in the middle of a file",
        where=where,
        todo="try again; what was finished stays",
    )


def no_answer(where: str) -> StoreOffline:
    """Nothing came in the time there was."""
    return StoreOffline("the cloud doesn't answer", where=where, todo="check the network")


def nonsense(where: str) -> StoreDenied:
    """rclone's answer can't be understood."""
    return StoreDenied("rclone's answer can't be understood", where=where, todo="update rclone")


def not_whole(where: str) -> TransportError:
    """An upload isn't there, or isn't whole."""
    return TransportError(
        "a file didn't arrive whole in the cloud, and the older one was kept",
        where=where,
        todo="it is written again next time",
        passing=True,
    )


def _locked(where: str) -> TransportError:
    """The cloud is busy with something else in the same directory."""
    return TransportError(
        "the cloud holds a lock on a file or its directory",
        where=where,
        todo="try again in a moment",
        passing=True,
    )


def absent(where: str) -> StoreAbsent:
    """Neither files nor marker are where the store should be."""
    return StoreAbsent(
        "the shared folder isn't there in the cloud, or has lost its marker file",
        where=where,
        todo="check that it wasn't moved or removed",
    )
