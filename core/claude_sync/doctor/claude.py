"""Claude Code's folder: whether it can be used, and what Claude Code is about to delete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from claude_sync.claude.config_dir import named_folder
from claude_sync.claude.transcript import unlisted_types
from claude_sync.claude.tree import Unseen
from claude_sync.disk.snapshot import open_regular
from claude_sync.doctor.access import can_read, can_write, scan
from claude_sync.doctor.facts import DAY_SECONDS, Facts
from claude_sync.doctor.fixes import grant_command, move_command, remove_command
from claude_sync.errors import ProjectKeyError, SessionError
from claude_sync.model import Finding, Level, LocalSession, State
from claude_sync.sync.bundles.naming import is_ignored
from claude_sync.wording import count, join, quoted, short_path, what_happened

SOON_SECONDS = 3 * DAY_SECONDS
_NEWEST = 5
"""So many transcripts are looked at for what the client that wrote them last is like."""


def folder(facts: Facts) -> Iterator[Finding]:
    """Whether the folder is there and can be used."""
    home = facts.context.home
    if facts.home_error is not None:
        yield Finding(
            code="claude-unreadable",
            level=Level.ERROR,
            title="Claude Code's sessions can't be read",
            detail=what_happened(facts.home_error),
            fix=grant_command(home.projects if can_write(home.path) else home.path),
        )
        return
    if not home.path.is_dir():
        yield Finding(
            code="claude-missing",
            level=Level.WARNING,
            title="Claude Code's folder isn't there",
            detail=f"{short_path(home.path)} doesn't exist, so there is nothing to push.",
            fix="Start Claude Code once; or, if its folder is elsewhere, `claude-sync config set "
            "claude_config_dir DIR`",
        )
        return
    folders = [e.path for e in scan(home.projects) if e.is_dir(follow_symlinks=False)]
    # The first that exists is where a pull has to make something.
    top = home.projects if home.projects.is_dir() else home.path
    shut = [path for path in (str(top), *folders) if not can_write(path)]
    if shut:
        yield Finding(
            code="claude-unwritable",
            level=Level.ERROR,
            title="This user can't write into Claude Code's folder",
            detail=f"Nothing can be pulled into {short_path(shut[0])}.",
            fix=grant_command(shut[0]),
        )
    sessions = len(facts.survey.local) if facts.survey else 0
    yield Finding(
        code="claude" if sessions else "claude-empty",
        level=Level.OK if sessions else Level.INFO,
        title=f"{count(sessions, 'session') if sessions else 'No sessions yet'} in "
        f"{short_path(home.path)}",
        detail=""
        if sessions
        else "There is nothing to push yet, but other machines' sessions can be pulled.",
        fix=""
        if sessions
        else "If your sessions are elsewhere: `claude-sync config set claude_config_dir DIR`",
    )


def unseen(facts: Facts) -> Iterator[Finding]:
    """Folders of projects, and transcripts, that can't be seen; the others go on."""
    survey = facts.survey
    if survey is None:
        return
    for one in survey.tree.unseen:
        odd = one.path.is_symlink() or (one.session_id != "" and can_read(one.path))
        what = f"Session {one.session_id}" if one.session_id else "A project's folder"
        yield Finding(
            code="claude-part-unreadable",
            level=Level.WARNING,
            title=f"{what} can't be read",
            detail=f"{short_path(one.path)}: {one.problem}. What it holds is neither pushed nor "
            "pulled, and doesn't count as gone.",
            fix=_straighten(one) if odd else grant_command(one.path),
        )
    for copies in survey.local.values():
        for copy in copies:
            if not can_read(copy.path):
                yield Finding(
                    code="session-unreadable",
                    level=Level.WARNING,
                    title=f"Session {copy.session_id} can't be read",
                    detail=f"This user may not read {short_path(copy.path)}, so it is neither "
                    "pushed nor pulled.",
                    fix=grant_command(copy.path),
                )


def _straighten(one: Unseen) -> str:
    if not one.session_id:
        return (
            "Mount the disk that the link leads to; or, if nothing is to be there, "
            f"{remove_command([one.path])}"
        )
    return "Put the transcript itself where that is, or move that out of Claude Code's folder"


def conflict_copies(facts: Facts) -> Iterator[Finding]:
    """Copies that a sync tool made of transcripts: Claude Code doesn't know them, nor do we."""
    found = facts.survey.tree.conflict_copies if facts.survey is not None else ()
    if found:
        yield Finding(
            code="claude-conflict-copies",
            level=Level.WARNING,
            title=f"A sync tool left {count(len(found), 'conflict copy', 'conflict copies')} in "
            "Claude Code's folder",
            detail=f"They are no sessions, and may hold what the transcripts beside them don't: "
            f"{join([short_path(path) for path in found])}.",
            fix="Keep that tool away from Claude Code's folder; to look at a copy as a session of "
            f"its own, give it a new name: {_as_session(found[0])}",
        )


def _as_session(path: Path) -> str:
    import uuid

    return move_command(path, path.with_name(f"{uuid.uuid5(uuid.NAMESPACE_URL, path.name)}.jsonl"))


def mirrors(facts: Facts) -> Iterator[Finding]:
    """Folders of the desktop app's: what is in them happened on other hosts."""
    found = facts.survey.tree.mirrors if facts.survey is not None else ()
    if found:
        yield Finding(
            code="claude-mirrors",
            level=Level.INFO,
            title=f"{count(len(found), 'folder')} in Claude Code's folder only "
            f"{'mirrors' if len(found) == 1 else 'mirror'} sessions on other hosts",
            detail="The desktop app keeps them for what it does over ssh: "
            f"{join([short_path(path) for path in found])}. They are no sessions of this machine, "
            "so nothing of them is pushed or pulled.",
            fix="To have those sessions on other machines too, set up claude-sync on the hosts "
            "themselves",
        )


