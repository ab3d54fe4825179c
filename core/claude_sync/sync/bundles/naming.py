"""What bundles are called (FORMAT.md, "Names"), and whose file a name is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from claude_sync.errors import BundleUnsafe
from claude_sync.model import Bundle, Machine
from claude_sync.names import writers
from claude_sync.store.file_names import FileNames
from claude_sync.transports.rclone.names import plain_name


def bundle_name(
    names: FileNames,
    machine: Machine,
    key: str,
    session_id: str,
    taken: Mapping[str, tuple[str, str]],
) -> str:
    """Where a machine's bundle of a session goes; never where another's, or another session's, is.

    Session ids and machine names hold dashes, and some systems know no case: so two sessions, or
    two machines, may claim one file.

    Args:
        names: how the store calls files.
        machine: the writer.
        key: the session's project.
        session_id: the session.
        taken: by name in lower case, which session's and which machine id's file lies there.

    Raises:
        BundleUnsafe: every name that it might have is taken.
    """
    for name in _names(names, key, session_id, machine.name, machine.id):
        if taken.get(name.lower(), (session_id, machine.id)) == (session_id, machine.id):
            return name
    raise BundleUnsafe(
        "files of other machines are where this machine's bundle of the session would go",
        where=session_id,
        todo="choose another name for this machine with `claude-sync init`",
    )


def is_ignored(key: str, patterns: Iterable[str]) -> bool:
    """Whether a project is never pushed by itself, by the patterns of the preference `ignore`."""
    return any(fnmatchcase(key, pattern.lower()) for pattern in patterns)


def ignore_pattern(key: str) -> str:
    """The pattern that fits one project's key and no other."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in key)


def is_named_for(names: FileNames, bundle: Bundle, key: str, machine: str) -> bool:
    """Whether a bundle's file bears a name that this project and machine give it.

    What a sync tool renamed (a conflict copy) doesn't; what the writer itself named does, also
    where each revision has a name of its own.
    """
    head = bundle.head
    return plain_name(bundle.name) in _names(names, key, head.session_id, machine, head.machine_id)


def is_revision_of(name: str, current: str) -> bool:
    """Whether a name is that of an older revision of a bundle, left beside the one that counts.

    Where nothing replaces a file safely, a writer that dies before it removed the older one leaves
    it; it shows under a name of its own then.
    """
    return name != current and plain_name(name) == current


def _names(
    names: FileNames, key: str, session_id: str, machine: str, machine_id: str
) -> Iterator[str]:
    """The names that a bundle may have, the best first."""
    folder = names.folder(key)
    for writer in writers(session_id, machine, machine_id):
        yield f"{folder}/{names.file(session_id, writer)}"
