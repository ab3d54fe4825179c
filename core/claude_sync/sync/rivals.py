"""Whose bundle is whose, and which of them count: rule 1 of FORMAT.md, "Who wins". PURE."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.model import Bundle, Version
from claude_sync.values import NamedTuple


class Mine(NamedTuple):
    """The transcript that lies here.

    Attributes:
        version: what it is now.
        sidecar_sha256: of its sidecars.
        supersedes: SHA-256 of versions it knowingly replaces, as remembered.
        decision: number of the resolve that made it.
        begun: whether a line of it is whole. If not, it is no version at all, and any beats it.
    """

    version: Version
    sidecar_sha256: str
    supersedes: frozenset[str] = frozenset()
    decision: int = 0
    begun: bool = True


def newest_of_each(bundles: Sequence[Bundle]) -> tuple[Bundle, ...]:
    """Those of a session's bundles that count: of each machine id the greatest revision's.

    Equal ones of one machine id are the same bundle twice (a conflict copy); of equal revisions
    with different bytes each counts, for two machines bear that id.
    """
    if len(bundles) < 2:
        return tuple(bundles)
    greatest: dict[str, int] = {}
    for bundle in bundles:
        head = bundle.head
        greatest[head.machine_id] = max(greatest.get(head.machine_id, 0), head.revision)
    counted: dict[tuple[str, Version], Bundle] = {}
    for bundle in sorted(bundles, key=lambda one: one.name):
        head = bundle.head
        if head.revision == greatest[head.machine_id]:
            counted.setdefault((head.machine_id, head.version), bundle)
    return tuple(counted.values())


class Split(NamedTuple):
    """One session's bundles, split into this machine's own and those that rival it.

    Attributes:
        own: this machine's, None where it has none.
        own_is_rival: whether that counts as a rival itself, for it isn't what was written.
        rivals: all rivals, it included then.
    """

    own: Bundle | None
    own_is_rival: bool
    rivals: tuple[Bundle, ...]


def own_and_rivals(bundles: Sequence[Bundle], machine_id: str, written: Version | None) -> Split:
    """Split one session's bundles into this machine's own and the rivals (FORMAT.md, rule 1).

    Args:
        bundles: all of the session's.
        machine_id: this machine's.
        written: the version this machine wrote last (P in FORMAT.md), None if unknown.
    """
    rivals: list[Bundle] = []
    known: list[Bundle] = []
    strange: list[Bundle] = []
    for bundle in newest_of_each(bundles):
        if bundle.head.machine_id != machine_id:
            rivals.append(bundle)
        elif bundle.head.version == written:
            known.append(bundle)
        else:
            strange.append(bundle)
    own = next(iter(known or strange), None)
    # A transcript that holds nothing is no version: it is neither pushed nor pulled.
    counted = tuple(bundle for bundle in (*rivals, *strange) if bundle.head.size)
    return Split(own, own in counted, counted)


def inherited_decisions(version: Version, bundles: Sequence[Bundle]) -> tuple[tuple[str, ...], int]:
    """What any of several bundles says that a version gives up, and the latest decision for it.

    What one machine decided of a version holds wherever the same bytes lie.
    """
    heads = [bundle.head for bundle in bundles if bundle.head.version == version]
    given_up = dict.fromkeys(sha256 for head in heads for sha256 in head.supersedes)
    return tuple(given_up), max((head.decision for head in heads), default=0)
