"""Whether the client will ask about a directory before it works there.

It asks the first time, with "No, exit" chosen beforehand, and remembers the answer for all that
lies below (seen with 2.1.332). Nothing here writes: whether to trust a folder is a person's say.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from claude_sync.claude.config_dir import VARIABLE
from claude_sync.disk.home_directory import home_directory
from claude_sync.disk.resolved import resolved
from claude_sync.disk.snapshot import read_small
from claude_sync.spelling import same_case

_MOST_BYTES = 64 << 20
_OLDER_NAME = ".config.json"
_NAME = ".claude.json"


def is_new_to_client(
    claude_home: Path, directory: Path, environ: Mapping[str, str] = os.environ
) -> bool:
    """Whether the client doesn't know a directory, nor one above it, as trusted.

    False where what it knows can't be read: then nothing can be said.

    Args:
        claude_home: Claude Code's folder.
        directory: where a session is to be resumed, absolute.
        environ: the environment that the client gets.
    """
    try:
        text = read_small(_settings_file(claude_home, environ), _MOST_BYTES)
    except FileNotFoundError:
        return True  # it never ran here
    except OSError:
        return False
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    projects = document.get("projects") if isinstance(document, dict) else None
    if not isinstance(projects, dict):
        return True
    trusted = {
        _spelled(name)
        for name, project in projects.items()
        if isinstance(project, dict) and project.get("hasTrustDialogAccepted") is True
    }
    real = Path(resolved(directory))
    return not any(_spelled(str(one)) in trusted for one in (real, *real.parents))


def _settings_file(claude_home: Path, environ: Mapping[str, str]) -> Path:
    """The file that the client keeps its state in, links followed: it is the person's own."""
    older = claude_home / _OLDER_NAME
    if older.is_file():
        return older
    beside = environ.get(VARIABLE) or claude_home != home_directory() / ".claude"
    return Path(os.path.realpath((claude_home if beside else home_directory()) / _NAME))


def _spelled(path: str) -> str:
    """A path as two of them can be compared: the client writes it in normal form C, with ``/``."""
    return same_case(unicodedata.normalize("NFC", path)).replace("\\", "/")
