"""What the doctor found: shown, fixed where a click can, ignored."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Finding
from claude_sync_app.desktop import clipboard
from claude_sync_app.desktop.autostart import start_at_login
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.verbs import Action, Verb

_TYPED = re.compile("`([^`]+)`")
_SESSION = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHOOSE_STORE = ("Choose shared folder…", Action(Verb.CHOOSE_STORE, detail="menu"))
_SYNCING = {"push": Verb.PUSH, "pull": Verb.PULL}
_FIXES = {
    "not-set-up": _CHOOSE_STORE,
    "store-private": _CHOOSE_STORE,
    "paused": ("Resume syncing", Action(Verb.UNPAUSE)),
    "conflict": ("Show", Action(Verb.SHOW_MENU)),
    "session-shortened": ("Show", Action(Verb.SHOW_MENU)),
}


def show_finding(tray: TrayContext, action: Action) -> None:
    """Say what a finding means and what fixes it."""
    finding = _find(tray, action)
    todo = f"What to do: {finding.fix}" if finding.fix else ""
    text = "\n\n".join(one_line(part) for part in (finding.detail, todo) if part)
    title, label = one_line(finding.title), fix_label(finding)
    choices = [("Ignore", Action(Verb.IGNORE_FINDING, finding.code))]
    if label:
        choices.insert(0, (label, action._replace(verb=Verb.FIX_FINDING)))
    dialogs = tray.dialogs
    if dialogs is None:
        tray.notify(f"finding {finding.code}", title, text, choices)
        return
    pressed = dialogs.choose_button(title, text or title, [name for name, _ in choices])
    if pressed is not None:
        tray.click(choices[pressed][1])


def fix_label(finding: Finding) -> str:
    """What the button that fixes a finding says; "" if a click can't do anything about it."""
    label, _ = _fix(finding)
    return label


def fix_finding(tray: TrayContext, action: Action) -> None:
    """Fix it where a click can; else hand over what fixes it."""
    _, fix = _fix(_find(tray, action))
    if fix is None:
        show_finding(tray, action)
    else:
        fix(tray)


def ignore_finding(tray: TrayContext, action: Action) -> None:
    """Warn no more of findings with that code."""
    known = tray.preferences.ignored_findings
    tray.wait(tray.service.change(ignored_findings=[*_without(known, action), action.subject]))


def stop_ignoring_finding(tray: TrayContext, action: Action) -> None:
    """Warn of them again."""
    known = tray.preferences.ignored_findings
    tray.wait(tray.service.change(ignored_findings=_without(known, action)))


def _without(ignored: Sequence[str], action: Action) -> list[str]:
    return [code for code in ignored if code != action.subject]


def _find(tray: TrayContext, action: Action) -> Finding:
    """The finding that an action is about.

    Raises:
        ClaudeSyncError: it isn't there any more.
    """
    for finding in tray.status.findings:
        if finding.code == action.subject and action.detail in ("", finding.title):
            return finding
    raise ClaudeSyncError("the doctor doesn't find that any more")


# --- what a click can do about it --------------------------------------------------------------


def _fix(finding: Finding) -> tuple[str, Callable[[TrayContext], None] | None]:
    """What the button says that fixes a finding, and what it does."""
    code = finding.code
    if code in _FIXES:
        label, action = _FIXES[code]
        return label, _clicking(action)
    if code == "autostart-broken":
        return "Fix", _fix_autostart
    if code in ("plugin-broken", "plugin-outdated"):
        return "Fix", _fix_plugin
    if code.startswith("preference"):
        return "Open preferences file", _clicking(Action(Verb.OPEN_PREFERENCES))
    typed = _TYPED.search(finding.fix)
    if typed is None:
        return "", None
    command = typed[1]
    name, _, rest = command.removeprefix("claude-sync ").partition(" ")
    ids = rest.split()
    if name in _SYNCING and ids and all(_SESSION.fullmatch(one) for one in ids):
        return f"{name.capitalize()} now", _clicking(Action(_SYNCING[name], " ".join(ids)))
    return "Copy command", lambda tray: _copy_fix(tray, code, command)


def _clicking(action: Action) -> Callable[[TrayContext], None]:
    return lambda tray: tray.click(action)


def _fix_autostart(tray: TrayContext) -> None:
    start_at_login(on=True)
    tray.service.run_doctor()


def _fix_plugin(tray: TrayContext) -> None:
    from claude_sync_app.inside_client.installation import enable_plugin

    enable_plugin()
    tray.service.run_doctor()


def _copy_fix(tray: TrayContext, code: str, command: str) -> None:
    copied = clipboard.copy_text(command)
    title = "Copied; paste it into a terminal" if copied else "Type this in a terminal"
    tray.notify(f"fix {code}", title, command)
