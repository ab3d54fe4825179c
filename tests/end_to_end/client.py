"""A client for the command to become: it writes down what it is, and ends with its own status."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

STATUS = 7
_HELP = "  --system-prompt-snapshot <mode>"
_LOG = "became.json"
# What it ignores is read before Python ignores what it always does.
_SCRIPT = """\
#!/bin/sh
while read -r name value; do
    [ "$name" != SigIgn: ] || export IGNORED="$value"
done < /proc/$$/status
exec {command} "$@"
"""


class Client(NamedTuple):
    """What a process was once it had become the client.

    Attributes:
        pid: its number.
        arguments: what it got.
        directory: where it was.
        environment: its variables.
        files: what its open files were.
        children: the numbers of its children.
        ignored: which signals it ignored, a bit each.
    """

    pid: int
    arguments: list[str]
    directory: str
    environment: dict[str, str]
    files: list[str]
    children: list[str]
    ignored: int


def put_client(folder: Path) -> str:
    """Put a client into a folder; the PATH on which it is found."""
    folder.mkdir(exist_ok=True)
    program = folder / "claude"
    command = shlex.join([sys.executable, __file__, str(folder)])
    program.write_text(_SCRIPT.format(command=command))
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def became(folder: Path) -> Client | None:
    """What the client of that folder was when it was last started, and never again; or None."""
    log = folder / _LOG
    if not log.exists():
        return None
    told = Client(*json.loads(log.read_text()))
    log.unlink()
    return told


def _open_files() -> list[str]:
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:
            continue  # the one through which the others are listed
    return found


def _main(folder: Path, arguments: list[str]) -> int:
    if arguments == ["--help"]:
        print(_HELP)
        return 0
    ignored = int(os.environ.pop("IGNORED"), 16)
    told = Client(
        pid=os.getpid(),
        arguments=arguments,
        directory=os.getcwd(),
        environment=dict(os.environ),
        files=_open_files(),
        children=Path(f"/proc/self/task/{os.getpid()}/children").read_text().split(),
        ignored=ignored,
    )
    (folder / _LOG).write_text(json.dumps(told))
    return STATUS


if __name__ == "__main__":
    raise SystemExit(_main(Path(sys.argv[1]), sys.argv[2:]))
