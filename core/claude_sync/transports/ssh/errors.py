"""The messages of ssh and of the host as errors of ours.

ssh's own words are only searched, not passed on: they may hold more than a log should.
"""

from __future__ import annotations

import re

from claude_sync.errors import (
    FileGone,
    FileUnreadable,
    StoreAbsent,
    StoreDenied,
    StoreFull,
    StoreOffline,
    TransportError,
)
from claude_sync.transports.location import HostLocation

_CHECK_LOGIN = "see what `{login}` says"
_CHANGED_KEY = re.compile(
    r"host key for (\[[a-z0-9][a-z0-9.:%_-]*\]:[0-9]{1,5}|[a-z0-9][a-z0-9.:%_-]*) has changed"
)

# What ssh (or Windows' build of it) writes, and what it means. The first that fits counts.
_OFFLINE: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("could not resolve hostname", "name or service not known"),
        "the host's name leads nowhere",
        "check the name and the network",
    ),
    (
        ("connection refused",),
        "the host refuses connections",
        "start its ssh service, or check the port",
    ),
    (
        ("timed out", "no route to host", "network is unreachable", "host is down", "not respond"),
        "the host doesn't answer",
        "check that it is on, and the network",
    ),
)
_ABSENT: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("permission denied (", "too many authentication failures", "no supported authentication"),
        "the host doesn't accept this user's keys",
        "unlock the key, start the agent, or " + _CHECK_LOGIN,
    ),
)
_DENIED: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("identification has changed", "host key for", "dns spoofing"),
        "the host's key isn't the one known for it",
        "make sure it is the same host, then {forget its key} and log in once with ssh",
    ),
    (
        ("host key verification failed", "host key is known", "no matching host key fingerprint"),
        "the host's key isn't known here yet",
        "log in once with `{login}` and confirm it",
    ),
    (
        (
            "bad configuration option",
            "terminating,",
            "bad owner or permissions",
            "unsupported option",
            "can't open user config",
        ),
        "ssh can't use its configuration",
        _CHECK_LOGIN + ", or correct ssh_command",
    ),
    (
        ("unable to negotiate", "no matching"),
        "the host and this ssh have no cipher or key type in common",
        "update the older of them",
    ),
)


def no_ssh(program: str) -> TransportError:
    """ssh itself can't be started."""
    return StoreDenied(
        "ssh can't be started",
        where=program,
        todo="install OpenSSH's client, or set ssh_command",
    )


def no_answer(host: str) -> TransportError:
    """Nothing came in the time there was."""
    return StoreOffline(
        "the host doesn't answer", where=host, todo="check that it is on, and the network"
    )


def connection_lost(host: str) -> TransportError:
    """The connection ended in the middle of an answer."""
    return StoreOffline(
        "the connection was lost",
        where=host,
        todo="try again; what was finished stays",
    )


def nonsense(location: HostLocation) -> TransportError:
    """The answer isn't one of the script's."""
    return StoreDenied(
        "the host's answer can't be understood",
        where=location.host,
        todo=_advice(_CHECK_LOGIN, location),
    )


def not_connected(messages: str, status: int | None, location: HostLocation) -> TransportError:
    """Why ssh ended before the script's first answer.

    Args:
        messages: what ssh wrote to stderr.
        status: its exit status; 255 is its own failure, others come from the host.
        location: where to.
    """
    host = location.host
    if status is not None and 0 <= status != 255:
        return StoreDenied(
            "the login on the host doesn't run /bin/sh",
            where=host,
            todo="use a login with a POSIX shell there",
        )
    text = messages.lower()
    kinds = ((_DENIED, StoreDenied), (_ABSENT, StoreAbsent), (_OFFLINE, StoreOffline))
    for table, kind in kinds:
        for signs, what, todo in table:
            if any(sign in text for sign in signs):
                advice = todo.replace("{forget its key}", _forgetting(text, host))
                return kind(what, where=host, todo=_advice(advice, location))
    todo = _advice(_CHECK_LOGIN, location)
    return StoreOffline("ssh can't connect to the host", where=host, todo=todo)


