"""A session as one portable file, written and read without a store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from claude_sync.bundle.file_names import SUFFIX
from claude_sync.bundle.head import HEAD_SIZE, TAIL_SIZE, read_head
from claude_sync.bundle.unpack import read_whole
from claude_sync.disk import files
from claude_sync.disk.snapshot import BLOCK_SIZE, open_regular, stamp_of
from claude_sync.errors import UsageError
from claude_sync.model import Bundle, LocalSession, ProjectKey
from claude_sync.store.packing import Outgoing, Packing
from claude_sync.sync.bundles.label import label_of
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey


def write_portable(
    context: Context, survey: Survey, local: LocalSession, *, project: ProjectKey, target: Path
) -> None:
    """Pack a session into a file of its own; one that lies there is replaced.

    Args:
        context: what to work with.
        survey: what was seen.
        local: the session.
        project: where it belongs.
        target: the file.

    Raises:
        UsageError: the file can't be written.
        SessionError: the session changes too fast, or vanished.
        Stopped: `context` said so.
    """
    label = label_of(
        context,
        survey,
        local,
        project=project,
        revision=max(1, survey.record(local.session_id).revision),
        mtime_ns=survey.row(local).stamp.mtime_ns,
    )
    outgoing = Outgoing(target.name, local, label, expected=None, whole_lines=label.open)
    try:
        files.replace(target, _blocks(outgoing, context))
    except OSError as error:
        raise UsageError(
            "the file can't be written",
            where=f"{target}: {error.strerror}",
            todo="choose another with -o",
        ) from error


def _blocks(outgoing: Outgoing, context: Context) -> Iterator[bytes]:
    for block in Packing(outgoing, context.check).blocks():
        yield block.data


def read_portable(file: Path) -> Bundle:
    """What a portable file says of itself, named by its name alone.

    Raises:
        UsageError: it can't be opened, or isn't named like a bundle.
        BundleError: it is no whole bundle.
    """
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
