"""Which bundles extend what lies here, where bytes cost: asked for all sessions in one round trip.

A bundle that begins with the whole transcript here extends it. The store's host hashes that much of
the encoded transcript and sends only the hash. Where it is the right one that is remembered, and
nobody need ask again; where it isn't, nothing was found out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator

from claude_sync.bundle.codec import encode
from claude_sync.disk.snapshot import Snapshot, blocks_of, stamp_of
from claude_sync.errors import SessionError, StoreOffline, TransportError
from claude_sync.model import Bundle, LocalSession, Version
from claude_sync.sync.context import Context
from claude_sync.sync.survey.comparisons import remember_extension
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple


class _Question(NamedTuple):
    """Whether a bundle begins with so many bytes, encoded, of that hash."""

    bundle: Bundle
    version: Version
    size: int
    sha256: str


def learn_extensions(context: Context, survey: Survey, sessions: Iterable[str]) -> None:
    """Remember which bundles extend the transcripts of these sessions that lie here.

    Raises:
        StoreOffline: the store is gone.
    """
    if not context.store.remote:
        return
    questions = [
        question for session_id in sessions for question in _questions(context, survey, session_id)
    ]
    if not questions:
        return
    try:
        answers = context.store.prefix_digests([(one.bundle, one.size) for one in questions])
    except StoreOffline:
        raise
    except TransportError:
        return  # Whoever needs to know asks again, and says so.
    with context.database.transaction():
        for question, answer in zip(questions, answers, strict=True):
            if answer == question.sha256:
                remember_extension(context.records, question.bundle.head.version, question.version)


def _questions(context: Context, survey: Survey, session_id: str) -> Iterator[_Question]:
    copies = survey.local.get(session_id, ())
    if len(copies) != 1 or survey.cheap_outcome(session_id) is not None:
        return
    [local] = copies
    longer = [
        bundle
        for bundle in survey.bundles.get(session_id, ())
        if bundle.head.size > local.stamp.size
    ]
    try:
        version = survey.version(local) if longer else None
    except SessionError:
        return  # Whoever looks at this session meets it again, and says so.
    if version is None or not version.size:
        return
    records = context.records
    unknown = [
        bundle
        for bundle in longer
        if bundle.head.start
        and records.relation(bundle.head.version, version) is None
        and records.relation(version, bundle.head.version) is None
    ]
    if unknown and (known := _encoded(context, local, version)) is not None:
        for bundle in unknown:
            yield _Question(bundle, version, *known)


def _encoded(context: Context, local: LocalSession, version: Version) -> tuple[int, str] | None:
    """Size and SHA-256 of a version's encoding; None where it no longer lies here."""
    digest, size = hashlib.sha256(), 0
    try:
        with Snapshot(local.path) as snapshot:
            snapshot.file.seek(0)
            for block in encode(blocks_of(snapshot.file, version.size)):
                context.check()
                digest.update(block)
                size += len(block)
        unchanged = stamp_of(os.lstat(local.path)) == local.stamp
    except OSError:
        return None
    return (size, digest.hexdigest()) if unchanged else None
