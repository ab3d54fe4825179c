"""What a system can do that tests use. Where it can't, the test that uses it is skipped.

A test asks for nothing: what it calls asks. On Linux all of this can be done.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

LINUX = sys.platform.startswith("linux")
MODES = os.name == "posix"
"""Whether permission bits say who may read a file."""


def require_linux(what: str) -> None:
    """Skip the test that asks, off Linux.

    Args:
        what: what it needs of it, a noun.
    """
    if not LINUX:
        pytest.skip(f"needs {what}, which the tests only have on Linux")


def require_posix(what: str) -> None:
    """Skip the test that asks, on Windows."""
    if os.name != "posix":
        pytest.skip(f"needs {what}")


def require_unix_sockets() -> None:
    """Skip the test that asks where Python has no Unix sockets (on Windows)."""
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("needs Unix sockets")


def require_names_that_differ_in_case(folder: Path) -> None:
    """Skip the test that asks where ``a`` and ``A`` are one file.

    Args:
        folder: where it makes its files.
    """
    probe = folder / "capabilities-probe"
    probe.touch()
    one = probe.with_name(probe.name.upper()).exists()
    probe.unlink()
    if one:
        pytest.skip("needs names that differ in case alone")


def require_open_files_that_can_be_replaced(folder: Path) -> None:
    """Skip the test that asks where whoever has a file open keeps others from replacing it.

    Args:
        folder: where it makes its files.
    """
    probe, other = folder / "capabilities-probe", folder / "capabilities-other"
    other.touch()
    with probe.open("ab"):
        try:
            os.replace(other, probe)
        except PermissionError:
            replaced = False
        else:
            replaced = True
    probe.unlink()
    other.unlink(missing_ok=True)
    if not replaced:
        pytest.skip("needs open files that can be replaced")


@cache
def links() -> bool:
    """Whether symbolic links can be made: Windows wants a right for it, wine makes none."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, "link")
        try:
            os.symlink("nowhere", link)
        except OSError:
            return False
        return os.path.islink(link)


def skip_where_missing(patch: pytest.MonkeyPatch) -> None:
    """Have the calls that a system lacks skip the test that makes them."""
    if not links():
        patch.setattr(os, "symlink", _symlink)
    if os.name == "posix":
        return
    patch.setattr(os, "mkfifo", _skipping("FIFOs"), raising=False)
    patch.setattr(os, "fork", _skipping("forks of a process"), raising=False)
    patch.setattr(os, "chmod", _chmod(os.chmod))


def _symlink(source: Any, target: Any, *_: object, **__: object) -> NoReturn:
    # pytest makes one beside each folder that it makes, and takes no for an answer.
    if os.fspath(target).endswith("current"):
        raise OSError(errno.EPERM, "needs symbolic links")
    pytest.skip("needs symbolic links")


def _skipping(what: str) -> Callable[..., NoReturn]:
    def skip(*_: object, **__: object) -> NoReturn:
        pytest.skip(f"needs {what}")

    return skip


def _chmod(real: Callable[..., None]) -> Callable[..., None]:
    def chmod(path: Any, mode: int, **more: Any) -> None:
        if os.path.isdir(path):
            denied = not mode & stat.S_IRUSR or not mode & stat.S_IWUSR
        else:
            denied = not mode & stat.S_IRUSR
        if denied:
            pytest.skip("needs permission bits that keep somebody away")
        if mode & stat.S_IXUSR and os.path.isfile(path):
            with open(path, "rb") as file:
                if file.read(2) == b"#!":
                    pytest.skip("needs scripts that are programs")
        real(path, mode, **more)

    return chmod
