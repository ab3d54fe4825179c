"""What the checks look at: one look at this machine and at the store, made once and shared.

Here too: how findings are worded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from claude_sync.errors import ClaudeHomeError, ClaudeSyncError, RecordsError, Stopped, StoreOffline
from claude_sync.model import Bundle, Finding, SessionState
from claude_sync.store import StoreView
from claude_sync.sync.context import Context
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey import Survey

DAY_SECONDS = 86_400.0


class Examination:
    """What the checks look at.

    Args:
        context: what to look with.
        deep: whether the store may be written to, and read through.
        now: seconds since the epoch.

    Attributes:
        trouble: why the store can't be looked at, None where it can.
        view: what lies in the store, None where it can't be looked at.
        round_trip_seconds: how long a place where bytes cost takes for an answer.
        home_trouble: why Claude's sessions can't be listed, None where they can.
        states_trouble: why sessions can't be judged, although the store could be looked at.
        survey: both, joined; None where Claude's sessions can't be listed.
    """

    def __init__(self, context: Context, *, deep: bool, now: float) -> None:
        self.context = context
        self.deep = deep
        self.now = now
        self.trouble: ClaudeSyncError | None = None
        self.round_trip_seconds: float | None = None
        self.home_trouble: ClaudeHomeError | None = None
        self.states_trouble: ClaudeSyncError | None = None
        self.view = self._look()
        self.survey = self._survey()

    def _look(self) -> StoreView | None:
        try:
            store = self.context.store
            view = store.look()
            if store.remote:
                # The first look had to connect.
                begun = time.perf_counter()
                view = store.look()
                self.round_trip_seconds = time.perf_counter() - begun
            return view
        except (Stopped, RecordsError):
            raise
        except ClaudeSyncError as error:
            self.trouble = error
            return None

    def _survey(self) -> Survey | None:
        try:
            return Survey(self.context, self.view)
        except ClaudeHomeError as error:
            self.home_trouble = error
            return None

    @cached_property
    def states(self) -> dict[str, SessionState]:
        """Where each session stands that another machine has a say in, by id.

        What only this machine knows of isn't judged: that would read transcripts through which
        nobody has pushed yet. Nothing where the store can't be looked at.
        """
        survey = self.survey
        if survey is None:
            return {}
        ids = [session_id for session_id in survey.bundles if survey.split(session_id)[2]]
        try:
            judged = states_surveyed(self.context, survey, ids)
        except StoreOffline as error:
            self.states_trouble = error
            return {}
        return {state.session_id: state for state in judged}

    @cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """Every bundle in the store."""
        view = self.view
        return tuple(one for bundles in view.bundles.values() for one in bundles) if view else ()

    @cached_property
    def names(self) -> dict[str, str]:
        """How each machine with a bundle in the store called itself last, by its id."""
        newest: dict[str, tuple[str, int, str]] = {}
        for bundle in self.bundles:
            head = bundle.head
            said = (head.pushed_at, head.revision, head.machine)
            newest[head.machine_id] = max(said, newest.get(head.machine_id, said))
        return {machine_id: name for machine_id, (_, _, name) in newest.items()}

    @cached_property
    def machine_name(self) -> str:
        """How this machine is called: where its own word was lost, as the store has it."""
        machine = self.context.machine
        return machine.name if machine.named else self.names.get(machine.id, machine.name)

    @property
    def location(self) -> str:
        """The place where sessions meet as a person would type it; something to fill in if none."""
        location = self.context.preferences.location
        return quoted(location) if location else "LOCATION"


Check = Callable[[Examination], Iterable[Finding]]


# --- wording -----------------------------------------------------------------------------------


def counted(number: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: "1 session", "3 sessions"."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"


def listed(words: Sequence[str], most: int = 5) -> str:
    """The first few of many, and how many more there are."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"


def ago(seconds: float) -> str:
    """How long ago something was, in the largest unit that says enough."""
    for size, noun in ((DAY_SECONDS, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= size:
            return f"{counted(int(seconds // size), noun)} ago"
    return "just now"


def amount(size: float) -> str:
    """Bytes as people say them."""
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def short_path(path: str | os.PathLike[str]) -> str:
    """A path with the home directory as ``~``, for showing."""
    text, home = os.fspath(path), os.path.expanduser("~")
    return f"~{text[len(home) :]}" if text.startswith(home + os.sep) else text


def is_typable(text: str) -> bool:
    """Whether a name can stand in a command that people copy: nothing unseen, nothing that ends it.

    Names of files in a store are other people's.
    """
    return text.isprintable() and "`" not in text


def quoted(text: str | os.PathLike[str]) -> str:
    """An argument as it is typed into this system's shell; what can't be typed is called PATH."""
    text = os.fspath(text)
    if not is_typable(text):
        return "PATH"
    if os.name == "nt":
        return f'"{text}"' if any(c in text for c in " &()^;,'") else text
    from shlex import quote

    return quote(text)


def remove_command(paths: Sequence[str | os.PathLike[str]]) -> str:
    """How to remove files, as it is typed into this system's shell, if it can be; a clause."""
    if not all(is_typable(os.fspath(path)) for path in paths):
        return "remove by hand what is named here, for its name can't be typed"
    verb = "del" if os.name == "nt" else "rm"
    return f"`{verb} {' '.join(map(quoted, paths))}`"


def reading(error: ClaudeSyncError) -> str:
    """What an error says without what to do: a finding says that apart."""
    where = f" ({short_path(error.where)})" if error.where else ""
    return f"{error.what[:1].upper()}{error.what[1:]}{where}."


def as_sentence(text: str) -> str:
    """A clause with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def can_write(path: str | os.PathLike[str], *, passing: bool = True) -> bool:
    """Whether this process may write there, as far as can be told without trying.

    Args:
        path: a directory, or a file.
        passing: whether it has to pass through as well, as into a directory.
    """
    effective = os.access in os.supports_effective_ids
    return os.access(path, os.W_OK | (os.X_OK if passing else 0), effective_ids=effective)


def can_pass(path: str | os.PathLike[str]) -> bool:
    """Whether this process may look up what lies in a directory."""
    return os.access(path, os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def can_read(path: str | os.PathLike[str]) -> bool:
    """Whether this process may read a file, as far as can be told without trying."""
    return os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)


def scan(directory: str | os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
    """The entries of a directory; none where it can't be listed."""
    try:
        with os.scandir(directory) as entries:
            yield from list(entries)
    except OSError:
        return
