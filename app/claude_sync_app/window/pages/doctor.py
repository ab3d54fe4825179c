"""What the doctor found, with what fixes it as a button where a click can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Finding, Level
from claude_sync.values import NamedTuple
from claude_sync_app.desktop import clipboard
from claude_sync_app.desktop.autostart import start_at_login
from claude_sync_app.desktop.opening import open_path
from claude_sync_app.finding_fixes import FindingFix, FixKind, fix_of
from claude_sync_app.finding_names import named_finding
from claude_sync_app.tray.finding_filter import is_finding_ignored, listed_findings
from claude_sync_app.window.page import Answer, Asked, Page, Reply, Waiting, page, post
from claude_sync_app.window.results import results_answer

NAVIGATION = ("Doctor", "/doctor")

_ORDER = (Level.ERROR, Level.WARNING, Level.INFO)
_WORDS = {
    Level.ERROR: ("Error", "bad"),
    Level.WARNING: ("Warning", "warn"),
    Level.INFO: ("For your information", "plain"),
}


class _Shown(NamedTuple):
    """A finding as the page shows it: `named`, with sessions called by their titles."""

    finding: Finding
    named: Finding
    words: str
    tone: str
    fix: FindingFix
    is_ignored: bool


def _show(asked: Asked) -> Reply:
    status = asked.status
    found = sorted(listed_findings(status), key=lambda one: _ORDER.index(one.level))
    shown = [
        _Shown(
            finding,
            named_finding(finding, status.sessions),
            *_WORDS[finding.level],
            fix=fix_of(finding),
            is_ignored=is_finding_ignored(finding, status.preferences),
        )
        for finding in found
    ]
    values = {
        "page_path": "/doctor",
        "checkup": asked.services.checkup(status),
        "shown": [one for one in shown if not one.is_ignored],
        "ignored": [one for one in shown if one.is_ignored],
        "fine": [one for one in status.findings if one.level is Level.OK],
        "has_run": bool(status.findings),
    }
    return Page("doctor.html", "Doctor", values)


def _run(asked: Asked) -> Reply:
    def said(_: Any) -> Answer:
        return Answer("Checked everything again.", reload=True)

    return Waiting(asked.services.service.run_doctor(), said)


def _ignore(asked: Asked) -> Reply:
    code = asked.text("code", most=100)
    known = _without(asked.status.preferences.ignored_findings, code)
    if asked.flag("ignore"):
        known.append(code)
    future = asked.services.service.change(ignored_findings=known)
    return Waiting(future, lambda _: Answer(reload=True))


def _without(codes: Sequence[str], code: str) -> list[str]:
    return [one for one in codes if one != code]


def _fix(asked: Asked) -> Reply:
    """Do what fixes a finding; it is found anew, so that nothing a page sends is run."""
    finding = _find(asked)
    fix, service = fix_of(finding), asked.services.service
    if fix.kind is FixKind.STORE:
        return Answer(go="/settings/store")
    if fix.kind is FixKind.CONFLICTS:
        return Answer(go="/sessions?state=conflict")
    if fix.kind is FixKind.FOLDERS:
        return Answer(go="/sessions?state=unplaced")
    if fix.kind is FixKind.PREFERENCES:
        open_path(asked.services.paths.preferences_file)
        return Answer("Opened in your editor.")
    if fix.kind is FixKind.UNPAUSE:
        return Waiting(service.resume(), lambda _: Answer("Syncing again.", reload=True))
    if fix.kind in (FixKind.PUSH, FixKind.PULL):
        verb = service.push if fix.kind is FixKind.PUSH else service.pull
        return Waiting(
            verb(fix.argument.split()), lambda results: results_answer(asked.status, results)
        )
    if fix.kind is FixKind.COMMAND:
        copied = clipboard.copy_text(fix.argument)
        words = "Copied: paste it into a terminal." if copied else "Type it in a terminal."
        return Answer(words)
    _mend(fix)
    return Waiting(service.run_doctor(), lambda _: _after_mending(asked, finding))


def _mend(fix: FindingFix) -> None:
    if fix.kind is FixKind.AUTOSTART:
        start_at_login(on=True)
    elif fix.kind is FixKind.PLUGIN:
        from claude_sync_app.inside_client.installation import enable_plugin

        enable_plugin()
    else:
        raise ClaudeSyncError("a click can't fix that", todo="do what stands beside it")


def _after_mending(asked: Asked, finding: Finding) -> Answer:
    stands = any(one[:3] == finding[:3] for one in asked.status.findings)
    return Answer("That didn't fix it." if stands else "Fixed.", is_error=stands, reload=True)


def _find(asked: Asked) -> Finding:
    code, title = asked.text("code", most=100), asked.text("title", most=2000)
    for finding in asked.status.findings:
        if finding.code == code and finding.title == title:
            return finding
    raise ClaudeSyncError("the doctor doesn't find that any more", todo="load the page again")


ROUTES = (
    page("/doctor", _show),
    post("/doctor/run", _run),
    post("/doctor/fix", _fix),
    post("/doctor/ignore", _ignore),
)
