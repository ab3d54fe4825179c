"""What is newer in a project, where no service runs: a folder is looked at, a host never asked."""

from __future__ import annotations

from pathlib import Path

from claude_sync.errors import ClaudeSyncError
from claude_sync.model import SessionState, State
from claude_sync.service.messages import Answer, News, likeliest_first
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync.sync.context import Context
from claude_sync.sync.read_only import open_read_only
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.survey import Survey, look


def news_in_folder(directory: str) -> Answer:
    """What another machine went on with in the project of a directory, and what has diverged.

    Nothing is written. Where the store is no folder, or anything is wrong, there is no news.

    Args:
        directory: absolute; not trusted.
    """
    own = paths()
    if preferences.load(own).location is None:
        return Answer()
    try:
        with open_read_only(own) as context:
            if context.store.local_root is None:
                return Answer()
            return _news(context, Path(directory))
    except ClaudeSyncError:
        return Answer()


def _news(context: Context, directory: Path) -> Answer:
    key = context.registry.stand(directory).key  # nobody may have used claude-sync there yet
    survey = look(context)
    asked = [
        session_id
        for session_id, bundles in survey.bundles.items()
        if any(bundle.head.project_key == key for bundle in bundles)
    ]
    states = states_surveyed(context, survey, asked)
    return likeliest_first([one for state in states for one in _of(survey, state)])


def _of(survey: Survey, state: SessionState) -> list[News]:
    if state.state is State.CONFLICT and state.rivals:
        return [News(state.session_id, state.title, state.rivals[0], 0, diverged=True)]
    if state.state is not State.WAITING:
        return []
    bundles = survey.bundles.get(state.session_id, ())
    heads = [bundle.head for bundle in bundles if bundle.head.machine in state.rivals]
    if not heads:
        return []
    head = max(heads, key=lambda one: one.mtime_ns)
    return [News(state.session_id, state.title, head.machine, head.mtime_ns, diverged=False)]
