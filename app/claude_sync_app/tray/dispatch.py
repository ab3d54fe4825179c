"""Has the handler of an action's verb do what it asks for, where the registry says."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.verbs import Action, Verb

Handler = Callable[[TrayContext, Action], object]


def handler_of(verb: Verb) -> Handler:
    """The function that handles a verb; imports its module."""
    module, name = verb.handler.split(".")
    handler: Handler = getattr(import_module(f"claude_sync_app.tray.actions.{module}"), name)
    return handler


# Imported with this module, for nothing in the loop's thread waits for a disk.
_IN_LOOP = {verb: handler_of(verb) for verb in Verb if verb.in_loop}


def dispatch(tray: TrayContext, action: Action) -> None:
    """Begin what an action asks for; in the loop's thread, returns at once."""
    handler = _IN_LOOP.get(action.verb)
    if handler is not None:
        handler(tray, action)
        return
    name = f"{action.verb} {action.subject} {action.detail}".strip()
    tray.background_tasks.run(name, lambda: handler_of(action.verb)(tray, action))
