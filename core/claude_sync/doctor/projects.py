"""Projects: their directories here, whether those exist, and how reliable their keys are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claude_sync.disk.programs import find_program
from claude_sync.doctor.access import can_read
from claude_sync.doctor.facts import Facts
from claude_sync.doctor.fixes import grant_command
from claude_sync.errors import ProjectKeyError
from claude_sync.model import Finding, Level
from claude_sync.projects.directory import HOME_KEY, ProjectDirectory
from claude_sync.projects.git import remote_of
from claude_sync.projects.repository import repository_at
from claude_sync.wording import capitalized, count, join, quoted, short_path


def registry(facts: Facts) -> Iterator[Finding]:
    """The file with the directories of each project."""
    problem = facts.context.registry.problem
    if problem:
        file = facts.context.paths.projects_file
        path = short_path(file)
        yield Finding(
            code="registry-damaged",
            level=Level.WARNING,
            title="The list of projects can't be used as it is",
            detail=f"{capitalized(problem)} ({path}). Projects are found again from their "
            "sessions; those that were added by hand are not.",
            fix=f"Correct or remove {path}, then `claude-sync projects add DIR` for what is missing"
            if can_read(file)
            else grant_command(file.parent),
        )


def projects(facts: Facts) -> Iterator[Finding]:
    """Every project with its directories."""
    known = _by_key(facts)
    directories = sum(map(len, known.values()))
    if not known:
        yield Finding(
            code="projects-none",
            level=Level.INFO,
            title="No project is known here yet",
            detail="They are found from their sessions; those of other machines need a directory "
            "here.",
            fix="`claude-sync projects add DIR` with a project's directory",
        )
        return
    yield Finding(
        "projects",
        Level.OK,
        f"{count(len(known), 'project')} in {count(directories, 'directory', 'directories')}",
        "; ".join(
            f"{key}: {', '.join(short_path(directory.path) for directory in directories)}"
            for key, directories in known.items()
        ),
    )


def _by_key(facts: Facts) -> dict[str, list[ProjectDirectory]]:
    known: dict[str, list[ProjectDirectory]] = {}
    for directory in facts.context.registry.projects():
        if directory.key:
            known.setdefault(directory.key, []).append(directory)
    return known


def keys(facts: Facts) -> Iterator[Finding]:
    """Directories whose project isn't known; without git, another check says so once."""
    if find_program("git") is None:
        return
    for directory in facts.context.registry.projects():
        if directory.key:
            continue
        what, _, todo = directory.problem.rpartition(": ")
        yield Finding(
            code="project-key-unknown",
            level=Level.WARNING,
            title=f"The project of {short_path(directory.path)} isn't known",
            detail=f"{capitalized(what or directory.problem)}; its sessions aren't pushed until it "
            "is.",
            fix=capitalized(todo) if what else "`claude-sync projects add DIR --key KEY`",
        )


# --- directories that are gone -----------------------------------------------------------------


def missing(facts: Facts) -> Iterator[Finding]:
    """Directories that are gone, which matters if a person added one, or no other is left."""
    slight: list[str] = []
    for key, directories in _by_key(facts).items():
        there = [directory for directory in directories if directory.exists]
        # A directory without a remote, which no one added, was most likely for trying things.
        matters = not there and not key.startswith("name:")
        for directory in directories:
            if directory.exists:
                continue
            if directory.added or matters:
                yield _missing(directory, there)
            else:
                slight.append(short_path(directory.path))
    if slight:
        several = count(
            len(slight), "former project directory is", "former project directories are"
        )
        yield Finding(
            code="project-directory-gone",
            level=Level.INFO,
            title=f"{several} no longer there",
            detail=f"No session waits for {'it' if len(slight) == 1 else 'them'}: {join(slight)}.",
            fix="Nothing needs to be done; `claude-sync projects remove DIR` removes one from the "
            "list",
        )


def _missing(directory: ProjectDirectory, there: Sequence[ProjectDirectory]) -> Finding:
    meaning = "Sessions of it from other machines have no directory here"
    if there:
        meaning = f"New sessions of it go to {short_path(there[0].path)}"
    return Finding(
        code="project-directory-missing",
        level=Level.WARNING,
        title=f"{short_path(directory.path)} isn't there",
        detail=f"It is a directory of {directory.key}. {meaning}.",
        fix="Mount its disk; or `claude-sync projects add DIR` with where it is now, and "
        f"`claude-sync projects remove {quoted(directory.path)}`",
    )


# --- weak keys ---------------------------------------------------------------------------------


def names(facts: Facts) -> Iterator[Finding]:
    """Keys that are only a name, which any other project of that name shares."""
    alone: list[ProjectDirectory] = []
    for key, directories in _by_key(facts).items():
        if not key.startswith("name:") or key == HOME_KEY:
            continue
        here = [directory for directory in directories if directory.exists]
        pinned = [directory for directory in here if directory.pinned]
        if len({directory.repository for directory in here}) > 1 and len(pinned) != 1:
            yield Finding(
                code="project-name-shared",
                level=Level.WARNING,
                title=f"{len(here)} directories here are called {key}",
                detail="It isn't clear which one is meant, so sessions from other machines go to "
                f"none of them: {join([short_path(directory.path) for directory in here])}.",
                fix=f"`claude-sync projects add DIR --key {quoted(key)}` with the right one",
            )
        elif here and not pinned:
            alone.append(here[0])
    if alone:
        yield _by_name_only(alone)


def _by_name_only(alone: Sequence[ProjectDirectory]) -> Finding:
    several = count(len(alone), "project is", "projects are")
    return Finding(
        code="project-name-only",
        level=Level.INFO,
        title=f"{several} known only by name",
        detail="Without a git remote on a host, any project of that name on another machine counts "
        f"as the same: {join([short_path(directory.path) for directory in alone])}.",
        fix=_another_key(alone[0])
        if len(alone) == 1
        else "Give each a git remote on a host, or `claude-sync projects add DIR --key KEY`",
    )


def _another_key(directory: ProjectDirectory) -> str:
    """How a project gets a key that is more than a name; a remote that it has stays as it is."""
    path = quoted(directory.path)
    add = f"`claude-sync projects add {path} --key KEY`"
    try:
        repository = repository_at(str(directory.path))
        if repository is None:
            return add
        url = remote_of(repository).url
    except ProjectKeyError:
        return add
    if url is None:
        return f"Give it a remote (`git -C {path} remote add origin URL`), or {add}"
    return f"{add}; its git remote, which names no host, can stay as it is"
