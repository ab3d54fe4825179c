"""What the doctor found: shown, fixed where a click can, ignored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Finding
from claude_sync_app.desktop import clipboard
from claude_sync_app.desktop.autostart import start_at_login
from claude_sync_app.finding_fixes import FixKind, fix_of
from claude_sync_app.finding_names import named_finding
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.finding_filter import is_finding_ignored, listed_findings
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import CONFLICTS, DOCTOR, STORE, UNPLACED, open_window

_CLICKS = {
    FixKind.STORE: open_window(STORE),
    FixKind.CONFLICTS: open_window(CONFLICTS),
    FixKind.FOLDERS: open_window(UNPLACED),
    FixKind.PREFERENCES: Action(Verb.OPEN_PREFERENCES),
    FixKind.UNPAUSE: Action(Verb.UNPAUSE),
}
_SYNCING = {FixKind.PUSH: Verb.PUSH, FixKind.PULL: Verb.PULL}


def ask_about_findings(tray: TrayContext) -> None:
    """Show one finding after the other, where no window can be opened."""
    found = listed_findings(tray.status)
    if not found:
        tray.notify("doctor", "The doctor finds nothing wrong")
    for finding in found:
        if not _show(tray, finding):
            break


def _show(tray: TrayContext, finding: Finding) -> bool:
    """Say what a finding means and what fixes it; whether to go on to the next."""
    named = named_finding(finding, tray.status.sessions)
    todo = f"What to do: {finding.fix}" if finding.fix else ""
    text = "\n\n".join(one_line(part) for part in (named.detail, todo) if part)
    title, label = one_line(named.title), fix_of(finding).label
    choices = [("Ignore", Action(Verb.IGNORE_FINDING, finding.code))]
    if is_finding_ignored(finding, tray.preferences):
        choices = [("Warn of it again", Action(Verb.STOP_IGNORING_FINDING, finding.code))]
    if label:
        choices.insert(0, (label, Action(Verb.FIX_FINDING, finding.code, finding.title)))
    dialogs = tray.dialogs
    if dialogs is None:
        tray.notify(f"finding {finding.code}", title, text, choices)
        return True
    pressed = dialogs.choose_button(title, text or title, [name for name, _ in choices])
    if pressed is not None:
        tray.click(choices[pressed][1])
    return pressed is not None


def fix_finding(tray: TrayContext, action: Action) -> None:
    """Fix it where a click can; else hand over what fixes it."""
    finding = _find(tray, action)
    fix = fix_of(finding)
    if fix.kind in _CLICKS:
        tray.click(_CLICKS[fix.kind])
    elif fix.kind in _SYNCING:
        tray.click(Action(_SYNCING[fix.kind], fix.argument))
    elif fix.kind is FixKind.COMMAND:
        _copy_fix(tray, finding.code, fix.argument)
    elif fix.kind is FixKind.AUTOSTART:
        _fix_and_say(tray, finding, _enable_autostart)
    elif fix.kind is FixKind.PLUGIN:
        _fix_and_say(tray, finding, _enable_plugin)
    else:
        tray.click(open_window(DOCTOR))


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


# --- fixing ------------------------------------------------------------------------------------


def _fix_and_say(tray: TrayContext, finding: Finding, fix: Callable[[], object]) -> None:
    """Fix it, have the doctor look again, and say what became of it."""
    fix()
    tray.wait(tray.service.run_doctor())
    stands = any(one[:3] == finding[:3] for one in tray.status.findings)
    title = "That didn't fix it" if stands else "Fixed"
    body = one_line(named_finding(finding, tray.status.sessions).title)
    click = open_window(DOCTOR) if stands else None
    tray.notify(f"fix {finding.code}", title, body, click=click)


def _enable_autostart() -> None:
    start_at_login(on=True)


def _enable_plugin() -> None:
    from claude_sync_app.inside_client.installation import enable_plugin

    enable_plugin()


def _copy_fix(tray: TrayContext, code: str, command: str) -> None:
    copied = clipboard.copy_text(command)
    title = "Copied; paste it into a terminal" if copied else "Type this in a terminal"
    tray.notify(f"fix {code}", title, command)
