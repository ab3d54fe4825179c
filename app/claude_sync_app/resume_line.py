"""The line that a person types to resume a session, for the shell that this system has. Pure."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType

from claude_sync.names import is_session_id

# cmd puts in a variable's value before it reads the line, quoted or not, and nothing prevents it.
_NOT_FOR_CMD = frozenset("%!")


def resume_line(
    directory: PurePath,
    session_id: str,
    platform: str = sys.platform,
    *,
    environment: Mapping[str, str] = MappingProxyType({}),
    missing: bool = False,
    options: Sequence[str] = (),
) -> str:
    """``cd <directory> && claude --resume <id>``, quoted; "" if it can't be written safely.

    On Windows it is written for PowerShell, which is what its terminal opens, unless the
    environment is that of Git Bash, or of cmd.

    Args:
        directory: absolute.
        session_id: the session's.
        platform: as `sys.platform` has it.
        environment: of the shell that the line is for; empty where that isn't known.
        missing: whether the directory isn't there, and the line has to make it first.
        options: what the client is told besides; words that no shell reads otherwise.
    """
    resume = " ".join(["claude", "--resume", session_id, *options])
    where = str(directory)
    if not is_session_id(session_id) or any(unicodedata.category(c) in ("Cc", "Cs") for c in where):
        return ""
    if platform == "win32" and _is_cmd(environment) and not _NOT_FOR_CMD & set(where):
        made = f'mkdir "{where}" && ' if missing else ""
        return f'{made}cd /d "{where}" && {resume}'
    if platform == "win32" and "MSYSTEM" not in environment:
        # PowerShell takes typographic single quotes for quotes too, and all are doubled.
        quoted = "".join(c + c if c in "'\u2018\u2019\u201a\u201b" else c for c in where)
        made = f"mkdir -Force '{quoted}' | Out-Null; " if missing else ""
        return f"{made}cd -LiteralPath '{quoted}'; {resume}"
    import shlex

    quoted = shlex.quote(where)
    made = f"mkdir -p {quoted} && " if missing else ""
    return f"{made}cd {quoted} && {resume}"


def _is_cmd(environment: Mapping[str, str]) -> bool:
    """Whether a shell of Windows is cmd, which alone sets what its prompt looks like."""
    return "PROMPT" in environment and "MSYSTEM" not in environment
