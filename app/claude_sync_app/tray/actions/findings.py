"""What the doctor found: shown, mended where a click can, left alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Finding
from claude_sync_app.desktop import clipboard
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.actions.autostart import start_at_login
from claude_sync_app.tray.actions.open_files import open_preferences
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.menu.model import Action
from claude_sync_app.tray.verbs import Verb

_TYPED = re.compile("`([^`]+)`")
_SESSION = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHOOSE_PLACE = ("Choose a place…", Action(Verb.CHOOSE_PLACE.value, detail="menu"))
_ACTIONS = {
    "not-set-up": _CHOOSE_PLACE,
    "store-private": _CHOOSE_PLACE,
    "paused": ("Resume syncing", Action(Verb.CONTINUE.value)),
    "conflict": ("Show", Action(Verb.SHOW_MENU.value)),
}


def show_finding(tray: TrayContext, code: str, title: str = "") -> None:
    """Say what a finding means and what mends it; of several with that code, the one so titled."""
    finding = _find(tray, code, title)
    todo = f"What to do: {finding.fix}" if finding.fix else ""
    text = "\n\n".join(one_line(part) for part in (finding.detail, todo) if part)
    dialogs = tray.dialogs
    fix = Action(Verb.FIX_FINDING.value, code, title)
    ignore = Action(Verb.IGNORE_FINDING.value, code)
    label = fix_label(finding)
    if dialogs is None:
        buttons = [(label, fix)] if label else []
        tray.notify(
            f"finding {code}", one_line(finding.title), text, [*buttons, ("Ignore", ignore)]
        )
        return
    offered = [(label, fix), ("Ignore", ignore)] if label else [("Ignore", ignore)]
    pressed = dialogs.choose_button(
        one_line(finding.title), text or one_line(finding.title), [name for name, _ in offered]
    )
    if pressed is not None:
        tray.click(offered[pressed][1])


def fix_label(finding: Finding) -> str:
    """What the button that mends a finding says; "" where a click can't do anything about it."""
    label, _ = _remedy(finding)
    return label


def fix_finding(tray: TrayContext, code: str, title: str = "") -> None:
    """Mend it where a click can; else hand over what mends it."""
    finding = _find(tray, code, title)
    _, fix = _remedy(finding)
    if fix is None:
        show_finding(tray, code, title)
    else:
        fix(tray)


def _remedy(finding: Finding) -> tuple[str, Callable[[TrayContext], None] | None]:
    """What mends a finding: what the button says, and what it does."""
    code = finding.code
    action = _ACTIONS.get(code)
    if action is not None:
        return action[0], lambda tray: tray.click(action[1])
    if code == "autostart-broken":
        return "Fix", _fix_autostart
    if code.startswith("preference"):
        return "Open preferences file", open_preferences
    typed = _TYPED.search(finding.fix)
    if typed is None:
        return "", None
    command = typed[1]
    verb, _, rest = command.removeprefix("claude-sync ").partition(" ")
    ids = rest.split()
    if verb in ("push", "pull") and ids and all(_SESSION.fullmatch(one) for one in ids):
        return f"{verb.capitalize()} now", lambda tray: tray.click(Action(verb, " ".join(ids)))
    return "Copy command", lambda tray: _copy_fix(tray, code, command)


def _fix_autostart(tray: TrayContext) -> None:
    start_at_login(on=True)
    tray.service.run_doctor()


def _copy_fix(tray: TrayContext, code: str, command: str) -> None:
    copied = clipboard.copy_text(command)
    title = "Copied; paste it into a terminal" if copied else "Type this in a terminal"
    tray.notify(f"fix {code}", title, command)


def set_ignored(tray: TrayContext, code: str, *, ignored: bool) -> None:
    """Say nothing of a finding any more, or again."""
    known = [one for one in tray.preferences.ignored_findings if one != code]
    tray.wait(tray.service.change(ignored_findings=[*known, code] if ignored else known))


def _find(tray: TrayContext, code: str, title: str) -> Finding:
    found = [finding for finding in tray.status.findings if finding.code == code]
    for finding in found:
        if not title or finding.title == title:
            return finding
    raise ClaudeSyncError("the doctor doesn't find that any more")
