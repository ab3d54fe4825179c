"""A .ccsync file that somebody opened in their file manager: asks, unpacks it, offers to resume.

It comes from anywhere and may have been opened by mistake: nothing is done before the question, and
then what `unpack` does, which replaces nothing that was said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Bundle, Outcome, Result
from claude_sync.state import preferences
from claude_sync.state.paths import Paths, paths
from claude_sync.sync.bundles.portable import read_portable
from claude_sync.sync.context import Context, open_context
from claude_sync.sync.pack import unpack
from claude_sync.wording import sentence, short_path, size
from claude_sync_app.desktop import terminals
from claude_sync_app.desktop.launching import DesktopError
from claude_sync_app.resume_options import resume_options
from claude_sync_app.shown_text import one_line, shortened

_TITLE = "claude-sync"
_TITLE_LENGTH = 60
_NAME_LENGTH = 30
_TAKEN = frozenset({Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED})
_AS_IT_WAS = frozenset({Outcome.UNCHANGED, Outcome.AHEAD})


class Questions(Protocol):
    """How a person is asked: `Dialogs`, or the terminal."""

    def choose_button(self, title: str, text: str, labels: Sequence[str]) -> int | None: ...

    def choose_folder(self, title: str, start: Path) -> Path | None: ...


def open_file(file: Path, questions: Questions | None, own: Paths | None = None) -> bool:
    """Ask whether a file is to be unpacked, do it, and offer to resume its session.

    Args:
        file: what was opened.
        questions: how to ask; None where that can't be done.
        own: where claude-sync keeps its own files; None for the user's own.

    Returns:
        whether the session is here now; not, where the answer was no.

    Raises:
        DesktopError: nothing can be asked.
        Stopped: a signal asked to stop.
    """
    own = own or paths()
    if questions is None:
        raise DesktopError(
            "there is no program here that shows a dialog",
            where=str(file),
            todo="install zenity or kdialog, or type `claude-sync unpack FILE`",
        )
    try:
        bundle = read_portable(file)
        if questions.choose_button(_TITLE, question_about(bundle), ["Unpack"]) != 0:
            return False
        with open_context(own) as context:
            result = _unpacked(context, file, questions)
            if result is None:
                return False
        if result.outcome not in _TAKEN | _AS_IT_WAS or result.directory is None:
            text = result.message or f"it wasn't unpacked ({result.outcome.value})"
            questions.choose_button(_TITLE, sentence(one_line(text)), ["OK"])
            return result.outcome in _AS_IT_WAS
        _offer_to_resume(result, questions, own)
        return True
    except DesktopError:
        raise
    except ClaudeSyncError as error:
        questions.choose_button(_TITLE, sentence(one_line(str(error))), ["OK"])
        return False


def question_about(bundle: Bundle) -> str:
    """What a person is asked about a file; all of it is a stranger's text."""
    head = bundle.head
    title = shortened(one_line(head.title), _TITLE_LENGTH) or f"Untitled {head.session_id[:8]}"
    machine = shortened(one_line(head.machine), _NAME_LENGTH)
    key = head.project_key.rpartition("/")[2].rpartition(":")[2]
    project = shortened(one_line(key), _NAME_LENGTH)
    return (
        f"Unpack this session of {project or 'a project'} from {machine or 'another machine'}?\n\n"
        f"“{title}” ({size(bundle.stamp.size)})\n\n"
        "What stands in it goes to Claude Code when the session is resumed, so only unpack what "
        "comes from someone you trust. Nothing that was said here is replaced."
    )


def _unpacked(context: Context, file: Path, questions: Questions) -> Result | None:
    """The result; None if a folder was asked for, and none was chosen."""
    result = unpack(context, file)
    if result.outcome is not Outcome.UNPLACED:
        return result
    folder = questions.choose_folder("The project's folder on this machine", Path.home())
    return None if folder is None else unpack(context, file, folder)


def _offer_to_resume(result: Result, questions: Questions, own: Paths) -> None:
    directory = result.directory
    assert directory is not None
    done = "It is here already" if result.outcome in _AS_IT_WAS else "It is unpacked"
    where = one_line(short_path(directory))
    text = f"{done}. Its folder is {where}."
    if questions.choose_button(_TITLE, text, ["Resume in terminal"]) != 0:
        return
    chosen = preferences.load(own)
    options = resume_options(own, result.path, result.from_elsewhere)
    terminals.run_claude(directory, result.session_id, chosen.terminal, options.arguments)
