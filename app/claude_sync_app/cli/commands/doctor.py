"""``claude-sync doctor``"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from claude_sync.doctor import examine
from claude_sync.model import Finding, Level
from claude_sync.sync.context import Context
from claude_sync.wording import count
from claude_sync_app.cli.candidates import remembered_sessions
from claude_sync_app.cli.context import read_only_context
from claude_sync_app.cli.output import flush, is_terminal, print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE, FAILED
from claude_sync_app.cli.tables import print_table
from claude_sync_app.finding_names import names_a_session, titled_finding
from claude_sync_app.shown_text import one_line

# Of each level: a mark, one for terminals that know few characters, and a style.
_MARKS = {
    Level.ERROR: ("✗", "x", "bold red"),
    Level.WARNING: ("!", "!", "bold yellow"),
    Level.INFO: ("·", "-", "cyan"),
    Level.OK: ("✓", "+", "green"),
}
_WIDEST = 100


def configure(parser: Parser) -> None:
    parser.add_argument(
        "--deep",
        action="store_true",
        help="also write a test file to the shared folder, and check this machine's bundles",
    )
    parser.add_json()
    parser.describe(
        "Changes nothing; --deep removes its test file again. Exits with status 1 if there\n"
        "is an error. In a pipe: level, code, title, detail and fix, separated by tabs.",
        ("doctor", "is anything wrong, and how can it be fixed?"),
        ("doctor --deep", "the same, and is all that was pushed intact?"),
    )


def run(arguments: Namespace) -> int:
    from claude_sync_app.desktop.checks import checks

    with read_only_context() as context:
        findings = examine(context, deep=arguments.deep, checks=checks())
        on_terminal = is_terminal(sys.stdout) and not arguments.json
        shown = _named(context, findings) if on_terminal else findings
    if arguments.json:
        print_json({"findings": [finding_json(finding) for finding in findings]})
    elif on_terminal:
        _show(shown)
        print_line()
        print_line(_summary(findings))
    else:
        print_table(
            (), [(one.level.value, one.code, one.title, one.detail, one.fix) for one in findings]
        )
    return FAILED if any(finding.level is Level.ERROR for finding in findings) else DONE


def finding_json(finding: Finding) -> dict[str, str]:
    """A finding as programs read it."""
    return {
        "code": finding.code,
        "level": finding.level.value,
        "title": finding.title,
        "detail": finding.detail,
        "fix": finding.fix,
    }


def _named(context: Context, findings: Sequence[Finding]) -> Sequence[Finding]:
    """The findings as they are read on a terminal: with sessions called by their titles."""
    if not any(map(names_a_session, findings)):
        return findings
    titles = {session_id: title for session_id, (_, title) in remembered_sessions(context).items()}
    return [titled_finding(finding, titles) for finding in findings]


def _summary(findings: Sequence[Finding]) -> str:
    numbers = {level: sum(one.level is level for one in findings) for level in Level}
    found = [
        count(numbers[level], level.value)
        for level in (Level.ERROR, Level.WARNING)
        if numbers[level]
    ]
    return f"{' and '.join(found)}." if found else "Nothing is wrong."


def _show(findings: Sequence[Finding]) -> None:
    """Each with its mark; what is well takes one line if it can, so that the rest stands out."""
    flush()
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    known = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    width = min(console.width, _WIDEST)
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, plain, style = _MARKS[finding.level]
        text = Text()
        text.append(one_line(finding.title), style="bold" if finding.fix else "")
        if finding.level is Level.OK:
            beside = len(text) + len(finding.detail) < width - len("✓   ")
            text.append(f"{'  ' if beside else chr(10)}{one_line(finding.detail)}", style="dim")
        elif finding.detail:
            text.append(f"\n{one_line(finding.detail)}")
        if finding.fix:
            text.append("\nFix: ", style="dim")
            text.append(one_line(finding.fix))
        table.add_row(Text(mark if known else plain, style=style), text)
    console.print(table, width=width)
