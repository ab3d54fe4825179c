"""Projects: where they are here, whether those places exist, and how well their keys hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claude_sync.doctor.examination import (
    Examination,
    as_sentence,
    counted,
    listed,
    quoted,
    short_path,
)
from claude_sync.model import Finding, Level
from claude_sync.placing import ProjectDirectory
from claude_sync.project_key import HOME_KEY


def registry(examination: Examination) -> Iterator[Finding]:
    """The file that keeps which project is where."""
    problem = examination.context.registry.problem
    if problem:
        path = short_path(examination.context.places.projects_file)
        yield Finding(
            "registry-damaged",
            Level.WARNING,
            "The list of projects can't be used as it is",
            f"{as_sentence(problem)[:-1]} ({path}). Projects are found anew from their sessions; "
            "what was added by hand is not.",
            f"Mend or remove {path}, then `claude-sync projects add DIR` for what is missing",
        )


def projects(examination: Examination) -> Iterator[Finding]:
    """Every project with its directories, and what is wrong with them."""
    by_key: dict[str, list[ProjectDirectory]] = {}
    for place in examination.context.registry.projects():
        by_key.setdefault(place.key, []).append(place)
    for key, places in by_key.items():
        if not key:
            yield from map(_without_key, places)
            continue
        yield from _missing(key, places)
        if key.startswith("name:") and key != HOME_KEY:
            yield from _weak(key, [place for place in places if place.exists])
    known = {key: places for key, places in by_key.items() if key}
    directories = sum(map(len, known.values()))
    if not known:
        yield Finding(
            "projects-none",
            Level.INFO,
            "No project is known here yet",
            "They are found where sessions are; what comes from other machines needs one to go to.",
            "`claude-sync projects add DIR` with a project's directory",
        )
        return
    yield Finding(
        "projects",
        Level.OK,
        f"{counted(len(known), 'project')} in {counted(directories, 'directory', 'directories')}",
        "; ".join(
            f"{key}: {', '.join(short_path(place.directory) for place in places)}"
            for key, places in known.items()
        ),
    )


def _without_key(place: ProjectDirectory) -> Finding:
    what, _, todo = place.problem.rpartition(": ")
    return Finding(
        "project-key-unknown",
        Level.WARNING,
        f"The project of {short_path(place.directory)} can't be told",
        f"{as_sentence(what or place.problem)[:-1]}; its sessions aren't pushed until it can.",
        as_sentence(todo)[:-1] if what else "`claude-sync projects add DIR --key KEY`",
    )


def _missing(key: str, places: Sequence[ProjectDirectory]) -> Iterator[Finding]:
    """Directories that are gone: that matters where no other is left, or a person added it."""
    elsewhere = [place for place in places if place.exists]
    for place in places:
        if place.exists:
            continue
        lasting = place.added or not elsewhere
        yield Finding(
            "project-directory-missing",
            Level.WARNING if lasting else Level.INFO,
            f"{short_path(place.directory)} isn't there",
            f"It is a directory of {key}. "
            + (
                f"New sessions of it go to {short_path(elsewhere[0].directory)}."
                if elsewhere
                else "Sessions of it from other machines have no place here."
            ),
            f"Mount its disk; or `claude-sync projects add DIR` with where it is now, and "
            f"`claude-sync projects remove {quoted(place.directory)}`",
        )


def _weak(key: str, here: Sequence[ProjectDirectory]) -> Iterator[Finding]:
    """A key that is only a name: another project of that name, here or elsewhere, has it too."""
    several = len({place.repository for place in here}) > 1
    pinned = [place for place in here if place.pinned]
    if several and len(pinned) != 1:
        yield Finding(
            "project-name-shared",
            Level.WARNING,
            f"{len(here)} directories here are called {key}",
            "A name alone doesn't tell which is meant, so sessions from other machines aren't "
            f"placed in any: {listed([short_path(place.directory) for place in here])}.",
            f"`claude-sync projects add DIR --key {quoted(key)}` with the one that is meant",
        )
    elif here and not pinned:
        yield Finding(
            "project-name-only",
            Level.INFO,
            f"{short_path(here[0].directory)} is known by its name only",
            f"It has no git remote, so it is taken for whatever is called {key} elsewhere.",
            "Give it a remote (`git remote add origin URL`), or `claude-sync projects add "
            f"{quoted(here[0].directory)} --key KEY`",
        )
