"""Git repositories for tests, made with the real git or at least for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from programs import require

GIT = shutil.which("git") or "git"
APP = "git:github.com/you/app"
"""A project's key, and where its remote is."""
URL = "https://github.com/you/app.git"


def git(directory: Path, *arguments: str) -> None:
    """Run git there, quietly: the one that was found at the start, whatever the PATH is now."""
    if not os.path.isabs(GIT):
        require("git")
    subprocess.run([GIT, *arguments], cwd=directory, check=True, capture_output=True)


def repository(directory: Path, remote: str | None = None) -> Path:
    """A new repository, with an origin if one is named."""
    directory.mkdir(parents=True, exist_ok=True)
    git(directory, "init", "-q")
    if remote is not None:
        git(directory, "remote", "add", "origin", remote)
    return directory


def bare_bones(directory: Path, remote: str | None = None) -> Path:
    """What git takes for a repository, made without starting it, for tests that need many."""
    for part in ("objects", "refs/heads"):
        (directory / ".git" / part).mkdir(parents=True)
    (directory / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    config = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
    if remote is not None:
        config += f'[remote "origin"]\n\turl = {remote}\n'
    (directory / ".git" / "config").write_text(config)
    return directory


def clone(directory: Path, remote: str | None = URL) -> Path:
    """The bare bones of a repository of `APP`, unless another remote is named."""
    return bare_bones(directory, remote)


def commit(directory: Path) -> None:
    """An empty commit."""
    git(directory, "commit", "-q", "--allow-empty", "-m", "x")


def program(folder: Path, name: str, script: str) -> None:
    """A shell script to be found on the PATH before the real program, which it calls $REAL."""
    real = shutil.which(name)
    file = folder / name
    file.write_text(f'#!/bin/sh\nREAL="{real}"\n{script}\n')
    file.chmod(0o755)
