"""Earlier versions of a session: which there are, what one says, restoring it."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.errors import UsageError
from claude_sync.model import Outcome, Result, Version
from claude_sync.search.earlier import read_earlier
from claude_sync.sync.read_version import read_version
from claude_sync.sync.restore import earlier_versions
from claude_sync.wording import sentence
from claude_sync_app.shown_text import one_line
from claude_sync_app.window.page import Answer, Asked, Page, Reply, Waiting, page, post
from claude_sync_app.window.reading import reading_values, saved
from claude_sync_app.window.said import messages, name_of
from claude_sync_app.window.version_rows import version_named, version_row, version_rows


def _show(asked: Asked) -> Reply:
    session = asked.session()
    with asked.reading() as context:
        found = earlier_versions(context, session)
    return Page(
        "versions.html",
        f"Earlier versions of {name_of(asked.status, session)}",
        {
            "page_path": "/sessions",
            "session": session,
            "name": name_of(asked.status, session),
            "versions": version_rows(session, found),
            "is_here": _is_here(asked, session),
        },
    )


def _is_here(asked: Asked, session: str) -> bool:
    return any(one.session_id == session and one.path is not None for one in asked.status.sessions)


def _look(asked: Asked) -> Reply:
    session, version = asked.session(), _named(asked.path.get("version", ""))
    with asked.reading() as context:
        view = read_version(context, session, version)
        earlier = earlier_versions(context, session)
    found = next((one for one in earlier if one.version == version), None)
    if found is None:
        raise UsageError("that version is what is here now", where=session)
    here = view.here
    return Page(
        "version.html",
        f"Earlier version of {name_of(asked.status, session)}",
        {
            "page_path": "/sessions",
            "session": session,
            "name": name_of(asked.status, session),
            "version": version_row(session, found),
            "before": messages(view.before.excerpts),
            "there": messages(view.there.excerpts),
            "there_left_out": view.there.left_out,
            "there_turns": view.there.turns,
            "here": messages(here.excerpts) if here is not None else None,
            "here_left_out": here.left_out if here is not None else 0,
            "here_turns": here.turns if here is not None else 0,
        },
    )


def _read(asked: Asked) -> Reply:
    session, name = asked.session(), asked.path.get("version", "")
    path = f"/versions/{session}/{name}"
    with asked.reading() as context, read_earlier(context, session, _named(name)) as reader:
        reading = reading_values(asked, reader, f"{path}/all", {})
    return Page(
        "version_all.html",
        f"Earlier version of {name_of(asked.status, session)}",
        {
            **reading,
            "page_path": "/sessions",
            "session": session,
            "name": name_of(asked.status, session),
            "version_path": path,
            "save_path": f"{path}/save",
        },
    )


def _save(asked: Asked) -> Reply:
    session, version = asked.session(), _named(asked.path.get("version", ""))
    todo = f"bring it back, and type `claude-sync show {session} --html -o session.html`"
    with asked.reading() as context, read_earlier(context, session, version) as reader:
        return saved(asked, reader, f"{reader.header.title} (earlier version)".strip(), todo)


def _named(name: str) -> Version:
    version = version_named(name)
    if version is None:
        raise UsageError("that is no version's name", where=name[:50])
    return version


def _restore(asked: Asked) -> Reply:
    session, version = asked.session(), _named(asked.text("version"))
    future = asked.services.service.restore(session, version)
    return Waiting(future, lambda results: _restored(session, results))


def _restored(session: str, results: Sequence[Result]) -> Answer:
    failed = next((one for one in results if one.outcome is Outcome.FAILED), None)
    said = "That version is back."
    if failed is not None:
        said += f" It isn't pushed yet: {sentence(one_line(failed.message))}"
    elif len(results) > 1:
        said += " The other machines follow with their next pull."
    if results and results[0].outcome is Outcome.REPLACED:
        said += " What it replaced is in the list below."
    return Answer(said, go=f"/versions/{session}")


ROUTES = (
    page("/versions/{session}", _show),
    page("/versions/{session}/{version}", _look),
    page("/versions/{session}/{version}/all", _read),
    page("/versions/{session}/{version}/save", _save),
    post("/versions/{session}", _restore),
)
