"""The program that Claude Code starts when a session starts, comes to rest, or ends.

``python -I -S hook.py EVENT PACKAGES`` with the event's JSON on standard input. The client waits
for an answer at a start only, for a fifth of a second (``hooks/run`` of the plugin sees to that),
and Python's own start takes most of it: so there is no ``site``, and nothing is imported but what
asks the running service. Only where none runs, the rest of claude-sync is.

What comes on standard input is the client's, and not trusted: nothing of it is run, and all of it
is checked by whoever uses it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claude_sync.service.messages import Answer, Request
    from claude_sync.state.paths import Paths

_MAX_INPUT = 8 << 20
_ANSWER_SECONDS = 0.1
_TOLD_SECONDS = 2.0
_DETACHED = "late"


def main(event: str, packages: str) -> None:
    """Do what an event asks for.

    Args:
        event: "start", "stop" or "end"; "late" for what the latter two leave to a process of its
            own, on Windows.
        packages: directories of our packages, with the system's separator between two.
    """
    sys.path[:0] = [path for path in packages.split(os.pathsep) if path not in sys.path]
    given = _input()
    if event == "start":
        gc.disable()  # nothing here lives long enough for it to pay
        _start(given)
        os._exit(0)  # nothing is open for writing, and letting go of it all takes time, too
    elif event in ("stop", "end", _DETACHED):
        _rest(given, event, packages)


def _start(given: dict[str, object]) -> None:
    """Say in one line what is newer elsewhere."""
    directory = given.get("cwd")
    if not isinstance(directory, str):
        return
    from claude_sync.projects.key_lookup import key_at
    from claude_sync.service.messages import NEWS, Request

    own = _paths()
    project = key_at(directory, own.projects_file) if own is not None else ""
    if not project:
        return
    answer = _ask(given, Request(NEWS, project=project), _ANSWER_SECONDS)
    if answer is None:
        _import_all()
        from claude_sync_app.inside_client.folder_news import news_in_folder

        answer = news_in_folder(project)
    if not answer.news:
        return
    from claude_sync_app.inside_client.news_line import news_line

    # In one piece: who is ended meanwhile has said all or nothing.
    said = json.dumps({"systemMessage": news_line(answer)})
    os.write(1, said.encode() + b"\n")


def _rest(given: dict[str, object], event: str, packages: str) -> None:
    """Have what is new of a session pushed: by the service, or by ourselves."""
    if hasattr(os, "setsid"):
        try:
            os.setsid()  # what becomes of the client and its terminal is no matter of ours now
        except OSError:
            pass  # it is so already
    session_id = given.get("session_id")
    if not isinstance(session_id, str):
        return
    from claude_sync.service.messages import CLOSED, RESTED, Request

    is_end = event == "end" or given.get("hook_event_name") == "SessionEnd"
    if event != _DETACHED:
        told = _ask(given, Request(CLOSED if is_end else RESTED, session_id), _TOLD_SECONDS)
        if told is not None:
            return
        if os.name == "nt":
            _detach(given, packages)
            return
    _import_all()
    from claude_sync_app.inside_client.late_push import push_late

    push_late(session_id, closed=is_end)


def _ask(given: dict[str, object], request: Request, seconds: float) -> Answer | None:
    """Speak to the service of the client's folder; None where none answers."""
    from claude_sync.service.inlet_address import home_mark, read_address, send

    home, own = _client_home(given), _paths()
    if home is None or own is None:
        return None
    address = read_address(own.inlet_file_of(home_mark(home)))
    return send(address, request, seconds) if address is not None else None


def _paths() -> Paths | None:
    """Where our things are; None where the home directory can't be told."""
    from claude_sync.errors import UsageError
    from claude_sync.state.paths import paths

    try:
        return paths()
    except UsageError:
        return None


def _client_home(given: dict[str, object]) -> str | None:
    """The client's folder: the transcript lies in a project's, and that in ``projects``."""
    path = given.get("transcript_path")
    if not isinstance(path, str) or "\0" in path or not os.path.isabs(path):
        return None
    projects = os.path.dirname(os.path.dirname(path))
    return os.path.dirname(projects) if os.path.basename(projects) == "projects" else None


def _import_all() -> None:
    """Make importable what isn't ours: Python was started without it, to be quick."""
    import site

    site.main()


def _detach(given: dict[str, object], packages: str) -> None:
    """Start a process that outlives the client, which on Windows ends with its job otherwise."""
    import subprocess

    from claude_sync.disk.programs import full_command

    flags = sum(
        getattr(subprocess, name, 0)
        for name in ("DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP", "CREATE_BREAKAWAY_FROM_JOB")
    )
    with subprocess.Popen(
        full_command([sys.executable, "-X", "utf8", "-I", "-S", __file__, _DETACHED, packages]),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=flags,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(given).encode())
        process.stdin.close()
        process.returncode = 0  # it isn't waited for


def _input() -> dict[str, object]:
    """The event, as far as it can be read."""
    data = b""
    while len(data) < _MAX_INPUT:
        block = os.read(0, 1 << 20)
        if not block:
            break
        data += block
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


if __name__ == "__main__":
    main(*sys.argv[1:3])
