"""One session as one portable file, packed and unpacked by hand; no store is needed."""

from __future__ import annotations

import os
from pathlib import Path

from claude_sync.bundle.file_names import bundle_file_name
from claude_sync.errors import SessionUnplaced, UsageError
from claude_sync.model import Result
from claude_sync.store.store import Store, StoreView
from claude_sync.sync.bundles.portable import read_portable, write_portable
from claude_sync.sync.context import Context
from claude_sync.sync.pull import pull_surveyed
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey
from claude_sync.transports.folder.transport import FolderTransport


def pack(context: Context, session: str, output: Path | None = None) -> Path:
    """Pack a session into one .ccsync file.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.
        output: the file, or a directory for it; None for the current directory. A file that is
            there is replaced only if it was named.

    Returns:
        the file.

    Raises:
        UsageError: no session here, or more than one, has that id; a file of its name lies in
            that directory, or can't be written.
        SessionUnplaced: its project isn't known.
        SessionError: it changes too fast, or vanished.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("packing"):
        survey = look(context, store=False)
        local = survey.copy(survey.find(session))
        assert local is not None
        project = survey.project(local)
        if project is None:
            raise SessionUnplaced(
                "the project of that session isn't known here",
                where=local.session_id,
                todo="add its directory with `claude-sync projects add DIR`",
            )
        target = _target(output or Path(), local.session_id, context.machine.name)
        write_portable(context, survey, local, project=project, target=target)
        survey.flush()
        return target


def _target(output: Path, session_id: str, machine: str) -> Path:
    """The file to write: `output`, or one in it that isn't there yet."""
    if not output.is_dir():
        return output
    target = output / bundle_file_name(session_id, machine)
    if os.path.lexists(target):
        # It may be this machine's very bundle, if the current directory is in the store.
        raise UsageError(
            "a file of that name is there already",
            where=str(target),
            todo="name it with -o to replace it",
        )
    return target


def unpack(
    context: Context, file: Path, into: Path | None = None, *, replace: bool = False
) -> Result:
    """Pull the session of one .ccsync file, by the rules of a pull: nothing is lost over it.

    Args:
        context: what to work with.
        file: the bundle.
        into: the working directory it goes to where it isn't here yet; None for its project's.
        replace: whether a version that doesn't hold all that was said here may take its place.

    Raises:
        UsageError: the file can't be opened.
        BundleError: it is no whole bundle.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    bundle = read_portable(file)
    with context.working("unpacking"):
        view = StoreView({bundle.head.session_id: (bundle,)}, ())
        transport = FolderTransport(str(file.resolve().parent))
        context.use_store(Store(transport, context.cache, context.database, ""))
        survey = Survey(context, view)
        survey.all_are_rivals = True
        if into is not None:
            survey.into = into.resolve()
        return pull_surveyed(context, survey, [bundle.head.session_id], replace=replace)[0]
