"""Which version this is, and of which commit it was made."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from claude_sync import __version__

_DIGITS = 10
_PATIENCE_SECONDS = 2.0
_COMMIT = re.compile(r"[0-9a-f]{7,64}\+?")


def full_version() -> str:
    """The version as it is shown: with the commit, where that is known."""
    known = commit()
    return f"{__version__} (commit {known})" if known else __version__


def commit(root: Path | None = None) -> str:
    """The commit that this is: a few digits, and "+" behind them if the tree was changed since.

    A wheel knows its own. Only a clone that is run as it is has to ask git.

    Args:
        root: the tree that is run; None for the one that this file lies in.

    Returns:
        "" where it can't be told.
    """
    try:
        # Only what was built has it: packaging/build_hook.py
        built: str = import_module("claude_sync_app._build").COMMIT if root is None else ""
    except ImportError:
        built = ""
    found = built or _asked(root or Path(__file__).resolve().parents[2])
    if not _COMMIT.fullmatch(found):
        return ""
    return found[:_DIGITS] + found[-1:].strip("0123456789abcdef")


def _asked(root: Path) -> str:
    if not (root / ".git").exists():
        return ""
    import subprocess

    from claude_sync.disk.programs import full_command

    # Not `describe --dirty`: that locks the index whatever it is told, and a git that is ended for
    # being slow would leave the lock, and with it a clone in which nobody can commit.
    status = ["status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        done = subprocess.run(
            full_command(["git", "-C", str(root), "--no-optional-locks", *status]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    heads = [line for line in done.stdout.splitlines() if line.startswith("# ")]
    changed = "+" if len(done.stdout.splitlines()) > len(heads) else ""
    oid = next((line for line in heads if line.startswith("# branch.oid ")), "")
    return f"{oid.removeprefix('# branch.oid ')}{changed}"
