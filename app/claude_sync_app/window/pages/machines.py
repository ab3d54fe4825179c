"""The machines that the store shows: when each pushed last, and how many sessions it has there."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from claude_sync.errors import NotSetUp, TransportError
from claude_sync.model import Machine
from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync.sync.survey.machines import SeenMachine, seen_machines
from claude_sync.wording import sentence, typed_elsewhere
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.labels import machine_of
from claude_sync_app.window.page import Answer, Asked, Page, Reply, Waiting, page, post

NAVIGATION = ("Machines", "/machines")

_QUIET_NS = 30 * 86_400 * 10**9


def _show(asked: Asked) -> Reply:
    revision = asked.services.revision(asked.status)
    problem, found = "", list[SeenMachine]()
    with asked.reading() as context:
        own = context.machine.name
        try:
            found = seen_machines(context)
        except (NotSetUp, TransportError) as error:
            problem = sentence(one_line(str(error)))
    waiting = _waiting(asked.status)
    now_ns = time.time_ns()
    return Page(
        "machines.html",
        "Machines",
        {
            "page_path": "/machines",
            "revision": revision,
            "own": machine_of(own),
            "machines": [_machine(one, waiting, now_ns) for one in found],
            "problem": problem,
            "location": one_line(asked.status.label or asked.status.location),
            "set_up": set_up_line(asked.status.location, asked.status.preferences),
        },
    )


def set_up_line(location: str, chosen: Preferences) -> str:
    """What is typed on another machine to share its sessions through the same folder.

    Args:
        location: the folder's, as the preferences have it.
        chosen: the preferences.
    """
    more = " --encrypt" if chosen.encrypted else ""
    return f"claude-sync init {typed_elsewhere(location) if location else 'FOLDER'}{more}"


def _waiting(status: Status) -> dict[str, int]:
    """How many sessions each machine is ahead with."""
    counts: dict[str, int] = {}
    for arrival in status.arrivals:
        counts[arrival.machine] = counts.get(arrival.machine, 0) + 1
    return counts


def _machine(one: SeenMachine, waiting: dict[str, int], now_ns: int) -> dict[str, Any]:
    return {
        "name": machine_of(one.name),
        "is_this": one.is_this,
        "sessions": one.sessions,
        "projects": one.projects,
        "bytes": one.bytes,
        "pushed_ns": one.pushed_ns,
        "is_ahead": one.pushed_ns > now_ns + 300 * 10**9,
        "is_quiet": 0 < one.pushed_ns < now_ns - _QUIET_NS,
        "waiting": 0 if one.is_this else waiting.get(one.name, 0),
        "path": f"/sessions?machine={quote(one.name, safe='')}",
    }


def _rename(asked: Asked) -> Reply:
    future = asked.services.service.rename_machine(asked.text("name", most=200).strip())
    return Waiting(future, _renamed)


def _renamed(machine: Machine) -> Answer:
    return Answer(
        f"This machine is called {machine_of(machine.name)} now. The others see that in each "
        "session once it is pushed again.",
        reload=True,
    )


ROUTES = (page("/machines", _show), post("/machines/name", _rename))
