"""The results of a push, a pull and the like: for people, for programs, for the log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from claude_sync.model import Bundle, Outcome, Result
from claude_sync.spelling import plain
from claude_sync.state.paths import paths
from claude_sync.sync.context import Context
from claude_sync.wording import count
from claude_sync_app.cli.output import (
    print_error,
    print_json,
    print_line,
    print_note,
    terminal_columns,
)
from claude_sync_app.cli.runner import DONE, FAILED
from claude_sync_app.result_words import counted_as
from claude_sync_app.shown_text import TITLE_LENGTH, one_line, titled_id, without_controls

# Most runs have nothing to resume and nothing to log: what that takes is imported then.
if TYPE_CHECKING:
    from claude_sync_app.resume_options import ResumeOptions

_TAKEN = {
    Outcome.IMPORTED: ("Imported {name} from {machine}", "Would import {name} from {machine}"),
    Outcome.UPDATED: ("Updated {name} from {machine}", "Would update {name} from {machine}"),
    Outcome.REPLACED: (
        "Replaced {name} with {machine}'s; to go back: `claude-sync undo {id}`",
        "Would replace {name} with {machine}'s",
    ),
}
_TO_DO = {
    Outcome.IMPORTED: "to import",
    Outcome.UPDATED: "to update",
    Outcome.REPLACED: "to replace",
}
"""What a dry run counts, which does nothing."""
_COUNTED = {
    Outcome.PUSHED: "pushed",
    Outcome.IMPORTED: "imported",
    Outcome.UPDATED: "updated",
    Outcome.REPLACED: "replaced",
    Outcome.UNCHANGED: "up to date",
    Outcome.AHEAD: "newer here",
    Outcome.BEHIND: "older than this machine's bundle",
    Outcome.SHORTENED: "shortened",
    Outcome.CONFLICT: "in conflict",
    Outcome.OPEN: "open here",
    Outcome.GONE: "deleted here",
    Outcome.DECLINED: "undone here",
    Outcome.UNPLACED: "without a directory here",
    Outcome.INCOMPLETE: "still arriving",
    Outcome.HELD: "held back for today",
    Outcome.FAILED: "failed",
}
_ORDER = {outcome: number for number, outcome in enumerate(_COUNTED)}
_NO_KEY = "\0"
_SHORTEST_TITLE = 20
_MOST_LINES_TO_TYPE = 3
"""Of a pull that nobody named sessions for; whoever pulled more than so many resumes a few."""
_ACTIVE = frozenset({Outcome.PUSHED, *_TAKEN})
_QUIET = frozenset({Outcome.UNCHANGED, Outcome.AHEAD, Outcome.GONE, Outcome.DECLINED})
_BAD = frozenset({Outcome.FAILED, Outcome.CONFLICT, Outcome.SHORTENED})
_NOT_DONE = frozenset(
    {
        Outcome.BEHIND,
        Outcome.OPEN,
        Outcome.GONE,
        Outcome.DECLINED,
        Outcome.UNPLACED,
        Outcome.INCOMPLETE,
    }
)


def exit_status(results: Iterable[Result], *, named: bool) -> int:
    """The exit status: failures always count, what is skipped only if it was named."""
    bad = _BAD | _NOT_DONE if named else _BAD
    return FAILED if any(result.outcome in bad for result in results) else DONE


# --- for programs ------------------------------------------------------------------------------


def print_results_json(results: Sequence[Result]) -> None:
    """Print the document of ``--json``."""
    print_json(
        {"results": [_result_json(result) for result in results], "summary": _summary(results)}
    )


def _result_json(result: Result) -> dict[str, object]:
    return {
        "session_id": result.session_id,
        "project_key": result.project_key,
        "outcome": result.outcome.value,
        "machine": result.machine,
        "bundle": result.bundle,
        "path": None if result.path is None else plain(str(result.path)),
        "bytes": result.bytes,
        "message": result.message,
    }


def _summary(results: Iterable[Result]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for result in results:
        counts[result.outcome.value] = counts.get(result.outcome.value, 0) + 1
    return counts


# --- for the log -------------------------------------------------------------------------------


def log_results(context: Context, verb: str, results: Iterable[Result]) -> None:
    """Log what was done and what failed; not what stayed as it was."""
    for_log = [
        result
        for result in results
        if result.outcome not in _QUIET and result.outcome is not Outcome.UNPLACED
    ]
    if for_log:
        from claude_sync.disk.log import Log, result_line

        Log(context.paths.log_file).write(result_line(verb, result) for result in for_log)


def log_result(context: Context, verb: str, result: Result) -> None:
    """Log what a person's command did to one session, whatever the outcome."""
    from claude_sync.disk.log import Log, result_line

    Log(context.paths.log_file).write([result_line(verb, result)])


