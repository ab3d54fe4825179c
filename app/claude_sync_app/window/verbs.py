"""What the window's buttons do: a function for each verb of the registry that the window asks for.

The function gets what was asked and the action; what it returns is shown where the click was made.
It may read and wait for a moment; for a command of the service's it returns `Waiting`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from claude_sync.errors import ClaudeSyncError, UsageError
from claude_sync.model import Outcome
from claude_sync.names import is_session_id
from claude_sync.wording import short_path
from claude_sync_app.desktop.opening import open_path
from claude_sync_app.tray.actions.projects import adding
from claude_sync_app.tray.offers import pullable, pushable
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.window.folders import chosen_folder
from claude_sync_app.window.page import Answer, Asked, Reply, Waiting
from claude_sync_app.window.results import results_answer
from claude_sync_app.window.resuming import copy_command, resume

_HOUR_SECONDS = 3600.0
_MOST_SESSIONS = 20_000

_BY_NAME = {str(verb): verb for verb in Verb}

VerbHandler = Callable[[Asked, Action], Reply]


def do(asked: Asked) -> Reply:
    """Do what a button asks for: the body names a verb, its subject and its detail.

    Raises:
        UsageError: the window has no such verb.
        ClaudeSyncError: it failed.
    """
    try:
        verb = _BY_NAME[asked.text("verb")]
        handler = HANDLERS[verb]
    except KeyError:
        raise UsageError("the window has no such button", todo="load the page again") from None
    subject = asked.text("subject", most=_MOST_SESSIONS * 37)
    return handler(asked, Action(verb, subject, asked.text("detail", most=20_000)))


def session_ids(action: Action) -> list[str]:
    """The sessions that an action is about.

    Raises:
        UsageError: there is none, or something else stands there.
    """
    ids = action.subject.split()
    if not ids or not all(map(is_session_id, ids)):
        raise UsageError("no session was chosen", todo="choose one first")
    return ids


def answered(future: Future[Any], message: str) -> Waiting:
    """A command of the service's, and what is said when it is done."""
    return Waiting(future, lambda _: Answer(message))


# --- sessions ----------------------------------------------------------------------------------


def _push(asked: Asked, action: Action) -> Reply:
    return _with_results(asked, asked.services.service.push(session_ids(action)))


def _push_all(asked: Asked, _: Action) -> Reply:
    ids = pushable(asked.status)
    if not ids:
        return Answer("Nothing to push.")
    return _with_results(asked, asked.services.service.push(ids))


def _pull(asked: Asked, action: Action) -> Reply:
    return _with_results(asked, asked.services.service.pull(session_ids(action)))


def _pull_all(asked: Asked, _: Action) -> Reply:
    ids = [arrival.session_id for arrival in pullable(asked.status)]
    if not ids:
        return Answer("Nothing to pull.")
    return _with_results(asked, asked.services.service.pull(ids))


def _replace(asked: Asked, action: Action) -> Reply:
    """Pull what replaces something that exists only here: the page asked before."""
    ids = session_ids(action)
    return _with_results(asked, asked.services.service.pull(ids, replace=True))


def _undo(asked: Asked, action: Action) -> Reply:
    (session_id,) = session_ids(action)[:1]
    future = asked.services.service.undo(session_id)
    return Waiting(future, lambda _: Answer("Brought back what was replaced."))


def _open_project(asked: Asked, action: Action) -> Reply:
    (session_id,) = session_ids(action)[:1]
    for state in asked.status.sessions:
        if state.session_id == session_id and state.directory is not None:
            open_path(state.directory)
            return Answer("Opened in your file manager.")
    raise ClaudeSyncError("no folder of this machine is known for that session", where=session_id)


def _add_project_folder(asked: Asked, action: Action) -> Reply:
    """Take note where the project of a session is on this machine: the detail's folder."""
    (session_id,) = session_ids(action)[:1]
    folder = chosen_folder(action.detail)
    key = next(
        (one.project_key for one in asked.status.sessions if one.session_id == session_id), ""
    )
    if not key:
        raise ClaudeSyncError("no project is known for that session", where=session_id)
    service = asked.services.service
    added = service.call(adding(folder, key))
    added.add_done_callback(lambda _: service.look_now())
    return answered(added, f"Its sessions go to {short_path(folder)} now.")


def _with_results(asked: Asked, future: Future[Any]) -> Waiting:
    return Waiting(future, lambda results: results_answer(asked.status, results))


# --- syncing by itself -------------------------------------------------------------------------


def _pause(asked: Asked, action: Action) -> Reply:
    until = time.time() + _HOUR_SECONDS if action.detail == "hour" else None
    words = "Paused for an hour." if until is not None else "Paused until you resume syncing."
    return answered(asked.services.service.pause(until), words)


def _unpause(asked: Asked, _: Action) -> Reply:
    return answered(asked.services.service.resume(), "Syncing again.")


def _retry(asked: Asked, _: Action) -> Reply:
    """Do again what failed last, and look at everything."""
    service = asked.services.service
    for event in reversed(asked.status.events):
        failed = [one.session_id for one in event.results if one.outcome is Outcome.FAILED]
        if failed and event.kind in ("push", "pull"):
            again = service.push(failed) if event.kind == "push" else service.pull(failed)
            return _with_results(asked, again)
        if failed or event.kind == "failed":
            break
    return answered(service.look_now(), "Looked at everything again.")


HANDLERS: Mapping[Verb, VerbHandler] = {
    Verb.PUSH: _push,
    Verb.PUSH_ALL: _push_all,
    Verb.PULL: _pull,
    Verb.PULL_ALL: _pull_all,
    Verb.REPLACE: _replace,
    Verb.UNDO: _undo,
    Verb.RESUME: resume,
    Verb.PULL_AND_RESUME: resume,
    Verb.COPY_COMMAND: copy_command,
    Verb.OPEN_PROJECT: _open_project,
    Verb.ADD_PROJECT_FOLDER: _add_project_folder,
    Verb.PAUSE: _pause,
    Verb.UNPAUSE: _unpause,
    Verb.RETRY: _retry,
}
"""What the window can be asked for."""
