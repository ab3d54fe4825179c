"""What is newer in a project, where no service runs: a folder is looked at, a host never asked."""

from __future__ import annotations

from claude_sync.errors import ClaudeSyncError
from claude_sync.service.messages import Answer
from claude_sync.service.news import arriving, news_of
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync.sync.context import Context
from claude_sync.sync.read_only import open_read_only
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.look import look


def news_in_folder(project: str) -> Answer:
    """What another machine went on with in a project, and what has diverged.

    Nothing is written. Where the store is no folder, or anything is wrong, there is no news.

    Args:
        project: its key.
    """
    own = paths()
    if preferences.load(own).location is None:
        return Answer()
    try:
        with open_read_only(own) as context:
            if context.store.local_root is None:
                return Answer()
            return _news(context, project)
    except ClaudeSyncError:
        return Answer()


def _news(context: Context, project: str) -> Answer:
    survey = look(context)
    asked = [
        session_id
        for session_id, bundles in survey.bundles.items()
        if any(bundle.head.project_key == project for bundle in bundles)
    ]
    states = states_surveyed(context, survey, asked)
    waiting = {
        state.session_id: head
        for state in states
        if (head := arriving(state, survey.bundles.get(state.session_id, ()))) is not None
    }
    arrivals = {one: (head.machine, head.mtime_ns) for one, head in waiting.items()}
    return news_of(project, states, arrivals)