def log_removals(context: Context, bundles: Iterable[Bundle]) -> None:
    """Log which bundles were removed from the store."""
    from claude_sync.disk.log import Log, removal_line

    Log(context.paths.log_file).write(map(removal_line, bundles))


# --- for people --------------------------------------------------------------------------------


def print_results(
    results: Sequence[Result],
    verb: str,
    where: str,
    *,
    named: bool,
    dry_run: bool = False,
    resumed: str = "",
    titles: bool = True,
) -> None:
    """Print what was done, one line for each session that something happened to.

    The newest comes first; sessions that were named come as they were named.

    Args:
        results: what was done.
        verb: "push" or "pull".
        where: the shared folder.
        named: whether sessions were named; then each gets a line.
        dry_run: whether nothing was done, only shown.
        resumed: a session that is resumed at once, so that nobody has to type the line for it.
        titles: whether sessions are named by their titles.
    """
    unplaced: dict[str, list[Result]] = {}
    if not titles:
        results = [result._replace(title="") for result in results]
    if not named:
        results = sorted(results, key=lambda result: -result.mtime_ns)
    to_resume = [] if dry_run else [one for one in results if _is_to_resume(one, resumed)]
    with_line = {
        one.session_id for one in (to_resume if named else to_resume[:_MOST_LINES_TO_TYPE])
    }
    for result in results:
        if result.outcome in _ACTIVE:
            _print_done(result, where, dry_run, with_line=result.session_id in with_line)
        elif result.outcome in _BAD or (named and result.outcome in _NOT_DONE):
            print_error(_sentence(result))
        elif result.outcome is Outcome.UNPLACED or (result.outcome is Outcome.HELD and not named):
            alike = result.message.replace(result.project_key or _NO_KEY, _NO_KEY)
            unplaced.setdefault(alike, []).append(result)
        elif named or result.outcome not in _QUIET:
            print_line(f"{_sentence(result)}")
    if not named and len(to_resume) > len(with_line):
        every = " --all" if len({one.project_key for one in to_resume}) > 1 else ""
        print_line(f"… and {len(to_resume) - len(with_line)} more: claude-sync sessions{every}")
    for message, waiting in unplaced.items():
        _print_unplaced(message, waiting)
    if not named:
        _print_totals(results, verb, dry_run=dry_run)


def _is_to_resume(result: Result, resumed: str) -> bool:
    """Whether a line to type fits it: it was taken, has a directory, and isn't resumed anyway."""
    return (
        result.outcome in _TAKEN and result.directory is not None and result.session_id != resumed
    )


def print_restored(results: Sequence[Result], where: str, *, resumed: bool = False) -> None:
    """Print what a restore did: what lies here now, and what was pushed of it.

    Args:
        results: what was done.
        where: the shared folder, "" where nothing was pushed.
        resumed: whether it is resumed at once, so that nobody has to type the line for it.
    """
    restored, *pushed = results
    print_line(
        f"{session_name(restored)} is as it was. What it replaced is kept as an earlier version."
    )
    if restored.directory is not None and not resumed:
        from claude_sync_app.resume_options import resume_options

        options = resume_options(paths(), restored.path, restored.from_elsewhere)
        print_resume_line(restored.directory, restored.session_id, options)
    if pushed:
        print_results(pushed, "push", where, named=True)
    else:
        print_note("The shared folder can't be reached: it is pushed next time.")


