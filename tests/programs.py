"""The real programs that tests run, and what becomes of a test whose program isn't here."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from pathlib import Path

import pytest

_TABLE = Path(__file__).resolve().parents[1] / "packaging" / "test-programs"
_SYSTEM_DIRECTORIES = ("/usr/sbin", "/sbin")


def require(*programs: str) -> None:
    """Skip the test that asks, unless these programs are here; says how to get them.

    Args:
        programs: as the second column of ``packaging/test-programs`` has them.
    """
    missing = [name for name in programs if find(name) is None]
    if missing:
        packages = " ".join(_packages()[name] for name in missing)
        how = f"apt-get install {packages}" if sys.platform.startswith("linux") else "install them"
        pytest.skip(f"needs {', '.join(missing)}: {how}")


def find(program: str) -> str | None:
    """Where a program of the table is, None where it isn't.

    Raises:
        KeyError: it isn't in the table, and so nothing installs it.
    """
    assert _packages()[program]
    if os.path.isabs(program):  # of a program, or of what it reads
        return program if os.path.exists(program) else None
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_DIRECTORIES])
    return shutil.which(program, path=path)


def require_listed(program: str) -> None:
    """The same for what a fixture is told to start: a program of the table, or any other."""
    if program in _packages():
        require(program)


@cache
def _packages() -> dict[str, str]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = [line.removeprefix("#\t").split("\t") for line in lines]
    return {program: package for package, program, *_ in (row for row in rows if len(row) == 3)}
