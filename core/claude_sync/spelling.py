"""How a system spells a path: which two spellings mean one folder, and how long one may be.

Pure; `claude_sync.disk.resolved` asks the disk.
"""

from __future__ import annotations

import ntpath
import sys
from collections.abc import Callable

_EXTENDED = "\\\\?\\"
_EXTENDED_SHARE = "\\\\?\\UNC\\"
_MOST_LINKS = 40
"""More than that is a circle."""


def folds_case(system: str = sys.platform) -> bool:
    """Whether `Code` and `code` are one folder there, as far as the system's own disks go."""
    return system in ("win32", "darwin")


def same_case(text: str, system: str = sys.platform) -> str:
    """A path, or a name, as two of them can be compared where case may not count."""
    return text.lower() if folds_case(system) else text


def extended(path: str, system: str = sys.platform) -> str:
    r"""An absolute path in the form that Windows takes at any length; the same elsewhere.

    The old limit is 260 characters, and holds unless an administrator lifted it. A session's
    sidecar file has 300 and more, and one of our names 340:
    https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation
    """
    if system != "win32" or path.startswith(_EXTENDED):
        return path
    if path.startswith("\\\\"):
        return _EXTENDED_SHARE + path[2:]
    # Such a path is taken as it is: without a drive, or with ``/`` in it, it would mean nothing.
    drive, rest = ntpath.splitdrive(ntpath.normpath(path))
    return _EXTENDED + drive + rest if drive and rest.startswith("\\") else path


def plain(path: str) -> str:
    """A path as a person writes it: the other way round from `extended`."""
    if path.startswith(_EXTENDED_SHARE):
        return "\\\\" + path[len(_EXTENDED_SHARE) :]
    return path.removeprefix(_EXTENDED)


def links_followed(path: str, target_of: Callable[[str], str | None]) -> str:
    r"""An absolute path of Windows with its links resolved, and its drive left as it is.

    So Claude Code resolves its directory (Node's `realpathSync` reads link after link). Asking
    Windows for the final path would make ``\\server\share`` of a mapped drive, and another folder
    of the drive that `subst` made.

    Args:
        path: absolute, with its drive.
        target_of: what a link leads to, as it is written there; None for what is no link.
    """
    drive, rest = ntpath.splitdrive(ntpath.normpath(path))
    done, parts = drive + "\\", _parts(rest)
    links = 0
    while parts:
        here = ntpath.join(done, parts.pop(0))
        target = target_of(here) if links < _MOST_LINKS else None
        if target is None:
            done = here
            continue
        links += 1
        drive, rest = ntpath.splitdrive(ntpath.normpath(ntpath.join(done, plain(target))))
        done, parts = drive + "\\", [*_parts(rest), *parts]
    return done


def _parts(rest: str) -> list[str]:
    return [part for part in rest.split("\\") if part]
