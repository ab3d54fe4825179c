"""The system's errors about a folder as ours: one sentence each, passing or lasting."""

from __future__ import annotations

import errno
import os
import sys

from claude_sync.disk.privacy import how_to_allow, is_refusal
from claude_sync.errors import (
    FileGone,
    StoreAbsent,
    StoreDenied,
    StoreFull,
    StoreOffline,
    TransportError,
)

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
# Not every system has every one.
_OFFLINE_NAMES = (
    "EIO",
    "ESTALE",
    "ENOTCONN",
    "ENXIO",
    "ENODEV",
    "ETIMEDOUT",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "ENETDOWN",
    "ENETUNREACH",
    "ECONNRESET",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ESHUTDOWN",
    "EREMOTEIO",
    "ENOMEDIUM",
)
_OFFLINE = {getattr(errno, name) for name in _OFFLINE_NAMES if hasattr(errno, name)}
# Not ready, network path not found, network busy, device gone, network name gone or deleted,
# unexpected network error, cloud provider not running or not reachable: winerror.h.
_WINDOWS_OFFLINE = {21, 53, 54, 55, 59, 64, 65, 67, 121, 362, 389, 1231, 1232, 1236}


def translate(error: OSError, where: str, system: str = sys.platform) -> TransportError:
    """The error for a file or folder in the store.

    Args:
        error: the system's.
        where: the path it was about.
        system: as `sys.platform` has it.
    """
    code = error.errno
    if getattr(error, "winerror", None) in _WINDOWS_OFFLINE or code in _OFFLINE:
        return StoreOffline("the folder's disk or share doesn't answer", where=where)
    if code in _FULL:
        return StoreFull("the disk is full", where=where, todo="free some space and push again")
    if code == errno.EFBIG:
        return StoreFull("a file of this size doesn't fit there", where=where)
    if code == errno.EROFS:
        return StoreDenied("the disk is read-only", where=where, todo="mount it for writing")
    if is_refusal(error, where, system):
        return StoreDenied(
            "macOS gives this program no access there", where=where, todo=how_to_allow()
        )
    if code in _DENIED:
        return StoreDenied("permission is denied", where=where, todo="check the owner and mode")
    if code == errno.ENOENT:
        return FileGone("a file isn't there any more", where=where)
    if code in (errno.ELOOP, errno.EINVAL, errno.ENOTDIR, errno.EISDIR):
        return StoreDenied("something that isn't a plain file or folder is in the way", where=where)
    return StoreDenied(os.strerror(code or 0).lower(), where=where)


def root_error(error: OSError, root: str) -> TransportError:
    """The error for the store's own folder."""
    if error.errno == errno.ENOENT:
        return StoreAbsent(
            "the shared folder isn't there", where=root, todo="mount or connect it, then try again"
        )
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return StoreDenied(
            "a file is where the shared folder should be", where=root, todo="choose another folder"
        )
    return translate(error, root)
