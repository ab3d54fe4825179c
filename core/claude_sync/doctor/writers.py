"""Who wrote what lies in the store: files that their machine, by all that is known, didn't write.

Bundles aren't signed. So whoever can write into the store can write in any machine's name; what
gives it away is that a machine knows its own files, and that revisions and names don't go back.
"""

from __future__ import annotations

from collections.abc import Iterator

from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.doctor.facts import Facts
from claude_sync.model import Bundle, Finding, Level
from claude_sync.wording import count, join

_WHO = "find out who can write into the shared folder, and let only your machines"


def own(facts: Facts) -> Iterator[Finding]:
    """Bundles of this very machine that it didn't write, or not as they are now."""
    survey, view = facts.survey, facts.view
    if survey is None or view is None:
        return
    strange = []
    knows_any = any(record.written is not None for record in survey.remembered.values())
    for session_id, bundles in view.bundles.items():
        record = survey.record(session_id)
        # Where records were lost, nothing is known; where others are there, a session that was
        # never here can't have been written from here.
        if record.written is None and (record.seen or not knows_any):
            continue
        strange += [
            bundle
            for bundle in bundles
            if bundle.head.machine_id == facts.context.machine.id
            and bundle.head.version != record.written
            and not _lies_here(facts, bundle)
        ]
    if strange:
        first = strange[0].head.session_id
        yield Finding(
            code="own-bundle-foreign",
            level=Level.ERROR,
            title=f"{count(len(strange), 'bundle')} of this machine that it didn't write",
            detail="Somebody else wrote in this machine's name, or its files were put back from "
            f"a backup: {join([bundle.name for bundle in strange], 3)}. Nothing is written over "
            "them, and what they hold isn't taken for this machine's.",
            fix=f"After a backup was put back: `claude-sync pull {first}`, then "
            f"`claude-sync push {first}`. Otherwise {_WHO}; then remove those files",
        )


def _lies_here(facts: Facts, bundle: Bundle) -> bool:
    """Whether the transcript here begins with a bundle's: then a crash of ours came between."""
    survey = facts.survey
    assert survey is not None
    for local in survey.local.get(bundle.head.session_id, ()):
        try:
            if begins_with(local.path, bundle.head.version, facts.context.check):
                return True
        except OSError:
            continue
    return False


def rolled_back(facts: Facts) -> Iterator[Finding]:
    """Files that were newer when they were looked at before."""
    if facts.view is None:
        return
    seen = facts.context.store.greatest_revisions()
    own_id = facts.context.machine.id
    for session_id, record in (facts.survey.remembered if facts.survey else {}).items():
        seen[session_id, own_id] = max(record.revision, seen.get((session_id, own_id), 0))
    newest: dict[tuple[str, str], Bundle] = {}
    for bundle in facts.bundles:
        of = (bundle.head.session_id, bundle.head.machine_id)
        if of not in newest or newest[of].head.revision < bundle.head.revision:
            newest[of] = bundle
    older = [bundle for of, bundle in newest.items() if bundle.head.revision < seen.get(of, 0)]
    if older:
        machines = sorted({facts.names[bundle.head.machine_id] for bundle in older})
        yield Finding(
            code="bundle-rolled-back",
            level=Level.ERROR,
            title=f"{count(len(older), 'bundle')} of {join(machines, 3)} older than before",
            detail="They were newer when this machine looked before: a sync tool or a backup put "
            "old files back, or someone else wrote them: "
            f"{join([bundle.name for bundle in older], 3)}.",
            fix=f"`claude-sync push --all` on {join(machines, 3)}, which knows what it wrote; if "
            f"that happens again, {_WHO}",
        )


def names(facts: Facts) -> Iterator[Finding]:
    """Machines' ids that files bear under several names."""
    by_id: dict[str, set[str]] = {}
    for bundle in facts.bundles:
        by_id.setdefault(bundle.head.machine_id, set()).add(bundle.head.machine)
    for machine_id, called in sorted(by_id.items()):
        if len({name.lower() for name in called}) < 2 or machine_id == facts.context.machine.id:
            continue
        newest = facts.names[machine_id]
        yield Finding(
            code="machine-two-names",
            level=Level.ERROR,
            title=f"One machine writes under several names: {join(sorted(called), 5)}",
            detail="It was given another name, or someone else writes with its id; then what "
            "they say counts as that machine's.",
            fix=f"If it was renamed: `claude-sync push --all` there, and its files under the old "
            f"name go. Otherwise {_WHO}; then remove the files of {newest}",
        )
