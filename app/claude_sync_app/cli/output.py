"""Everything that is printed: lines and documents on stdout, errors and notes on stderr.

A reader that goes away (``| head``) is no error: the rest of the output is dropped, and the
work and its exit status stay what they are.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Sequence
from typing import TextIO

from claude_sync_app.shown_text import one_line, without_controls

PROGRAM = "claude-sync"
_NARROWEST = 20


def print_line(line: str = "") -> None:
    """Print a line for people, without control characters.

    On a terminal it is broken between words; one that begins with a space stays whole, since it
    may be a line to type.
    """
    _write(sys.stdout, fitted(sys.stdout, without_controls(line)) + "\n")


def print_json(document: object) -> None:
    """Print one JSON document, which must be the only thing on stdout."""
    import json

    # Escaped, so that names which aren't valid Unicode survive whatever the encoding is.
    _write(sys.stdout, json.dumps(document, indent=2) + "\n")


def print_note(line: str) -> None:
    """Print a line for people that isn't part of the output, nor an error, on stderr."""
    _write(sys.stderr, fitted(sys.stderr, without_controls(line)) + "\n")


def print_error(sentence: str) -> None:
    """Print an error: what happened, where, and what to do."""
    print_note(f"{PROGRAM}: {one_line(sentence)}")


def print_raw(text: str) -> None:
    """Print text as it is; control characters of other people's must be gone already."""
    _write(sys.stdout, text)


def flush() -> None:
    """Send what was printed."""
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "")


def replace_unencodable(
    streams: Sequence[TextIO | None] | None = None, system: str = sys.platform
) -> None:
    """Print a question mark where a stream's encoding lacks a character, in place of failing.

    Into a pipe or a file of Windows goes UTF-8, unless the person chose an encoding for Python:
    its code page lacks most characters of titles, and even our arrows.

    Args:
        streams: None for stdout and stderr.
        system: as `sys.platform` has it.
    """
    for stream in (sys.stdout, sys.stderr) if streams is None else streams:
        if stream is None or not hasattr(stream, "reconfigure"):
            continue
        if system == "win32" and not stream.isatty() and "PYTHONIOENCODING" not in os.environ:
            stream.reconfigure(encoding="utf-8")
        stream.reconfigure(errors="replace")


_unheard: deque[str] = deque(maxlen=20)
"""The last that was printed where there was no stream for it."""


def take_unheard() -> str:
    """What was printed though nobody could see it, once; "" if nothing."""
    text = "".join(_unheard).strip()
    _unheard.clear()
    return text


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        if text:
            _unheard.append(text)
        return  # closed by who started us, or a program without a console
    try:
        stream.write(text)
        if not text or stream is sys.stderr:
            stream.flush()
    except BrokenPipeError:
        _drop(stream)
    except OSError as error:
        # Otherwise Python tries again as it ends, and prints an error of its own.
        _drop(stream)
        # Windows has no SIGPIPE, and reports a pipe without a reader like this.
        if os.name != "nt" or error.errno != 22:
            raise


def _drop(stream: TextIO) -> None:
    """Discard what is in the buffer, and all that is still written."""
    null = os.open(os.devnull, os.O_RDWR)
    try:
        os.dup2(null, stream.fileno())
    finally:
        os.close(null)


# --- terminals ---------------------------------------------------------------------------------


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal, so that a person sees it."""
    return stream is not None and stream.isatty()


def filled(text: str, columns: int) -> list[str]:
    """Text in lines of so many columns. What stands in backticks isn't torn apart, nor a name."""
    import re
    from textwrap import wrap

    whole = re.sub("`[^`]*`", lambda typed: typed[0].replace(" ", "\0"), text)
    lines = wrap(whole, columns, break_on_hyphens=False, break_long_words=False)
    return [line.replace("\0", " ") for line in lines]


def fitted(stream: TextIO | None, line: str) -> str:
    """A line, on a terminal broken between words; see `print_line`."""
    if len(line) < _NARROWEST or line[:1] == " " or not is_terminal(stream):
        return line
    columns = terminal_columns(stream)
    return "\n".join(filled(line, columns)) if _NARROWEST <= columns < len(line) else line


def terminal_columns(stream: TextIO | None) -> int:
    """How wide a terminal is; 0 where there is none, or it doesn't say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream is not None else 0
    except (OSError, ValueError):
        return 0


def print_heading(text: str) -> None:
    """Print a heading, in bold on a terminal."""
    _write(sys.stdout, bold(text) + "\n")


def bold(text: str) -> str:
    """A text without control characters, in bold if stdout is a terminal that shows it."""
    shown = without_controls(text)
    if is_terminal(sys.stdout) and "NO_COLOR" not in os.environ and os.name != "nt":
        return f"\x1b[1m{shown}\x1b[0m"
    return shown
