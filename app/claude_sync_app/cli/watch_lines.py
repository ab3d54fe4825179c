"""What ``claude-sync watch`` prints: one line for each event.

Titles are for a terminal only: elsewhere the output often ends in a system's journal, whose readers
need not see them."""

from __future__ import annotations

from collections import Counter

from claude_sync.model import Level, Outcome, Result, SessionState
from claude_sync.service.status import Status
from claude_sync.wording import count, join, replaces
from claude_sync_app.cli import results
from claude_sync_app.cli.output import print_error, print_line, print_note
from claude_sync_app.shown_text import ID_LENGTH, titled_id

_SERIOUS = (Level.WARNING, Level.ERROR)


class StatusPrinter:
    """Prints what is new in each Status, once.

    Args:
        pulls: whether what arrives is pulled without asking.
        titles: whether sessions are named by their titles.
    """

    def __init__(self, *, pulls: bool, titles: bool) -> None:
        self._pulls = pulls
        self._titles = titles
        self._before = Status()
        self._announced = ""
        self._last_event = 0
        self._arrived: set[tuple[str, str]] = set()
        self._failed: dict[str, str] = {}

    def print_news(self, now: Status) -> None:
        """Print what happened since the last Status."""
        before, self._before = self._before, now
        self._print_start(now)
        self._print_trouble(before, now)
        self._print_events(now)
        if now.sessions is not before.sessions or now.arrivals is not before.arrivals:
            self._print_arrivals(now)
            self._print_waiting(before, now)
        if now.findings is not before.findings:
            self._print_findings(before, now)

    def _print_start(self, now: Status) -> None:
        # Before what the first look leads to, which may come before that is over.
        begun = now.started or now.events
        if begun and now.location and now.location != self._announced:
            self._announced = now.location
            print_line(f"Watching. Sessions are shared through {now.label}. Ctrl-C ends it.")

    def _print_trouble(self, before: Status, now: Status) -> None:
        if now.offline_message and now.offline_message != before.offline_message:
            print_note(f"Waiting: {now.offline_message}.")
        elif before.offline_since is not None and now.offline_since is None and not now.error:
            print_line("The shared folder is there again.")
        if now.error and now.error != before.error and now.error not in self._failed.values():
            print_error(now.error)
        if now.paused_until is not None and before.paused_until is None:
            print_line("Paused: nothing is pushed or pulled until you resume.")
        elif now.paused_until is None and before.paused_until is not None:
            print_line("Resumed.")

    def _print_events(self, now: Status) -> None:
        for event in now.events:
            if event.number <= self._last_event:
                continue
            self._last_event = event.number
            news = [one for one in event.results if self._is_news(one)]
            if news:
                results.print_results(news, event.kind, now.label, named=True, titles=self._titles)

    def _is_news(self, result: Result) -> bool:
        """Whether a result is worth a line: the same failure again isn't."""
        if result.outcome is not Outcome.FAILED:
            self._failed.pop(result.session_id, None)
            return True
        known, self._failed[result.session_id] = (
            self._failed.get(result.session_id),
            result.message,
        )
        return known != result.message

    def _print_arrivals(self, now: Status) -> None:
        there = {(one.session_id, one.version.sha256): one for one in now.arrivals}
        new = [one for key, one in there.items() if key not in self._arrived]
        self._arrived = set(there)
        for one in new:
            if one.state.replaces:
                name = self._name(one.state)
                print_line(
                    f"{one.machine}'s {name} {replaces(one.state.replaces)}, so it waits for you: "
                    f"`claude-sync pull {one.session_id}`."
                )
        if not self._pulls:
            machines = Counter(one.machine for one in new if not one.state.replaces)
            for machine, number in sorted(machines.items()):
                print_line(f"{number} new from {machine}; pull with `claude-sync pull --all`.")

    def _print_waiting(self, before: Status, now: Status) -> None:
        states = {one.session_id: one for one in now.sessions}
        for session_id in sorted(set(now.deferred) - set(before.deferred)):
            state = states.get(session_id)
            name = self._name(state) if state is not None else session_id[:ID_LENGTH]
            print_line(
                f"{name} is newer on another machine and open here: it is pulled when closed."
            )
        known = {one.session_id for one in before.conflicts}
        for one in now.conflicts:
            if one.session_id in known:
                continue
            if one.shortened:
                print_line(
                    f"{self._name(one)}: {one.detail}; `claude-sync doctor` says what fixes that."
                )
            else:
                where = join(("this machine", *one.rivals) if one.path else one.rivals)
                print_line(
                    f"{self._name(one)} diverged on {where}: "
                    f"choose with `claude-sync resolve {one.session_id}`."
                )

    def _name(self, one: SessionState) -> str:
        return titled_id(one.title if self._titles else "", one.session_id)

    def _print_findings(self, before: Status, now: Status) -> None:
        known = {finding.code for finding in before.findings}
        serious = [
            finding
            for finding in now.findings
            if finding.level in _SERIOUS and finding.code not in known
        ]
        if serious:
            print_line(
                f"The doctor has {count(len(serious), 'finding')}; see `claude-sync doctor`:"
            )
            for finding in serious:
                print_line(f"  {finding.title}{f': {finding.fix}' if finding.fix else ''}")
