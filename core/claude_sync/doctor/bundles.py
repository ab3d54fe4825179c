"""The files in the store: those that can't be used, copies, who writes, whose clock is off.

No bundle is opened here: its ends were read when it was new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from claude_sync.doctor.facts import DAY_SECONDS, Facts
from claude_sync.doctor.fixes import remove_command
from claude_sync.errors import (
    BundleCorrupt,
    BundleForeign,
    BundleRolledBack,
    BundleTooNew,
    BundleUnsafe,
)
from claude_sync.model import Bundle, Finding, Level, SkippedFile
from claude_sync.store.skipped import EMPTY, INCOMPLETE, PLACEHOLDER
from claude_sync.sync.bundles.naming import is_named_for
from claude_sync.sync.survey.own_checkpoints import own_with_checkpoints
from claude_sync.values import NamedTuple
from claude_sync.wording import ago, capitalized, count, duration, join

INCOMPLETE_SECONDS = 3600.0
CLOCK_SECONDS = 300.0
_RETIRED_SECONDS = 90 * DAY_SECONDS
_SMALL_BYTES = 1 << 20
_MOST = 100
"""How many files or machines are named one by one: a stranger's thousands would hide ours."""

_AGAIN = "`claude-sync push {id}` on the machine that wrote it"


class _Words(NamedTuple):
    """How a finding about an unusable bundle is worded."""

    code: str
    title: str
    meaning: str
    fix: str


_WORDS = {
    # by the error's name
    BundleCorrupt.__name__: _Words(
        "bundle-corrupt",
        "A bundle is damaged",
        "It is skipped, and nothing of it reaches Claude's folder.",
        _AGAIN + ", or remove the file",
    ),
    BundleTooNew.__name__: _Words(
        "bundle-too-new",
        "A newer claude-sync made a bundle",
        "This version can't read it, so it is skipped.",
        "Install the newest claude-sync here",
    ),
    BundleUnsafe.__name__: _Words(
        "bundle-unsafe",
        "A bundle isn't safe to use",
        "It is skipped: a name in it could lead outside its session's folder.",
        "Remove the file unless you know who wrote it",
    ),
}
_OLDER = _Words(
    "bundle-older",
    "A bundle is older than one that lay there before",
    "A sync tool or a backup put it back, or somebody who can write there did. It is skipped.",
    "`claude-sync push --all` on the machine that wrote it. If that changes nothing (it lost its "
    "records), run `claude-sync init` with the shared folder and --accept-older here: then what "
    "lies there counts",
)
_UNREADABLE = _Words(
    "bundle-unreadable",
    "A bundle can't be read",
    "It is skipped.",
    "Check the file's owner and permissions",
)


def problems(facts: Facts) -> Iterator[Finding]:
    """Files of the store that are skipped."""
    if facts.view is None:
        return
    rows = facts.context.cache.problems()
    waiting: list[SkippedFile] = []
    empty: list[SkippedFile] = []
    foreign: list[SkippedFile] = []
    for problem in facts.view.skipped:
        row = rows.get(problem.name)
        if problem.kind == BundleForeign.__name__:
            foreign.append(problem)
        elif problem.kind == BundleRolledBack.__name__:
            yield _finding(_OLDER, problem)
        elif problem.message == PLACEHOLDER:
            waiting.append(problem)
        elif problem.message == EMPTY:
            empty.append(problem)
        elif row is not None and row.kind in INCOMPLETE:
            if facts.now - row.since > INCOMPLETE_SECONDS:
                since = ago(int(row.since * 1e9), int(facts.now * 1e9))
                yield Finding(
                    code="bundle-incomplete",
                    level=Level.WARNING,
                    title="A bundle has been incomplete for more than an hour",
                    detail=f"{problem.name} ends early, as it did {since}; a sync tool that was "
                    "still bringing it would be done by now.",
                    fix=f"Look at your sync tool, or {_fix(_AGAIN, problem)}",
                )
        else:
            yield _finding(_WORDS.get(row.kind if row else "", _UNREADABLE), problem)
    if foreign:
        yield _foreign(facts, foreign)
    if empty:
        yield _empty(empty)
    if waiting:
        yield Finding(
            code="placeholders",
            level=Level.INFO,
            title=f"{count(len(waiting), 'bundle')} in the cloud, not here yet",
            detail="The folder's sync tool keeps only their names on this machine; a pull "
            f"downloads those that it needs: {join([one.name for one in waiting], 3)}.",
            fix="Have the tool keep that folder on this machine (“Available offline”)",
        )


def _finding(words: _Words, problem: SkippedFile) -> Finding:
    what, _, todo = problem.message.partition(": ")
    if words is _UNREADABLE and todo:
        words = words._replace(fix=capitalized(todo))  # of a cloud, a host or a disk: its own
    return Finding(
        code=words.code,
        level=Level.WARNING,
        title=words.title,
        detail=f"{problem.name}: {what}. {words.meaning}",
        fix=_fix(words.fix, problem),
    )


