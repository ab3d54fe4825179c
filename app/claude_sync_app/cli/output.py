"""Everything that is said: lines and documents on stdout, errors and remarks on stderr.

A reader that goes away (``| head``) is no error: what is left to say is dropped, and the work and
its exit status stay what they are.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from claude_sync_app.shown_text import one_line, without_controls

PROGRAM = "claude-sync"


def print_line(line: str = "") -> None:
    """One line for people, shown without control characters."""
    _write(sys.stdout, without_controls(line) + "\n")


def print_json(document: object) -> None:
    """One JSON document, the only thing on stdout."""
    import json

    # Escaped, so that names which aren't valid Unicode survive whatever the encoding is.
    _write(sys.stdout, json.dumps(document, indent=2) + "\n")


def print_note(line: str) -> None:
    """One line for people beside the output: on stderr, and no error."""
    _write(sys.stderr, without_controls(line) + "\n")


def print_error(sentence: str) -> None:
    """One error: what happened, where, and what to do."""
    print_note(f"{PROGRAM}: {one_line(sentence)}")


def print_raw(text: str) -> None:
    """Text on stdout as it is; what may be other people's was made fit to be shown before."""
    _write(sys.stdout, text)


def flush() -> None:
    """Send what was said."""
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "")


def replace_unencodable() -> None:
    """Whatever the encoding of a stream is, nothing that is said fails for it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return  # closed by who started us
    try:
        stream.write(text)
        if not text or stream is sys.stderr:
            stream.flush()
    except BrokenPipeError:
        _drop(stream)
    except OSError as error:
        # Else Python tried the same once more at its end, and said so in its own words.
        _drop(stream)
        # Windows has no SIGPIPE, and says this of a pipe that nobody reads.
        if os.name != "nt" or error.errno != 22:
            raise


def _drop(stream: TextIO) -> None:
    """Send all that still comes, and what lies in the buffer, nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    try:
        os.dup2(null, stream.fileno())
    finally:
        os.close(null)


# --- terminals ---------------------------------------------------------------------------------


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at a stream."""
    return stream is not None and stream.isatty()


def print_heading(text: str) -> None:
    """A line that stands above others; on a terminal it looks so."""
    if is_terminal(sys.stdout) and "NO_COLOR" not in os.environ and os.name != "nt":
        _write(sys.stdout, f"\x1b[1m{without_controls(text)}\x1b[0m\n")
    else:
        print_line(text)
