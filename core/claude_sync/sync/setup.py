"""Setting up: choosing where sessions meet, and how this machine is called there."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from claude_sync import preferences
from claude_sync.errors import UsageError
from claude_sync.machine import load_machine, name_machine
from claude_sync.marker import create_store
from claude_sync.model import Machine
from claude_sync.names import is_machine_name
from claude_sync.places import Places
from claude_sync.sync.context import Context
from claude_sync.sync.survey import Survey, look
from claude_sync.transports import open_transport
from claude_sync.transports.location import parse_location


@dataclass(frozen=True, slots=True)
class SetUp:
    """What was set up.

    Attributes:
        location: where sessions meet, as the preferences spell it.
        label: the same for a person.
        machine: this machine, as it is called there.
        machines: names of the other machines that have bundles there.
    """

    location: str
    label: str
    machine: Machine
    machines: tuple[str, ...]


def default_location() -> str:
    """The private folder of this machine where sessions meet until a place is chosen."""
    return str(Path.home() / "claude-sync")


def set_up(
    places: Places, location: str, *, name: str | None = None, take_over: bool = False
) -> SetUp:
    """Choose where sessions meet; folder and marker are made if they are missing.

    Args:
        places: where claude-sync keeps its things.
        location: a folder, ``ssh://[user@]host[:port]/path`` or ``host:path``.
        name: this machine's name; None for the one it has, or had there, or the host's.
        take_over: this is the machine of that name, installed anew: its old bundles then count
            as another's.

    Raises:
        UsageError: the location can't be read, the name can't be used, or another machine has it.
        TransportError: the place can't be made, written or read back.
    """
    if name is not None and not is_machine_name(name):
        raise UsageError(
            "a machine's name is letters, digits, '.', '_' and '-', at most 64 of them",
            todo="choose another with --name",
        )
    chosen = preferences.load(places)
    spelled = parse_location(location).location
    transport = open_transport(spelled, chosen.ssh_command, places.runtime)
    try:
        store_id = create_store(transport)
        label = transport.label
    finally:
        transport.close()
    with Context(places, replace(chosen, location=spelled, store_id=store_id)) as context:
        machine, others = _named(context, look(context), name, take_over=take_over)
    name_machine(places, machine.name)
    preferences.change(
        places,
        location=spelled,
        store_id=store_id,
        claude_config_dir=os.environ.get("CLAUDE_CONFIG_DIR") or chosen.claude_config_dir,
    )
    return SetUp(spelled, label, load_machine(places), others)


def _named(
    context: Context, survey: Survey, name: str | None, *, take_over: bool
) -> tuple[Machine, tuple[str, ...]]:
    machine = context.machine
    wanted = name or machine.name
    others: dict[str, str] = {}
    for bundles in survey.bundles.values():
        for bundle in bundles:
            if bundle.head.machine_id != machine.id:
                others[bundle.head.machine.lower()] = bundle.head.machine
    if wanted.lower() in others and not take_over:
        raise UsageError(
            "another machine has that name there",
            where=wanted,
            todo="choose another with --name, or --take-over if this is that machine anew",
        )
    return Machine(wanted, machine.id, named=True), tuple(sorted(others.values()))
