"""Disks that misbehave for real: full, read-only, and permissions that bind root too."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from capabilities import require_posix

SMALL_DISK_BYTES = 2 << 20


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilitySet(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


@contextlib.contextmanager
def ordinary_permissions() -> Iterator[None]:
    """Modes of files bind this thread even if it is root's (man 2 capset, 7 capabilities)."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        yield
        return
    version_3 = 0x20080522
    override, read_search = 1, 2
    library = ctypes.CDLL(None, use_errno=True)
    header = _CapabilityHeader(version_3, 0)
    sets = (_CapabilitySet * 2)()
    assert library.capget(ctypes.byref(header), sets) == 0
    before = sets[0].effective
    sets[0].effective = before & ~(1 << override | 1 << read_search)
    assert library.capset(ctypes.byref(header), sets) == 0
    try:
        yield
    finally:
        sets[0].effective = before
        assert library.capset(ctypes.byref(header), sets) == 0


def _mount(point: Path, *options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(point)]
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


@contextlib.contextmanager
def small_disk(point: Path, size: int = SMALL_DISK_BYTES) -> Iterator[Path]:
    """A folder with room for so many bytes: a disk of that size, or a limit on any one file's."""
    point.mkdir(parents=True)
    if _mount(point, f"size={size}", "mode=0700"):
        try:
            yield point
        finally:
            subprocess.run(["umount", "-l", str(point)], check=True)
        return
    require_posix("a limit on the size of files")
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield point
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def read_only_disk(folder: Path) -> Iterator[None]:
    """Inside, a folder and all in it lie on a disk of their own that is mounted read-only."""
    before = folder.with_name(f"{folder.name}-before")
    shutil.copytree(folder, before, symlinks=True)
    if not _mount(folder, "mode=0700"):
        pytest.skip("no disk can be mounted here")
    try:
        shutil.copytree(before, folder, symlinks=True, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(before)


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """Inside, big files can be written beside a small disk also where a limit stands for it."""
    require_posix("a limit on the size of files")
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that can be read but not written to, nor any directory in it."""
    directories = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    modes = [path.stat().st_mode & 0o777 for path in directories]
    for path in directories:
        path.chmod(0o500)
    try:
        with ordinary_permissions():
            yield
    finally:
        for path, mode in zip(directories, modes, strict=True):
            path.chmod(mode)