def _forgetting(messages: str, host: str) -> str:
    """How to make ssh forget a host's key: by the name under which it knows it.

    With another port than 22 that is not the host's name alone. Where the place is an alias of the
    configuration, it can't be told. It is the one word of ssh's that is passed on, and only where
    it is the place's own: the other end can write such a line too, and must not have another
    host's key forgotten.
    """
    known = _CHANGED_KEY.search(messages)
    if known is None or re.sub(r"\[(.*)\]:[0-9]+", r"\1", known[1]) != host.lower():
        return "remove its old key from ssh's known_hosts"
    name = f'"{known[1]}"' if "[" in known[1] else known[1]
    return f"`ssh-keygen -R {name}`"


def _advice(text: str, location: HostLocation) -> str:
    return text.replace("{login}", location.login)


def cant_wait(host: str) -> StoreDenied:
    """The host has nothing to wait with."""
    return StoreDenied("the host can't wait for changes", where=host)


def store_refused(word: str, where: str) -> TransportError | None:
    """The error if the script's word is about the store's folder as a whole, else None."""
    if word == "offline":
        return StoreAbsent(
            "the shared folder isn't there on the host", where=where, todo="mount or make it there"
        )
    if word == "marker":
        return StoreAbsent(
            "the shared folder on the host has lost its marker file",
            where=where,
            todo="mount it there",
        )
    if word == "notdir":
        return StoreDenied(
            "a file is where the shared folder should be on the host",
            where=where,
            todo="choose another folder",
        )
    if word == "denied":
        return StoreDenied(
            "the shared folder on the host can't be opened",
            where=where,
            todo="check its owner and mode there",
        )
    return None


def home_missing(host: str) -> StoreDenied:
    """The error for a location below a home directory that the host doesn't have."""
    return StoreDenied(
        "the home directory isn't there on the host, so nothing was made in its place",
        where=host,
        todo="mount it or have it made there, or name a path outside it: ssh://host/absolute/path",
    )


def cant_make(text: str, where: str) -> TransportError:
    """Why the store's folder couldn't be made: the system's word, LC_ALL=C."""
    error = file_refused(text, where)
    if isinstance(error, FileGone):  # /proc and the like, where that is impossible
        error = StoreDenied(
            "the shared folder can't be made on the host", where=where, todo="choose another folder"
        )
    return error


def file_unreadable(where: str) -> FileUnreadable:
    """A file is there, and the login may not read it."""
    return FileUnreadable(
        "permission is denied on the host", where=where, todo="check the owner and mode there"
    )


def file_refused(text: str, where: str) -> TransportError:
    """Why a file couldn't be written or removed: the script's word or the system's, LC_ALL=C."""
    text = text.lower()
    if "no space" in text or "quota" in text:
        return StoreFull("the host's disk is full", where=where, todo="free some space there")
    if "too large" in text:
        return StoreFull(
            "a file of this size doesn't fit on the host",
            where=where,
            todo="raise its limit there, or choose another disk",
        )
    if "read-only" in text:
        return StoreDenied("the host's disk is read-only", where=where, todo="mount it for writing")
    if "permission denied" in text or "not permitted" in text:
        return StoreDenied(
            "permission is denied on the host", where=where, todo="check the owner and mode there"
        )
    if "directory" in text or "inway" in text:
        if "no such" in text or "nonexistent" in text:
            return FileGone(
                "a folder on the host disappeared during a write",
                where=where,
                todo="it is made again next time",
            )
        return StoreDenied(
            "something else is in the way of a file or folder on the host",
            where=where,
            todo="move it away there",
        )
    if "put/output" in text or "stale" in text or "not connected" in text:
        return StoreOffline("the host's disk doesn't answer", where=where, todo="check it there")
    return StoreDenied("the host can't write a file", where=where, todo="check its disk")
