"""One session as one portable file, packed and unpacked by hand; no store is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from claude_sync.bundle.head import HEAD_SIZE, SUFFIX, TAIL_SIZE, bundle_file_name, read_head
from claude_sync.bundle.pack import Label, Packer
from claude_sync.bundle.unpack import read_whole
from claude_sync.claude.home import sidecar_folder
from claude_sync.disk import files
from claude_sync.disk.snapshot import BLOCK_SIZE, Snapshot, open_regular, stamp_of
from claude_sync.errors import SessionUnplaced, SessionVanished, UsageError
from claude_sync.model import Bundle, LocalSession, Result
from claude_sync.store.store import Store, StoreView
from claude_sync.sync.context import Context
from claude_sync.sync.pull import pull_surveyed
from claude_sync.sync.survey.survey import Survey, look
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
        UsageError: the session can't be told, or isn't here; a file of its name lies in that
            directory.
        SessionUnplaced: its project can't be told.
        SessionError: it changes too fast, or vanished.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("packing"):
        survey = look(context, store=False)
        local = survey.copy(survey.find(session))
        assert local is not None
        label = _label(context, survey, local)
        target = _target(output or Path(), label)
        try:
            files.replace(target, _blocks(context, local, label))
        except OSError as error:
            raise UsageError(
                "the file can't be written",
                where=f"{target}: {error.strerror}",
                todo="choose another with -o",
            ) from error
        survey.flush()
        return target


def _label(context: Context, survey: Survey, local: LocalSession) -> Label:
    """What the bundle says of a session, besides its bytes."""
    session_id = local.session_id
    project = survey.project(local)
    if project is None:
        raise SessionUnplaced(
            "the project of that session isn't known here",
            where=session_id,
            todo="register its directory with `claude-sync projects add`",
        )
    remembered, row = survey.record(session_id), survey.row(local)
    return Label(
        session_id,
        project.key,
        project.subpath,
        context.machine.name,
        context.machine.id,
        max(1, remembered.revision),
        datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        row.stamp.mtime_ns,
        row.title,
        survey.is_open(local),
        survey.supersedes(session_id),
        remembered.decision,
    )


def _target(output: Path, label: Label) -> Path:
    """The file to write: `output`, or one in it that isn't there yet."""
    if not output.is_dir():
        return output
    target = output / bundle_file_name(label.session_id, label.machine)
    if os.path.lexists(target):
        # It may be this machine's very bundle, if somebody stands in the store.
        raise UsageError(
            "a file of that name is there already",
            where=str(target),
            todo="name it with -o to replace it",
        )
    return target


def _blocks(context: Context, local: LocalSession, label: Label) -> Iterator[bytes]:
    folder = sidecar_folder(local.path)
    try:
        with Snapshot(local.path, whole_lines=label.open) as snapshot:
            sources = [(path, partial(_settled, folder / path)) for path, _ in local.sidecar]
            packer = Packer(label, snapshot.blocks(), sources, settle=snapshot.settle)
            for piece in packer.pieces():
                context.check()
                yield piece.data
    except FileNotFoundError as error:
        raise SessionVanished("the session vanished", where=local.session_id) from error


def _settled(path: Path) -> Iterator[bytes]:
    with Snapshot(path) as snapshot:
        yield from snapshot.blocks()
        snapshot.settle()


def unpack(context: Context, file: Path, into: Path | None = None) -> Result:
    """Place the session of one .ccsync file, by the rules of a pull: nothing is lost over it.

    Args:
        context: what to work with.
        file: the bundle.
        into: the working directory it goes to where it isn't here yet; None for its project's.

    Raises:
        UsageError: the file can't be opened.
        BundleError: it is no whole bundle.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    bundle = _read(file)
    with context.working("unpacking"):
        view = StoreView({bundle.head.session_id: (bundle,)}, ())
        transport = FolderTransport(str(file.resolve().parent))
        context.use_store(Store(transport, context.cache, context.database, ""))
        survey = Survey(context, view)
        survey.all_are_rivals = True
        if into is not None:
            survey.into = into.resolve()
        return pull_surveyed(context, survey, [bundle.head.session_id])[0]


def _read(file: Path) -> Bundle:
    if file.suffix != SUFFIX or file.name.startswith("."):
        raise UsageError(
            "that file isn't named like a bundle", where=str(file), todo="name it *.ccsync"
        )
    try:
        with open_regular(file) as opened:
            stamp = stamp_of(os.fstat(opened.fileno()))
            front = opened.read(HEAD_SIZE)
            opened.seek(max(len(front), stamp.size - TAIL_SIZE))
            head = read_head(front, opened.read(TAIL_SIZE), stamp.size)
            if head is None:
                opened.seek(0)
                head = read_whole(iter(lambda: opened.read(BLOCK_SIZE), b"")).head
    except OSError as error:
        raise UsageError(
            "the file can't be read", where=f"{file}: {error.strerror}", todo="check the path"
        ) from error
    return Bundle(file.resolve().name, stamp, head)
