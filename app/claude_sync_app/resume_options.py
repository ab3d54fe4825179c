"""What a resumed client is told besides the session: nothing that another machine chose for it.

A transcript that came from elsewhere says in which permission mode it was used there, and what the
system prompt was. The client takes over both. Whoever can write into the store writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from claude_sync.claude.client import SNAPSHOT_OPTION, knows_snapshot_option
from claude_sync.claude.permission_mode import DEFAULT, UNKNOWN, mode_from_elsewhere
from claude_sync.state.paths import Paths
from claude_sync.values import NamedTuple
from claude_sync_app.shown_text import one_line, shortened

MODE_OPTION = "--permission-mode"
_MODE_LENGTH = 40


class ResumeOptions(NamedTuple):
    """What the client is told.

    Attributes:
        arguments: options of ``claude``, constants of ours only.
        remark: a clause on the mode for people, "" where there is nothing to say.
    """

    arguments: tuple[str, ...] = ()
    remark: str = ""

    def remark_on(self, told: Sequence[str]) -> str:
        """The same where the client is told only some of it, since a person chose otherwise."""
        return self.remark if MODE_OPTION in told else ""


NO_OPTIONS = ResumeOptions()


def resume_options(paths: Paths, transcript: Path | None, from_elsewhere: int) -> ResumeOptions:
    """What to tell the client that resumes a session. May ask the client for its help, once.

    Args:
        paths: where claude-sync keeps its own files.
        transcript: the session's, None where it isn't here.
        from_elsewhere: how many bytes at its beginning came from elsewhere.
    """
    if transcript is None or from_elsewhere == 0:
        return NO_OPTIONS
    try:
        mode = mode_from_elsewhere(transcript, from_elsewhere)
    except OSError:
        mode = UNKNOWN
    arguments: list[str] = []
    remark = ""
    if mode:
        arguments += [MODE_OPTION, DEFAULT]
        shown = shortened(one_line(mode), _MODE_LENGTH)
        remark = f"another machine chose its permission mode ({shown}), so it starts in the default"
    if knows_snapshot_option(paths.client_file):
        arguments += [SNAPSHOT_OPTION, "off"]
    return ResumeOptions(tuple(arguments), remark)
