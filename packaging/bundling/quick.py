"""What the bundle's programs run before anything else: the answer that Claude Code waits for.

PyInstaller has its own hooks run first, which import a good part of Python's library. That takes as
long as the answer at a session's start itself, which needs none of it and has a fifth of a second.
"""

from __future__ import annotations

import os
import sys

HOOK = ("claude_sync_app", "inside_client", "hook.py")


def start_arguments(arguments: list[str], own: str) -> list[str]:
    """What the hook gets if a session's start is asked about; [] for whatever else is to be done.

    Args:
        arguments: all of the program's: options of Python's, the hook's file, what it gets.
        own: the bundle's folder.
    """
    if len(arguments) < 3 or arguments[-2] != "start":
        return []
    hook = os.path.realpath(os.path.join(own, *HOOK))
    return arguments[-2:] if os.path.realpath(arguments[-3]) == hook else []


if __name__ == "__main__":
    found = start_arguments(sys.argv, sys._MEIPASS)  # type: ignore[attr-defined] -- PyInstaller's
    if found:
        from claude_sync_app.inside_client.hook import main

        main(*found)  # and that is the end of the process
