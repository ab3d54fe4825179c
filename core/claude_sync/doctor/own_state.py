"""What claude-sync keeps on this machine: records, the vault, and leftovers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from claude_sync.claude.session_files import TRANSCRIPT_SUFFIX
from claude_sync.disk.files import DAMAGED_MARK, is_leftover
from claude_sync.doctor.access import can_read, can_write, scan
from claude_sync.doctor.facts import DAY_SECONDS, Facts
from claude_sync.doctor.fixes import grant_command, move_command, remove_command
from claude_sync.errors import RecordsError, RecordsTooNew
from claude_sync.model import Finding, Level
from claude_sync.state.database import ASIDE_MARK, copy_of
from claude_sync.state.decisions_file import DamagedDecisions, read_document
from claude_sync.sync.context import records_file
from claude_sync.sync.tree.install import MARK
from claude_sync.wording import capitalized, count, join, short_path, size

_NEARLY_FULL = 0.8


def records(facts: Facts) -> Iterator[Finding]:
    """Whether the records can be read and written, and are intact."""
    paths = facts.context.paths
    path = records_file(paths, facts.context.preferences, facts.context.machine)
    folders = (paths.state, paths.records_directory, paths.vault_directory)
    shut = [str(folder) for folder in folders if os.path.exists(folder) and not can_write(folder)]
    shut += [str(file) for file in (paths.machine_file, path) if _is_shut(file)]
    if shut:
        yield Finding(
            code="records-unreadable",
            level=Level.ERROR,
            title="This machine's records can't be used",
            detail=f"This user may not read and write {short_path(shut[0])}, so nothing can be "
            "pushed or pulled.",
            fix=grant_command(paths.state),
        )
        return
    try:
        copy_of(path).close()
    except FileNotFoundError:
        return
    except RecordsTooNew:
        yield Finding(
            code="records-too-new",
            level=Level.ERROR,
            title="A newer claude-sync made this machine's records",
            detail=f"{short_path(path)} can't be used by this one, so nothing can be pushed or "
            "pulled.",
            fix="Update claude-sync",
        )
    except RecordsError as error:
        # Whoever writes for so long will be done at the next look.
        if "locked" in str(error.__cause__):
            return
        backup = paths.records_directory.with_name("records-damaged")
        yield Finding(
            code="records-damaged",
            level=Level.WARNING,
            title="This machine's records are damaged",
            detail=f"{short_path(path)} can't be read. Starting without it costs a question or "
            "two, and no session.",
            fix=f"{move_command(paths.records_directory, backup)}; new ones are made",
        )


def _is_shut(file: Path) -> bool:
    return os.path.exists(file) and not (can_read(file) and can_write(file, passing=False))


def set_aside(facts: Facts) -> Iterator[Finding]:
    """Records that were damaged once and replaced by new ones."""
    folder = facts.context.paths.records_directory
    found = sorted(entry.path for entry in scan(folder) if ASIDE_MARK in entry.name)
    if found:
        yield Finding(
            code="records-set-aside",
            level=Level.INFO,
            title="Damaged records were replaced by new ones",
            detail=f"The damaged ones are kept in case you need them: {_shown(found)}.",
            fix=capitalized(remove_command(found)),
        )


def decisions(facts: Facts) -> Iterator[Finding]:
    """Whether what a person decided can be read and written, and was never lost."""
    # It may be a link to a folder of dotfiles, whose permissions are then what counts.
    path = Path(os.path.realpath(facts.context.paths.decisions_file))
    shown = short_path(path)
    try:
        if os.path.exists(path) and not can_write(path.parent):
            raise RecordsError("the folder is shut")
        read_document(path)
    except RecordsTooNew:
        yield Finding(
            code="decisions-too-new",
            level=Level.ERROR,
            title="A newer claude-sync wrote down what was decided about sessions",
            detail=f"{shown} can't be used by this one, so nothing can be pushed or pulled.",
            fix="Update claude-sync",
        )
    except RecordsError:
        yield Finding(
            code="decisions-unreadable",
            level=Level.ERROR,
            title="What was decided about sessions can't be used",
            detail=f"This user may not read and write {shown}, so nothing can be pushed or pulled.",
            fix=grant_command(path.parent),
        )
    except DamagedDecisions:
        yield Finding(
            code="decisions-damaged",
            level=Level.ERROR,
            title="What was decided about sessions is damaged",
            detail=f"{shown} isn't what claude-sync wrote. Unless it is repaired, the next command "
            "keeps it under another name, and sessions that this machine has no bundle of count as "
            "forgotten, for they may have been.",
            fix="Repair the file, or do without it: `claude-sync sessions`",
        )
    kept = sorted(
        entry.path for entry in scan(path.parent) if f"{path.name}{DAMAGED_MARK}" in entry.name
    )
    if kept:
        yield Finding(
            code="decisions-set-aside",
            level=Level.WARNING,
            title="What was decided about sessions was damaged once",
            detail="Sessions that this machine had no bundle of then count as forgotten, for they "
            f"may have been. The damaged file is kept: {_shown(kept)}.",
            fix="`claude-sync push SESSION` for each that is to be pushed again; then "
            f"{remove_command(kept)}",
        )


def vault(facts: Facts) -> Iterator[Finding]:
    """Whether the vault has space: when it is full, nothing is replaced."""
    kept = facts.context.vault
    used, limit = kept.size(), kept.limit()
    if used < _NEARLY_FULL * limit:
        return
    full = used >= limit
    yield Finding(
        code="vault-full" if full else "vault-nearly-full",
        level=Level.ERROR if full else Level.WARNING,
        title=f"The room for earlier versions is {'full' if full else 'nearly full'}",
        detail=f"{short_path(kept.folder)} holds {size(used)} of at most {size(limit)}; "
        + ("pulls replace nothing now." if full else "when it is full, pulls replace nothing."),
        fix="Remove the folders in it of sessions whose old versions you don't need",
    )


# --- leftovers ---------------------------------------------------------------------------------


def leftovers(facts: Facts) -> Iterator[Finding]:
    """Our files, older than a day, that an interrupted process left behind."""
    context = facts.context
    projects = [entry.path for entry in _directories(context.home.projects)]
    sidecars = [entry.path for project in projects for entry in _directories(project)]
    beside = [str(folder) for folder in context.home.folders_of_companions()]
    beside += [entry.path for folder in beside for entry in _directories(folder)]
    here = [str(context.paths.state / "staging"), *projects, *sidecars, *beside]
    found = list(_temporaries(here, facts.now))
    store = facts.store_folder if facts.view is not None else None
    if store is not None:
        there = [str(store), *(entry.path for entry in _directories(store))]
        found += _temporaries(there, facts.now)
    begun, marks = _begun(sidecars)
    found = [*marks, *found]
    if found:
        wasted = sum(map(_size, found))
        yield Finding(
            code="leftovers",
            level=Level.INFO,
            title=f"{count(len(found), 'file')} left behind by an interrupted run",
            detail=f"{size(wasted)} that can be removed: {_shown(found)}.",
            fix=capitalized(remove_command(found)),
        )
    for session_id in begun:
        yield Finding(
            code="pull-broken-off",
            level=Level.WARNING,
            title=f"A pull of session {session_id} was interrupted",
            detail="Some of its files are here already, but not its transcript.",
            fix=f"`claude-sync pull {session_id}`",
        )


def _directories(folder: str | os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
    return (entry for entry in scan(folder) if entry.is_dir(follow_symlinks=False))


def _temporaries(folders: Iterable[str], now: float) -> Iterator[str]:
    for folder in folders:
        for entry in scan(folder):
            if is_leftover(entry.name) and _is_old(entry, now):
                yield entry.path


def _is_old(entry: os.DirEntry[str], now: float) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return entry.is_file(follow_symlinks=False) and now - status.st_mtime > DAY_SECONDS


def _begun(folders: Iterable[str]) -> tuple[list[str], list[str]]:
    """Sessions whose sidecar files came without a transcript, and marks no longer needed."""
    begun, marks = [], []
    for folder in folders:
        mark = os.path.join(folder, MARK)
        if not os.path.lexists(mark):
            continue
        if os.path.lexists(f"{folder}{TRANSCRIPT_SUFFIX}"):
            marks.append(mark)
        else:
            begun.append(os.path.basename(folder))
    return begun, marks


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _shown(paths: Sequence[str]) -> str:
    return join([short_path(path) for path in paths], 3)
