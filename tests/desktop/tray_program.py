"""The tray application as a process on a machine of the test's own, and what people see of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from claude_sync.state import preferences
from claude_sync.state.paths import Paths
from desktop.notification_servers import NotificationServer
from desktop.panel import Panel, Row
from desktop.programs import Programs
from machines import REMOTE, PlayedMachine, World
from repositories import bare_bones
from waiting import PATIENCE_SECONDS, until

STARTED_SECONDS = 20.0


class TrayMachine(PlayedMachine):
    """A machine whose claude-sync is started as a program, and so keeps its things where it must.

    Attributes:
        runtime: its session's runtime directory.
    """

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.runtime = self.home / ".run"
        self.runtime.mkdir(mode=0o700, parents=True)
        self.paths = Paths(
            self.home / ".config" / "claude-sync",
            self.home / ".local" / "state" / "claude-sync",
            self.runtime / "claude-sync",
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a program gets that runs on this machine."""
        return {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.runtime)}

    def set_up_alone(self) -> None:
        """Have a project and Claude's folders, and nothing of claude-sync."""
        bare_bones(self.project, REMOTE)
        for name in ("sessions", "projects"):
            (self.claude / name).mkdir(parents=True)


class Tray:
    """`claude-sync tray` on a machine.

    Args:
        programs: starts it, and ends it with the test.
        machine: where it runs.
        environment: what it gets beside the test's.
    """

    def __init__(
        self, programs: Programs, machine: TrayMachine, environment: Mapping[str, str] | None = None
    ) -> None:
        self.said = machine.home / "said"
        with self.said.open("wb") as said:
            self.process = programs.start(
                [sys.executable, "-m", "claude_sync_app", "tray"],
                {**machine.environment, **(environment or {})},
                output=said,
            )

    def end(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Ask it to end as the system does; its exit status."""
        self.process.terminate()
        return self.process.wait(seconds)

    def ended(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Its exit status, once it has ended by itself."""
        return self.process.wait(seconds)

    def words(self) -> str:
        """What it said on a terminal so far."""
        return self.said.read_text()


def row_beginning(panel: Panel, *beginnings: str) -> Row | None:
    """The entry that these beginnings of labels lead to; None where there is none."""
    row = panel.menu()
    for beginning in beginnings:
        found = [child for child in row.rows if child.label.startswith(beginning)]
        if not found:
            return None
        row = found[0]
    return row


def await_row(panel: Panel, *beginnings: str, seconds: float = PATIENCE_SECONDS) -> Row:
    """The same, as soon as it is there and can be clicked."""

    def found() -> Row | None:
        row = row_beginning(panel, *beginnings)
        return row if row is not None and row.properties.get("enabled", True) else None

    try:
        row = until(found, seconds=seconds)
    except AssertionError:
        raise AssertionError(f"no {beginnings} in {tree(panel.menu())}") from None
    assert row is not None
    return row


def click(panel: Panel, *beginnings: str) -> None:
    """Click the entry that these beginnings of labels lead to, once it can be."""
    panel.tell("clicked", await_row(panel, *beginnings).number)


def tree(row: Row, depth: int = 0) -> str:
    """A menu as text, for messages and for looking at it."""
    lines = []
    for child in row.rows:
        mark = "" if child.properties.get("enabled", True) else " (disabled)"
        lines.append(f"{'    ' * depth}{child.label}{mark}")
        if child.rows:
            lines.append(tree(child, depth + 1))
    return "\n".join(lines)


def prefer(machine: TrayMachine, **changes: object) -> None:
    """Change preferences on the disk, as an editor does."""
    preferences.change(machine.paths, **changes)


def await_notice(
    server: NotificationServer, words: str, seconds: float = PATIENCE_SECONDS
) -> dict[str, Any]:
    """The first notification that holds these words, as soon as it is shown."""

    def found() -> list[dict[str, Any]]:
        shown = list(server.shown)
        return [one for one in shown if words in f"{one['summary']}\n{one['body']}"]

    try:
        return until(found, seconds=seconds)[0]
    except AssertionError:
        raise AssertionError(f"no {words!r} in {list(server.shown)}") from None


def press(server: NotificationServer, notice: dict[str, Any], label: str) -> None:
    """Press the button of a notification that bears a label."""
    (key,) = [key for key, found in notice["actions"].items() if found == label]
    server.press(notice["number"], key)
