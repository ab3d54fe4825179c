"""Looking at this machine and at the store, the first step of all that is decided."""

from __future__ import annotations

from collections.abc import Callable

from claude_sync.sync.context import Context
from claude_sync.sync.survey.lost_decisions import settle
from claude_sync.sync.survey.survey import Survey


def look(
    context: Context,
    *,
    store: bool = True,
    meanwhile: Callable[[Survey], None] = Survey.read_ahead,
) -> Survey:
    """Look at this machine and, if asked to, at the store.

    Args:
        context: what to look at.
        store: whether to look at the store.
        meanwhile: what to do with what was seen here while a distant store answers.

    Raises:
        TransportError: the store isn't there.
    """
    if not store:
        survey = Survey(context, None)
    else:
        with context.store.start_view() as answer:
            survey = Survey(context, None)
            if context.store.remote:
                meanwhile(survey)
            survey.set_store_view(answer())
        if context.decisions.lost:
            settle(context, survey)
    if not context.machine.named:
        from claude_sync.sync.survey.identity import remember_name

        remember_name(context, survey.bundles)
    return survey