def newer_client(facts: Facts) -> Iterator[Finding]:
    """Whether a client newer than the list of types writes lines that aren't on it."""
    copies = (
        copy for copies in (facts.survey.local if facts.survey else {}).values() for copy in copies
    )
    newest = sorted(copies, key=lambda copy: copy.stamp.mtime_ns, reverse=True)[:_NEWEST]
    found = []
    for copy in newest:
        with suppress(OSError), open_regular(copy.path) as file:
            found.append(unlisted_types(file))
    types = sorted({name for one in found if one is not None for name in one.types})
    version = next((one.version for one in found if one is not None), None)
    if version is not None:
        named = f" ({join(types)})" if types else ""
        yield Finding(
            code="claude-newer",
            level=Level.INFO,
            title=f"Claude Code {version} writes lines that claude-sync doesn't know yet",
            detail=f"Whatever is of an unknown type{named} counts as said. That loses nothing, but "
            "a session that was merely looked at on two machines may be called a conflict.",
            fix="Update claude-sync; if there is no newer one, report the types",
        )


def configured(facts: Facts) -> Iterator[Finding]:
    """Whether a program started at login would use the same folder as this one."""
    here = named_folder()
    chosen = facts.context.preferences
    remembered = chosen.claude_config_dir
    if here is None or (remembered is None and chosen.location is None):
        return
    if remembered is None or os.path.realpath(remembered) != os.path.realpath(here):
        other = short_path(remembered) if remembered else "~/.claude"
        yield Finding(
            code="claude-config-dir-differs",
            level=Level.WARNING,
            title="A program started at login uses another Claude Code folder",
            detail=f"CLAUDE_CONFIG_DIR is {short_path(here)} in this shell; a program started at "
            f"login doesn't see that, and uses {other}.",
            fix=f"`claude-sync config set claude_config_dir {quoted(here)}`",
        )


def live(facts: Facts) -> Iterator[Finding]:
    """Files about open sessions that can't be read, and those that a crash left behind."""
    survey = facts.survey
    if survey is not None and survey.live.unreadable:
        path = facts.context.home.live_folder / survey.live.unreadable[0]
        if not os.path.exists(path):
            path = facts.context.home.live_folder
        yield Finding(
            code="live-unreadable",
            level=Level.WARNING,
            title="There is no telling which sessions are open",
            detail=f"{short_path(path)} can't be read, so every session counts as open and none is "
            "replaced.",
            fix=f"If no Claude Code is running: {remove_command([path])}"
            if os.path.isfile(path)
            else grant_command(path),
        )
    if survey is not None and survey.live.stale:
        folder = facts.context.home.live_folder
        paths = [folder / one.name for one in survey.live.stale]
        yield Finding(
            code="live-stale",
            level=Level.INFO,
            title=f"A crash of Claude Code left {count(len(paths), 'file')} behind",
            detail="They say that sessions are open whose process is gone. They keep nothing from "
            "being pulled; Claude Code doesn't remove them.",
            fix=remove_command(paths),
        )


# --- clean-up ----------------------------------------------------------------------------------


def cleanup(facts: Facts) -> Iterator[Finding]:
    """Sessions that Claude Code deletes within three days and that are nowhere else."""
    survey = facts.survey
    if survey is None:
        return
    days = facts.context.home.cleanup_days()
    limit = facts.now - days * DAY_SECONDS + SOON_SECONDS
    old = [
        copy
        for copies in survey.local.values()
        for copy in copies
        if copy.stamp.mtime_ns / 1e9 < limit and not survey.is_open(copy)
    ]
    lost = sorted(
        copy.session_id
        for copy in old
        if not _is_left_alone(facts, copy) and not _is_elsewhere(facts, copy)
    )
    if lost:
        named = " ".join(lost) if len(lost) <= 5 else "--all"
        yield Finding(
            code="cleanup-soon",
            level=Level.WARNING,
            title=f"Claude Code is about to delete {count(len(lost), 'session')} that "
            f"{'is' if len(lost) == 1 else 'are'} nowhere else",
            detail=f"It deletes what wasn't used for {count(days, 'day')}; within three days that "
            f"is {lost[0]}{' and others' if len(lost) > 1 else ''}.",
            fix=f"`claude-sync push {named}`; or raise `cleanupPeriodDays` in "
            f"{short_path(facts.context.home.path / 'settings.json')}",
        )


def _is_left_alone(facts: Facts, local: LocalSession) -> bool:
    """Whether a person chose not to push it, and so needs no warning."""
    survey = facts.survey
    assert survey is not None
    if facts.context.decisions.of(local.session_id).forgotten:
        return True
    try:
        project = survey.project(local)
    except (ProjectKeyError, SessionError):
        return False
    return project is not None and is_ignored(project.key, facts.context.preferences.ignore)


def _is_elsewhere(facts: Facts, local: LocalSession) -> bool:
    """Whether a bundle has all of it; if the store can't be reached, whether one did once."""
    survey = facts.survey
    assert survey is not None
    if facts.view is None:
        written = survey.record(local.session_id).written
        return written is not None and written == survey.known_version(local)
    state = facts.states.get(local.session_id)
    if state is not None and state.state in (State.SYNCED, State.AHEAD, State.WAITING):
        return True
    bundles = survey.bundles.get(local.session_id, ())
    version = survey.known_version(local)
    if version is None and any(one.head.size == local.stamp.size for one in bundles):
        # Not remembered, but likely the same: worth reading it.
        try:
            version = survey.version(local)
        except SessionError:
            return False
    return version is not None and any(one.head.version == version for one in bundles)
