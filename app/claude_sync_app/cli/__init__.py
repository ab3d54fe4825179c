"""The command ``claude-sync``.

Each command is a module of its own in `commands`, imported only when it is typed. What they share:
`runner` (errors and exit statuses), `context` (what a command works with), `selection` (which
sessions), `results`, `listing` and `output` (what is printed), `prompt` (questions).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

_GARBAGE_EVERY = 100_000
_INTERRUPTED = 130
# With -m, Python would look for us, and for all that we import, in the current directory first: in
# somebody else's clone, that is code of theirs.
_ANEW = """\
import sys
sys.path[:] = [path for path in sys.path if path]
from claude_sync_app.cli import main
sys.exit(main())
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: without the program's name; None for this process's.

    Returns:
        the exit status: 0 done, 1 a session couldn't be done, 2 wrong usage, 130 interrupted.
    """
    # Tens of thousands of values are made from the records, none of them in cycles: collecting
    # garbage after every 700 costs a twentieth of the time.
    gc.set_threshold(_GARBAGE_EVERY)
    given = sys.argv[1:] if arguments is None else list(arguments)
    if arguments is None and sys.getfilesystemencoding() != "utf-8":
        _restart_in_utf8(given)
    try:
        from claude_sync_app.cli.runner import run

        return run(given)
    except KeyboardInterrupt:
        return _INTERRUPTED  # too early for anything to print that
    finally:
        if arguments is None:
            # The process ends, and all that it holds goes with it: Python's last search for cycles
            # in that takes up to a tenth of a push with nothing to do.
            gc.freeze()


def _restart_in_utf8(arguments: Sequence[str]) -> None:
    """Start again with paths read as UTF-8, as Claude Code does whatever the locale says."""
    import os

    # What is shown stays in the terminal's encoding. Only of use to us: see `handover`.
    shown_in = sys.stdout.encoding if sys.stdout is not None else "ascii"
    os.environ["PYTHONIOENCODING"] = f"{shown_in}:replace"
    options = ["-X", "utf8", "-X", "claude_sync_restarted", *(["-I"] if sys.flags.isolated else [])]
    program = [sys.executable, *options, "-c", _ANEW, *arguments]
    os.execv(sys.executable, program)  # noqa: S606 -- our own interpreter, by an argument list
