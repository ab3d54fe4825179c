"""The preferences, and this machine's name."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from claude_sync.doctor.access import can_read
from claude_sync.doctor.facts import Facts
from claude_sync.doctor.fixes import grant_command
from claude_sync.model import Finding, Level
from claude_sync.wording import count, join, short_path

# Default names of systems, images and vendors: sooner or later two machines have the same.
_DEFAULT_NAMES = (
    "localhost localhost4 localhost6 host machine computer unknown none linux unix ubuntu debian "
    "fedora archlinux arch nixos alpine kali raspberrypi pi openwrt buildroot vagrant mac imac "
    "macbook macbook-pro macbook-air mac-mini macs-macbook-pro pc my-pc home-pc docker-desktop"
)


def preferences(facts: Facts) -> Iterator[Finding]:
    """Values of preferences.json that aren't used, and unknown keys."""
    chosen, path = facts.context.preferences, facts.context.paths.preferences_file
    file = short_path(path)
    for problem in chosen.problems:
        if problem.key in ("", "schema"):
            reason = problem.reason if not problem.key else f"its schema {problem.reason}"
            fix = f"Correct {file}, or remove it and run `claude-sync init {facts.location}`"
            yield Finding(
                code="preferences-unreadable",
                level=Level.ERROR,
                title="The preferences can't be read",
                detail=f"{file} {reason}; every preference has its default until that is fixed.",
                fix=fix if can_read(path) else grant_command(path.parent),
            )
            continue
        of_store = problem.key in ("location", "store_id")
        yield Finding(
            code="preference-wrong",
            level=Level.ERROR if of_store else Level.WARNING,
            title=f"The preference {problem.key} isn't used",
            detail=f"It {problem.reason}; until then "
            + ("the shared folder isn't known." if of_store else "its default is used."),
            fix=f"`claude-sync init {facts.location}`"
            if of_store
            else f"`claude-sync config set {problem.key} VALUE`; null is its default",
        )
    if chosen.unknown:
        several = count(len(chosen.unknown), "preference is", "preferences are")
        yield Finding(
            code="preference-unknown",
            level=Level.INFO,
            title=f"{several} not known here",
            detail=f"Misspelled, or from another version: {join(chosen.unknown)}.",
            fix=f"Correct or remove it in {file}",
        )


def roots(facts: Facts) -> Iterator[Finding]:
    """Folders of projects that aren't there."""
    for root in facts.context.preferences.projects_roots:
        if not os.path.isdir(root):
            yield Finding(
                code="projects-root-missing",
                level=Level.WARNING,
                title="A folder of projects isn't there",
                detail=f"The preference projects_roots names {short_path(root)}.",
                fix="`claude-sync config set projects_roots DIR`",
            )


def pause(facts: Facts) -> Iterator[Finding]:
    """Whether syncing is paused."""
    until = facts.context.preferences.paused_until
    if until is not None and until > facts.now:
        minutes = 0 if until == math.inf else math.ceil((until - facts.now) / 60)
        left = f"for {count(minutes, 'more minute')}" if minutes else "until you resume it"
        yield Finding(
            code="paused",
            level=Level.INFO,
            title="Syncing is paused",
            detail=f"Nothing is pushed or pulled by itself, {left}.",
            fix="`claude-sync config set paused_until null`",
        )


def name(facts: Facts) -> Iterator[Finding]:
    """A name that other machines have, or are likely to have."""
    context, mine = facts.context, facts.machine_name
    if mine.lower() in _DEFAULT_NAMES.split():
        yield Finding(
            code="machine-name-default",
            level=Level.WARNING,
            title=f"This machine is called {mine}",
            detail="So are many others, and two machines of one name are easily confused.",
            fix=_rename(facts),
        )
    if not context.machine.named and os.path.lexists(context.paths.machine_file):
        yield Finding(
            code="machine-name-lost",
            level=Level.WARNING,
            title="The file with this machine's name is damaged",
            detail=f"{short_path(context.paths.machine_file)} holds no name; {mine} is used for "
            "now.",
            fix=_rename(facts, mine),
        )
    yield from _shared_names(facts, mine)


def _shared_names(facts: Facts, mine: str) -> Iterator[Finding]:
    own_id = facts.context.machine.id
    ids: dict[str, set[str]] = {}
    spelled: dict[str, str] = {}
    for machine_id, name in facts.names.items():
        # Bundles under this machine's former name are renamed with the next change.
        known_as = mine if machine_id == own_id else name
        ids.setdefault(known_as.lower(), set()).add(machine_id)
        spelled[known_as.lower()] = known_as
    others = ids.get(mine.lower(), set()) - {own_id}
    if others and _is_cloned_home(facts):
        yield Finding(
            code="home-cloned",
            level=Level.WARNING,
            title="This home directory is a copy of another machine's",
            detail=f"Its records name bundles that another machine called {mine} wrote, and it has "
            "that machine's name.",
            fix=_rename(facts),
        )
    elif others and len(ids) == 1 and own_id not in ids[mine.lower()]:
        yield Finding(
            code="machine-name-taken",
            level=Level.WARNING,
            title=f"Every bundle is from another machine called {mine}",
            detail="By name they look like this machine's own, so nothing seems to arrive.",
            fix=f"{_rename(facts)}; if this is that machine, reinstalled, pull "
            f"and push, then `claude-sync forget --machine {mine}`",
        )
    elif others:
        yield Finding(
            code="machine-name-shared",
            level=Level.WARNING,
            title=f"Another machine is called {mine} too",
            detail="Nothing is lost, but their bundles are easily confused.",
            fix=f"{_rename(facts)}; if the other one is this machine before it was "
            f"reinstalled, `claude-sync forget --machine {mine}`",
        )
    for key, several in ids.items():
        if len(several) > 1 and key != mine.lower():
            name = spelled[key]
            yield Finding(
                code="machine-name-shared",
                level=Level.INFO,
                title=f"{len(several)} machines are called {name}",
                detail="Nothing is lost, but their bundles are easily confused.",
                fix=f"On one of them: `claude-sync init LOCATION --name NAME`; if one is gone: "
                f"`claude-sync forget --machine {name}`",
            )


def _is_cloned_home(facts: Facts) -> bool:
    """Whether the records say that this machine wrote bundles that have another machine's id."""
    context = facts.context
    if facts.survey is None:
        return False
    written = {record.name for record in facts.survey.remembered.values() if record.name}
    return any(
        bundle.name in written and bundle.head.machine_id != context.machine.id
        for bundle in facts.bundles
    )


def _rename(facts: Facts, name: str = "NAME") -> str:
    return f"`claude-sync init {facts.location} --name {name}`"