def _foreign(facts: Facts, foreign: Sequence[SkippedFile]) -> Finding:
    """Files in an encrypted store that nobody who has its key wrote."""
    names = [one.name for one in foreign]
    are = "was" if len(foreign) == 1 else "were"
    return Finding(
        code="bundle-foreign",
        level=Level.WARNING,
        title=f"{count(len(foreign), 'file')} {are} not written by one of your machines",
        detail="The shared folder is encrypted, and they don't open with its key: bundles that "
        f"aren't encrypted, or somebody else's. Nothing of them is used: {join(names, 3)}.",
        fix=f"If you don't need them, {_remove(facts, names[:_MOST])}",
    )


def _empty(empty: Sequence[SkippedFile]) -> Finding:
    """So many empty files that it isn't remembered of each since when it is there."""
    return Finding(
        code="bundles-empty",
        level=Level.WARNING,
        title=f"{count(len(empty), 'more file')} in the store {'is' if len(empty) == 1 else 'are'} "
        "empty",
        detail="Sync tools make such files before they bring their bytes, but seldom so many at "
        f"once: {join([one.name for one in empty], 3)}.",
        fix="Look at your sync tool; remove them if it isn't bringing them",
    )


def _remove(facts: Facts, names: Sequence[str]) -> str:
    """How to remove files of the store, a clause."""
    folder = facts.store_folder
    if folder is None:
        return f"remove on {facts.context.store.label}: {', '.join(names)}"
    return remove_command([str(folder.joinpath(*name.split("/"))) for name in names])


def _fix(fix: str, problem: SkippedFile) -> str:
    return fix.replace("{id}", problem.session_id or "--all")


def with_checkpoints(facts: Facts) -> Iterator[Finding]:
    """Bundles of this machine with checkpoints, where those are to stay here."""
    survey = facts.survey
    if survey is None:
        return
    found = sorted({one.head.session_id for one in own_with_checkpoints(facts.context, survey)})
    gone = [one for one in found if one not in survey.local]
    if len(gone) < len(found):
        here = [one for one in found if one in survey.local]
        yield _with_checkpoints(here, "A push writes them without.", "`claude-sync push {ids}`")
    if gone:
        yield _with_checkpoints(
            gone,
            "What they are of isn't on this machine any more, so no push writes them without.",
            "`claude-sync forget {id}` removes one; or `claude-sync pull {ids}`, then push",
        )


def _with_checkpoints(sessions: Sequence[str], meaning: str, fix: str) -> Finding:
    fix = fix.replace("{ids}", " ".join(sessions[:_MOST])).replace("{id}", sessions[0])
    hold = "holds" if len(sessions) == 1 else "hold"
    return Finding(
        code="checkpoints-in-store",
        level=Level.WARNING,
        title=f"{count(len(sessions), 'bundle')} of this machine still {hold} checkpoints, or may",
        detail="You chose that checkpoints stay on this machine, and these were pushed before: "
        f"{join(list(sessions), 3)}. {meaning}",
        fix=fix,
    )


def copies(facts: Facts) -> Iterator[Finding]:
    """Copies under other names, as sync tools make when a file changes on two machines."""
    if not facts.bundles:
        return
    names = facts.context.store.names
    strange = sorted(
        bundle.name
        for bundle in facts.bundles
        if not is_named_for(names, bundle, bundle.head.project_key, bundle.head.machine)
    )
    if strange:
        yield Finding(
            code="bundle-copies",
            level=Level.WARNING,
            title=f"{count(len(strange), 'bundle')} under unexpected names",
            detail="Sync tools make such copies when a file changes on two machines; they are read "
            f"like any other, and stay until you remove them: {join(strange, 3)}.",
            fix=f"Pull, resolve what is in conflict, then {_remove(facts, strange[:_MOST])}",
        )


def clones(facts: Facts) -> Iterator[Finding]:
    """Two machines with one id: equal revisions that hold different bytes."""
    found: dict[str, tuple[str, int]] = {}
    for bundles in (facts.view.bundles if facts.view else {}).values():
        for machine_id in _twice(bundles):
            names = [one.head.machine for one in bundles if one.head.machine_id == machine_id]
            found[machine_id] = (max(names), found.get(machine_id, ("", 0))[1] + 1)
    for name, sessions in found.values():
        yield Finding(
            code="machine-cloned",
            level=Level.WARNING,
            title=f"Two machines have the id of {name}",
            detail=f"{count(sessions, 'session')} of it exist in two versions with one number: its "
            "system was cloned, its id included.",
            fix="Give the clone an id of its own (on Linux: remove /etc/machine-id, run "
            "`systemd-machine-id-setup`, restart), then `claude-sync init LOCATION --name NAME` "
            "there, push, and remove its older files from the store",
        )


