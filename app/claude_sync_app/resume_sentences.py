"""What a person is told when a session is resumed, by the command and the tray alike. Pure."""

from __future__ import annotations

from pathlib import Path

from claude_sync.sync.resume import PULLED, Resumption
from claude_sync.wording import ago, count, sentence, short_path
from claude_sync_app.shown_text import ID_LENGTH, TITLE_LENGTH, one_line, shortened

_NAME_LENGTH = 30
_THEM = ("it", "them")

TRUST = (
    "Claude Code hasn't been in this folder here: if it asks, and you trust what is in it, choose "
    "“Yes, I trust this folder”, which isn't the answer that is preselected."
)


def shown_title(found: Resumption) -> str:
    """A session's title in quotation marks; the beginning of its id where it has none."""
    title = shortened(one_line(found.title), TITLE_LENGTH)
    return f"“{title}”" if title else found.session_id[:ID_LENGTH]


def pulled_sentence(found: Resumption, now_ns: int, *, title: str = "") -> str:
    """What was pulled, from where, and how old it is; "" where nothing was.

    Args:
        found: what is resumed.
        now_ns: nanoseconds since the epoch.
        title: what the session is called, "" for by its title.
    """
    if found.pulled is None:
        return ""
    name = title or shown_title(found)
    if found.put_back:
        return f"Put back {name} as this machine had pushed it, {ago(found.written_ns, now_ns)}."
    machine = shortened(one_line(found.pulled.machine), _NAME_LENGTH) or "another machine"
    still = "; it was still open there" if found.was_open else ""
    return f"Pulled {name} from {machine}, {ago(found.written_ns, now_ns)}{still}."


def remarks(found: Resumption, mode: str, *, new_directory: bool) -> list[str]:
    """What else is to be known before the client shows itself, a sentence each.

    Args:
        found: what is resumed.
        mode: what `ResumeOptions` remarks, "" for nothing.
        new_directory: whether the client hasn't been in its directory.
    """
    said = []
    if found.only_here:
        said.append(
            sentence(
                f"what is here is resumed, for other machines couldn't be asked: "
                f"{one_line(found.only_here)}"
            )
        )
    if along := sum(one.outcome in PULLED for one in found.results[1:]):
        what = count(along, "more session")
        said.append(f"{what} came along: what is resumed names files of {_THEM[along > 1]}.")
    if found.results and found.question is None and found.message:
        said.append(sentence(one_line(found.message)))
    if mode:
        said.append(sentence(mode))
    if new_directory:
        said.append(TRUST)
    return said


def deleted_sentence(found: Resumption) -> str:
    """That a newer session isn't taken since it was deleted here; "" where there is none."""
    if not found.deleted:
        return ""
    return (
        f"A newer session of this project was deleted here; "
        f"`claude-sync resume {found.deleted}` brings it back."
    )


def directory_sentence(directory: Path) -> str:
    """In which directory a session is resumed."""
    return f"Resuming in {one_line(short_path(directory))}."
