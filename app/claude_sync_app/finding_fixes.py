"""What a click can do about what the doctor found. Pure."""

from __future__ import annotations

import re
from enum import Enum

from claude_sync.model import Finding
from claude_sync.values import NamedTuple

_TYPED = re.compile("`([^`]+)`")
_SESSION = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class FixKind(Enum):
    """How a finding is fixed."""

    NOTHING = "nothing"
    STORE = "store"
    CONFLICTS = "conflicts"
    FOLDERS = "folders"
    PREFERENCES = "preferences"
    UNPAUSE = "unpause"
    AUTOSTART = "autostart"
    PLUGIN = "plugin"
    PUSH = "push"
    PULL = "pull"
    COMMAND = "command"


class FindingFix(NamedTuple):
    """What the button says that fixes a finding, and what it does.

    Attributes:
        kind: how it is fixed.
        label: of the button; "" where a click can't do anything about it.
        argument: ids of sessions with a space between two, or the command to type.
    """

    kind: FixKind
    label: str
    argument: str = ""


_NOTHING = FindingFix(FixKind.NOTHING, "")
_CHOOSE_STORE = FindingFix(FixKind.STORE, "Choose shared folder…")
_SHOW_CONFLICTS = FindingFix(FixKind.CONFLICTS, "Show")
_FIXES = {
    "not-set-up": _CHOOSE_STORE,
    "store-private": _CHOOSE_STORE,
    "sessions-unplaced": FindingFix(FixKind.FOLDERS, "Choose folders…"),
    "paused": FindingFix(FixKind.UNPAUSE, "Resume syncing"),
    "conflict": _SHOW_CONFLICTS,
    "session-shortened": _SHOW_CONFLICTS,
    "autostart-broken": FindingFix(FixKind.AUTOSTART, "Fix"),
    "plugin-broken": FindingFix(FixKind.PLUGIN, "Fix"),
    "plugin-outdated": FindingFix(FixKind.PLUGIN, "Fix"),
}
_SYNCING = {"push": FixKind.PUSH, "pull": FixKind.PULL}


def fix_of(finding: Finding) -> FindingFix:
    """What a click can do about a finding."""
    if finding.code in _FIXES:
        return _FIXES[finding.code]
    if finding.code.startswith("preference"):
        return FindingFix(FixKind.PREFERENCES, "Open preferences file")
    typed = _TYPED.search(finding.fix)
    if typed is None:
        return _NOTHING
    command = typed[1]
    name, _, rest = command.removeprefix("claude-sync ").partition(" ")
    ids = rest.split()
    if name in _SYNCING and ids and all(_SESSION.fullmatch(one) for one in ids):
        return FindingFix(_SYNCING[name], f"{name.capitalize()} now", " ".join(ids))
    return FindingFix(FixKind.COMMAND, "Copy command", command)