def _twice(bundles: Sequence[Bundle]) -> set[str]:
    """Ids of machines whose newest bundles of one session differ."""
    if len(bundles) < 2:
        return set()
    newest: dict[str, list[Bundle]] = {}
    for bundle in bundles:
        known = newest.setdefault(bundle.head.machine_id, [])
        if not known or bundle.head.revision > known[0].head.revision:
            newest[bundle.head.machine_id] = [bundle]
        elif bundle.head.revision == known[0].head.revision:
            known.append(bundle)
    return {
        machine_id
        for machine_id, several in newest.items()
        if len({bundle.head.version for bundle in several}) > 1
    }


# --- machines ----------------------------------------------------------------------------------


def peers(facts: Facts) -> Iterator[Finding]:
    """Each machine with a bundle in the store: its sessions, and when it last pushed."""
    own_id = facts.context.machine.id
    by_id: dict[str, list[Bundle]] = {}
    for bundle in facts.bundles:
        by_id.setdefault(bundle.head.machine_id, []).append(bundle)
    latest = {machine_id: _last_push(bundles) for machine_id, bundles in by_id.items()}
    shown = sorted(by_id, key=lambda one: (one != own_id, -latest[one]))
    if len(shown) > _MOST:
        yield Finding(
            code="peer",
            level=Level.INFO,
            title=f"{count(len(shown) - _MOST, 'more machine')} wrote into the store",
            detail=f"Only {_MOST} are shown. Whoever can write into the store can write as any.",
        )
    for machine_id in sorted(shown[:_MOST], key=lambda one: -latest[one]):
        bundles = by_id[machine_id]
        newest = max(bundles, key=_pushed)
        age = facts.now - _pushed(newest)
        sessions = count(len({bundle.head.session_id for bundle in bundles}), "session")
        pushed = ago(int(_pushed(newest) * 1e9), int(facts.now * 1e9))
        name = newest.head.machine
        mine = machine_id == own_id
        retired = not mine and age > _RETIRED_SECONDS
        yield Finding(
            code="peer",
            level=Level.INFO if retired else Level.OK,
            title=f"{name}{' (this machine)' if mine else ''}: {sessions}, pushed {pushed}",
            detail=f"Its last push was at {newest.head.pushed_at}, by its own clock.",
            fix=f"If it is no longer used: `claude-sync forget --machine {name}`"
            if retired
            else "",
        )


def _last_push(bundles: Sequence[Bundle]) -> float:
    return max(map(_pushed, bundles))


def _pushed(bundle: Bundle) -> float:
    """When a bundle was pushed, by its writer's clock; seconds since the epoch, 0 if unreadable."""
    try:
        return datetime.fromisoformat(bundle.head.pushed_at.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return 0.0


# --- clocks ------------------------------------------------------------------------------------


def clocks(facts: Facts) -> Iterator[Finding]:
    """Clocks that differ by more than five minutes. No clock decides which version wins."""
    worst: dict[str, float] = {}
    for whose, skew in (*_from_the_future(facts), *_disagreeing(facts)):
        worst[whose] = max(skew, worst.get(whose, 0.0))
    for whose, skew in sorted(worst.items()):
        if skew > CLOCK_SECONDS:
            yield Finding(
                code="clock-skew",
                level=Level.WARNING,
                title=f"The clock of {whose} is off by {duration(skew)}",
                detail="No clock decides which version wins, but the ages shown are wrong.",
                fix="Have every machine set its clock from the network",
            )


def _from_the_future(facts: Facts) -> Iterator[tuple[str, float]]:
    """Labels and files from the future: whose clock may be off, and by how many seconds."""
    for bundle in facts.bundles:
        label = _pushed(bundle) - facts.now
        written = bundle.stamp.mtime_ns / 1e9 - facts.now
        if bundle.head.machine_id != facts.context.machine.id and label > CLOCK_SECONDS:
            yield f"{bundle.head.machine} or of this machine", label
        else:
            yield "this machine or of the shared folder", written


def _disagreeing(facts: Facts) -> Iterator[tuple[str, float]]:
    """Labels that disagree with the clock of a host, which stamped each file as it was written.

    Only of files so small that writing them took no time. If a machine's labels disagree with each
    other, its clock isn't the cause, or no longer is: it was set, or the files were copied.
    """
    if facts.round_trip_seconds is None:
        return
    differences: dict[str, list[float]] = {}
    for bundle in facts.bundles:
        if bundle.stamp.size < _SMALL_BYTES:
            seconds = _pushed(bundle) - bundle.stamp.mtime_ns / 1e9
            differences.setdefault(bundle.head.machine_id, []).append(seconds)
    for machine_id, skews in differences.items():
        if max(skews) - min(skews) <= CLOCK_SECONDS:
            mine = machine_id == facts.context.machine.id
            who = "this machine" if mine else facts.names[machine_id]
            yield f"{who} or of {facts.context.store.label}", min(map(abs, skews))
