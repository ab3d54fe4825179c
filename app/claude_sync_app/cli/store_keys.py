"""Where a command gets a store's key: a terminal without echo, a file, a password manager.

Never an argument, and never in the environment of a child: others can see those.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from claude_sync.disk.programs import full_command
from claude_sync.disk.snapshot import read_small
from claude_sync.errors import StoreKeyNeeded, StoreKeyWrong, UsageError
from claude_sync.wording import capitalized, typed_elsewhere
from claude_sync_app.cli.output import flush, print_json, print_line, print_note
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.prompt import ask_secret, can_ask
from claude_sync_app.cli.runner import WrongArguments

_MOST_BYTES = 4096
_TRIES = 3
_PATIENCE_SECONDS = 120

_Done = TypeVar("_Done")


def add_key_options(parser: Parser, *, new: str) -> None:
    """Add the options that say where a key comes from; `new` names the key that may be chosen."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--passphrase",
        action="store_true",
        help=f"ask for a passphrase of your own as {new}; without it, a key is made and shown once",
    )
    source.add_argument(
        "--key-file", metavar="FILE", help="read the key from a file's first line; -: from stdin"
    )
    source.add_argument(
        "--key-command",
        metavar="COMMAND",
        help="read it from what a program prints, such as 'pass show claude-sync'; no shell is run",
    )


def given_key(arguments: Namespace) -> str | None:
    """The key that the options name, None where they name none.

    Raises:
        UsageError: it can't be read.
        KeyboardInterrupt: they pressed Ctrl-C, or ended the input, when they were asked.
    """
    if arguments.key_file is not None:
        return _from_file(arguments.key_file)
    if arguments.key_command is not None:
        return _from_command(arguments.key_command)
    if arguments.passphrase:
        return _new_passphrase()
    return None


def with_key(do: Callable[[str | None], _Done], key: str | None) -> _Done:
    """Do something that may need the key of a store that there is; ask for it if it does.

    Args:
        do: the work; gets the key, None for none.
        key: the one that was given already.

    Raises:
        StoreKeyNeeded: there is nobody to ask.
        StoreKeyWrong: it was wrong each time.
        KeyboardInterrupt: they pressed Ctrl-C, or ended the input, when they were asked.
    """
    try:
        return do(key)
    except StoreKeyNeeded:
        if key is not None or not can_ask():
            raise
    print_line("The shared folder is encrypted.")
    for left in reversed(range(_TRIES)):
        try:
            return do(ask_secret("Its key (it isn't shown):"))
        except StoreKeyWrong as error:
            if not left:
                raise
            print_note(f"{capitalized(str(error))}.")
    raise AssertionError


class MadeKey:
    """A key that a command makes, on its way to the person: whatever happens, it isn't lost.

    Args:
        location: of the shared folder, as it was typed.
        json: whether it is part of a document at the end, rather than shown at once.

    Attributes:
        key: the key, None as long as none was made.
        was_given: whether one was typed, or brought otherwise.
    """

    def __init__(self, location: str, *, json: bool) -> None:
        self._location = location
        self._json = json
        self.key: str | None = None
        self.was_given = False

    def show(self, key: str) -> None:
        """Show it, before anything depends on it."""
        self.key = key
        if not self._json:
            self._print(key)
            flush()

    @contextmanager
    def whatever_happens(self) -> Iterator[None]:
        """While it may be made: a document that isn't printed after all leaves it on its own."""
        try:
            yield
        except BaseException:
            if self._json and self.key is not None:
                print_json({"key": self.key})
            raise

    def _print(self, key: str) -> None:
        print_line("The key of this shared folder, which is shown this once:")
        print_line()
        print_line(f"    {key}")
        print_line()
        print_line(
            "Write it down, or put it into your password manager. WHOEVER LOSES IT AND EVERY"
        )
        print_line(
            "MACHINE LOSES WHAT LIES THERE. Another machine asks for it once, when you type:"
        )
        print_line(f"    claude-sync init {typed_elsewhere(self._location)} --encrypt")
        print_line()


def _new_passphrase() -> str:
    if not can_ask():
        raise WrongArguments(
            "there is no terminal to ask for a passphrase on",
            todo="use --key-file or --key-command",
        )
    first = ask_secret("Passphrase (it isn't shown):")
    if ask_secret("The same again:") != first:
        raise StoreKeyWrong("the two passphrases differ", todo="try again")
    return first


def _from_file(name: str) -> str:
    try:
        if name == "-":
            data = sys.stdin.buffer.read(_MOST_BYTES)
        else:
            data = read_small(Path(name).resolve(), _MOST_BYTES)
    except OSError as error:
        raise UsageError(
            f"the key file can't be read ({error.strerror})", where=name, todo="name another"
        ) from error
    return _first_line(data, "the key file")


def _from_command(line: str) -> str:
    import shlex
    import subprocess

    what = "the key command"
    try:
        command = shlex.split(line)
        if not command:
            raise ValueError
        done = subprocess.run(
            full_command(command),
            stdin=None,
            stdout=subprocess.PIPE,
            timeout=_PATIENCE_SECONDS,
            check=True,
        )
    except ValueError:
        raise WrongArguments(f"{what} can't be read", todo="quote it as for a shell") from None
    except OSError as error:
        raise UsageError(f"{what} can't be run ({error.strerror})", todo="correct it") from error
    except subprocess.TimeoutExpired:
        raise UsageError(f"{what} gave no answer", todo="try it in a terminal") from None
    except subprocess.CalledProcessError as error:
        raise UsageError(
            f"{what} ended with status {error.returncode}", todo="try it in a terminal"
        ) from None
    return _first_line(done.stdout[:_MOST_BYTES], what)


def _first_line(data: bytes, what: str) -> str:
    try:
        line = data.decode("utf-8-sig").splitlines()[0].strip()
    except (UnicodeDecodeError, IndexError):
        line = ""
    if not line:
        raise UsageError(f"{what} gave no key", todo="its first line must be the key")
    return line