def _print_unplaced(message: str, waiting: Sequence[Result]) -> None:
    """Print which sessions were skipped for one reason; if of several projects, which."""
    keys: dict[str, int] = {}
    for result in waiting:
        keys[result.project_key] = keys.get(result.project_key, 0) + 1
    skipped = f"Skipped {count(len(waiting), 'session')}"
    if len(keys) == 1:
        print_line(f"{skipped}: {message.replace(_NO_KEY, next(iter(keys)))}")
        return
    print_line(
        f"{skipped} of {count(len(keys), 'project')}: {message.replace(_NO_KEY, 'their project')}"
    )
    for key, number in sorted(keys.items()):
        print_line(f"  {key or '(no project)'} ({number})")


def _print_done(result: Result, where: str, dry_run: bool, *, with_line: bool) -> None:
    machine = one_line(result.machine)
    if result.outcome is Outcome.PUSHED:
        beside = len(f"Pushed  → {where}")
        print_line(f"Pushed {session_name(result, beside=beside)} → {where}")
        if result.message:
            print_note(_sentence(result))
        return
    done, would = _TAKEN[result.outcome]
    words = would if dry_run else done
    beside = len(words.partition("; ")[0].format(name="", machine=machine))
    name = session_name(result, beside=beside)
    print_line(words.format(name=name, machine=machine, id=result.session_id))
    if result.message and not dry_run:
        print_note(_sentence(result))
    if with_line and result.directory is not None:
        from claude_sync_app.resume_options import resume_options

        options = resume_options(paths(), result.path, result.from_elsewhere)
        print_resume_line(result.directory, result.session_id, options)


def print_resume_line(directory: Path, session_id: str, options: ResumeOptions) -> None:
    """Print the line to type; if the directory isn't there, also that the line makes it.

    Often the directory is only on another branch, so it isn't made unasked.
    """
    missing = not os.path.isdir(directory)
    if missing:
        print_line(
            "  (its directory isn't here: switch to the branch that has it, or make it with this)"
        )
    if options.remark:
        print_line(f"  ({options.remark})")
    print_line(f"  {_line_to_type(directory, session_id, missing, options.arguments)}")


def _line_to_type(directory: Path, session_id: str, missing: bool, options: Sequence[str]) -> str:
    """The line to type; a note instead if it would have characters that can't be seen."""
    from claude_sync_app.resume_line import resume_line

    line = resume_line(
        directory, session_id, environment=os.environ, missing=missing, options=options
    )
    if line and line == without_controls(line):
        return line
    return (
        f"(its directory's name has characters that can't be shown: go there yourself, then: "
        f"{' '.join(['claude', '--resume', session_id, *options])})"
    )


def session_name(result: Result, *, beside: int = 0) -> str:
    """What a session is called: its title and the beginning of its id.

    Args:
        result: of the session.
        beside: how much stands in the same line, columns; a title gives way to it on a terminal.
    """
    columns, length = terminal_columns(sys.stdout) if beside else 0, TITLE_LENGTH
    if columns:
        room = columns - beside - len("“” (12345678)")
        length = min(max(room, _SHORTEST_TITLE), TITLE_LENGTH)
    return titled_id(result.title, result.session_id, length)


def _sentence(result: Result) -> str:
    text = result.message or _COUNTED[result.outcome]
    if result.session_id:
        return about_session(session_name(result), result.session_id, text)
    name = result.bundle
    return text if not name or name in text else f"{name}: {text}"


def about_session(name: str, session_id: str, text: str) -> str:
    """What is said of a session, as a line that begins with its name.

    Args:
        name: what it is called.
        session_id: by which an error names it; that needn't be said twice.
        text: the clause.
    """
    text = text.replace(f" ({session_id})", "")
    return f"{name} {text[3:]}" if text.startswith("it ") else f"{name}: {text}"


def _print_totals(results: Sequence[Result], verb: str, *, dry_run: bool) -> None:
    words = {**_COUNTED, **_TO_DO} if dry_run else _COUNTED
    counts: dict[str, int] = {}
    for result in sorted(results, key=lambda one: _ORDER[one.outcome]):
        word = counted_as(result, words[result.outcome])
        counts[word] = counts.get(word, 0) + 1
    parts = [f"{number} {word}" for word, number in counts.items()]
    if not any(result.outcome in _ACTIVE for result in results):
        print_line(f"Nothing to {verb}{': ' if parts else ''}{', '.join(parts)}.")
    elif len(results) > 1:
        print_line(f"{', '.join(parts).capitalize()}.")
