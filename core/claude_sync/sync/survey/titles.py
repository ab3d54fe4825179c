"""What sessions are called in results, and when they were last used: people read titles."""

from __future__ import annotations

from collections.abc import Iterable

from claude_sync.errors import SessionError
from claude_sync.model import Outcome, Result
from claude_sync.sync.survey.survey import Survey

_QUIET = frozenset({Outcome.UNCHANGED, Outcome.AHEAD, Outcome.GONE, Outcome.DECLINED})


def with_titles(survey: Survey, results: Iterable[Result], *, named: bool) -> list[Result]:
    """Results with titles and times.

    Args:
        survey: the look that they follow from.
        results: what became of sessions.
        named: whether a person named them; of the others, those to which nothing happened go
            without: a push of a thousand sessions mostly finds nothing to do.
    """
    return [
        one if not (named or one.outcome not in _QUIET) else _with_title(survey, one)
        for one in results
    ]


def _with_title(survey: Survey, result: Result) -> Result:
    session_id = result.session_id
    bundles = survey.bundles.get(session_id, ())
    local = next(iter(survey.local.get(session_id, ())), None)
    title, mtime_ns = "", 0
    came = next((one for one in bundles if one.name == result.bundle), None)
    if came is not None and (local is None or result.outcome is not Outcome.PUSHED):
        title, mtime_ns = came.head.title, came.head.mtime_ns
    if local is not None:
        mtime_ns = max(mtime_ns, local.stamp.mtime_ns)
        if not title:
            from claude_sync.claude.transcript import title_of

            try:
                title = title_of(session_id, survey.rows.summary(local).title)
            except SessionError:
                pass  # it vanished; its id is name enough
    return result._replace(title=title, mtime_ns=mtime_ns)
