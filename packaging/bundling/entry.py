"""What the bundle's programs start: ``claude-sync``, ``claude-sync-tray``, and Python for our own.

The program starts Python anew in places (what outlives Claude Code, what guards rclone), with one
of its own files or as ``-m claude_sync_app``. In a bundle there is no Python beside the
program, so it stands in for one, for files of its own only.
"""

from __future__ import annotations

import os
import runpy
import sys

_TAKES_ONE = ("-X", "-W")
_ALONE = ("-I", "-S", "-P", "-u")


def main() -> int:
    own = os.path.realpath(sys._MEIPASS)  # type: ignore[attr-defined] -- PyInstaller's
    rest = for_python(sys.argv[1:], own)
    if rest is not None:
        return _as_python(rest)
    name = os.path.splitext(os.path.basename(sys.executable))[0].lower()
    if name.endswith("-tray"):
        from claude_sync_app.cli.commands.tray import main as run
    else:
        from claude_sync_app.cli import main as run
    return run()


def for_python(arguments: list[str], own: str) -> list[str] | None:
    """What Python would get behind its options; None where a person speaks to the program.

    Args:
        arguments: all of them.
        own: the bundle's folder; only files in it are run.
    """
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        option = rest.pop(0)
        if option in _TAKES_ONE and rest:
            rest.pop(0)
        elif option not in _ALONE:
            return None
    if rest[:2] == ["-m", "claude_sync_app"]:
        return rest
    if len(rest) < len(arguments) and rest and rest[0].endswith(".py"):
        return rest if os.path.realpath(rest[0]).startswith(own + os.sep) else None
    return None


def _as_python(rest: list[str]) -> int:
    if rest[0] == "-m":
        from claude_sync_app.cli import main as run

        sys.argv = [sys.executable, *rest[2:]]
        return run()
    sys.argv = rest
    runpy.run_path(rest[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
