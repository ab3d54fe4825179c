"""What this machine's bundles are called in the store, and whose file a name is."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from claude_sync.bundle import bundle_file_name, encoded_key
from claude_sync.model import Bundle, Machine
from claude_sync.sync.context import Context


def bundle_name(machine: Machine, key: str, session_id: str, there: Sequence[Bundle]) -> str:
    """Where a machine's bundle of a session goes; never where another machine's lies.

    Args:
        machine: the writer.
        key: the session's project.
        session_id: the session.
        there: the session's bundles in the store.
    """
    taken = {bundle.name.lower(): bundle.head.machine_id for bundle in there}
    name = f"{encoded_key(key)}/{bundle_file_name(session_id, machine.name)}"
    if taken.get(name.lower(), machine.id) != machine.id:
        name = f"{encoded_key(key)}/{bundle_file_name(session_id, distinct_name(machine))}"
    return name


def is_ignored(context: Context, key: str) -> bool:
    """Whether the preferences keep a project from being pushed by itself."""
    return any(fnmatchcase(key, pattern.lower()) for pattern in context.preferences.ignore)


def is_named_for(bundle: Bundle, key: str, machine: str) -> bool:
    """Whether a bundle's file bears the name that this project and machine give it.

    What a sync tool renamed (a conflict copy) doesn't; what the writer itself named does.
    """
    head = bundle.head
    names = (machine, distinct_name(Machine(machine, head.machine_id)))
    return bundle.name in [
        f"{encoded_key(key)}/{bundle_file_name(head.session_id, name)}" for name in names
    ]


def distinct_name(machine: Machine) -> str:
    """What a machine's files are named for where another machine of its name was first."""
    return f"{machine.name}-{machine.id[:8]}"
