"""Reading a session, or one of its subagents, wherever it lies: by pages, found in, saved."""

from __future__ import annotations

from claude_sync.claude.subagents import is_subagent_id
from claude_sync.errors import UsageError
from claude_sync.search.export import name_of_subagent
from claude_sync.search.reading import read_session
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.labels import project_of
from claude_sync_app.window import session_view
from claude_sync_app.window.page import Asked, Page, Reply, page
from claude_sync_app.window.reading import reading_values, saved
from claude_sync_app.window.said import name_of


def _show(asked: Asked) -> Reply:
    session, machine = asked.session(), asked.query.get("machine") or None
    kept = {"machine": machine} if machine else {}
    path = f"/session/{session}"
    with asked.reading() as context, read_session(context, session, machine=machine) as reader:
        reading = reading_values(asked, reader, path, kept)
        header, subagents = reader.header, reader.subagents
    name = name_of(asked.status, session, header.title)
    return Page(
        "session.html",
        name,
        {
            **reading,
            "page_path": "/sessions",
            "session": header.session_id,
            "name": name,
            "header": header,
            "project": project_of(header.project_key),
            "copies": session_view.copies(header),
            "subagents": session_view.agents(session, subagents, kept).values(),
            "may_have_more": not subagents.complete,
            "is_to_choose": _is_to_choose(asked, session),
            "save_path": f"{path}/save",
        },
    )


def _is_to_choose(asked: Asked, session: str) -> bool:
    """Whether a person has to choose a version of it."""
    return any(
        one.session_id == session and (one.sides or one.replaces or one.shortened)
        for one in asked.status.sessions
    )


def _show_subagent(asked: Asked) -> Reply:
    session, machine = asked.session(), asked.query.get("machine") or None
    agent = _subagent(asked)
    kept = {"machine": machine} if machine else {}
    path = f"/session/{session}/agent/{agent}"
    with (
        asked.reading() as context,
        read_session(context, session, machine=machine, agent=agent) as reader,
    ):
        reading = reading_values(asked, reader, path, kept)
        header, subagents = reader.header, reader.subagents
    assert header.subagent is not None
    shown = session_view.agents(session, subagents, kept)[header.subagent.id]
    return Page(
        "subagent.html",
        shown["name"],
        {
            **reading,
            "page_path": "/sessions",
            "session": header.session_id,
            "name": name_of(asked.status, session, header.title),
            "subagent": shown,
            "header": header,
            "save_path": f"{path}/save",
        },
    )


def _subagent(asked: Asked) -> str:
    agent = asked.path.get("agent", "")
    if not is_subagent_id(agent):
        raise UsageError("that is no subagent's id", where=agent[:50])
    return agent


def _save(asked: Asked) -> Reply:
    session, machine = asked.session(), asked.query.get("machine") or None
    agent = _subagent(asked) if "agent" in asked.path else None
    more = f" --agent {agent}" if agent is not None else ""
    todo = f"type `claude-sync show {session}{more} --html -o session.html`"
    with (
        asked.reading() as context,
        read_session(context, session, machine=machine, agent=agent) as reader,
    ):
        header = reader.header
        title = one_line(header.title)
        name = title if header.subagent is None else name_of_subagent(header.subagent)
        return saved(asked, reader, name, todo)


ROUTES = (
    page("/session/{session}", _show),
    page("/session/{session}/save", _save),
    page("/session/{session}/agent/{agent}", _show_subagent),
    page("/session/{session}/agent/{agent}/save", _save),
)
