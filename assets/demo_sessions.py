"""Three made-up machines for pictures, with sessions of nobody's, in temporary homes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

HOUR, DAY = 3_600, 86_400
_VERSION = "2.1.330"
Turn = tuple[str, str]

ORDERS = "8f3b1c6a-4d2e-4f7b-9a51-0c6d2e9b7f10"
RAIN = "2c9e7a54-1b3d-4e8f-8d60-5a7c9b1e3f42"
RECIPES = "e4a90c37-5f1b-4d86-b2c7-0e9d3f6a8b14"
FIGURE = "b71d5e08-6c2a-4b94-9f3e-7d1a0c8e5b63"

_ORDERS: Sequence[Turn] = (
    (
        "Customers should be able to order bread a day ahead.",
        "I read `orders.py` and `opening_hours.json`. An order needs a day, and that day has to be "
        "one on which the bakery bakes.\n\nI'd add:\n\n1. `Order.day`, a date\n"
        "2. a check against the opening hours\n3. a choice of the next seven days in the form\n\n"
        "```python\ndef is_possible(order: Order, hours: OpeningHours) -> bool:\n"
        "    return order.day > date.today() and hours.bakes_on(order.day)\n```",
    ),
    (
        "Good. What happens on public holidays?",
        "They are in `opening_hours.json` under `closed`, so `bakes_on` knows them already. I "
        "added a test for Easter Monday.",
    ),
)
_OF_LAPTOP: Sequence[Turn] = (
    (
        "Send a confirmation by mail, too.",
        "Done: the customer gets one right away, with the day in words.",
    ),
)
_OF_STUDIO: Sequence[Turn] = (
    (
        "Half loaves can't be ordered ahead, leave them out.",
        "They are left out of the form now, and an order with one is refused.",
    ),
)
_RAIN: Sequence[Turn] = (
    (
        "The rain gauge is read every ten minutes. I need every minute.",
        "The loop slept for 600 seconds. The interval is a setting now, and set to 60.",
    ),
    ("Does the flash survive that many writes?", "It writes once an hour: readings are buffered."),
)
_FIGURE: Sequence[Turn] = (
    (
        "Redo figure 3 in colours that everybody can tell apart.",
        "I used the palette of Okabe and Ito, and different markers besides.",
    ),
)


class DemoMachine:
    """One made-up machine: a home with Claude Code's folder and projects in it.

    Args:
        root: where the homes are.
        name: what it is called in the shared folder.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.home = root / name
        self.runtime = self.home / ".run"
        self._trusted: dict[str, object] = {}
        for folder in (self.home / ".claude" / "sessions", self.runtime):
            folder.mkdir(parents=True, mode=0o700)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("XDG_")},
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *arguments: str, cwd: str = "") -> str:
        """Run claude-sync there; what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "claude_sync_app", *arguments],
            cwd=self.home / cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    def project(self, path: str) -> Path:
        """A clone of a project, as far as claude-sync looks at it."""
        folder = self.home / path
        folder.mkdir(parents=True)
        git = ["git", "-C", str(folder)]
        subprocess.run([*git, "init", "--quiet"], check=True)
        address = f"git@github.com:you/{folder.name}.git"
        subprocess.run([*git, "remote", "add", "origin", address], check=True)
        self._trusted[str(folder)] = {"hasTrustDialogAccepted": True}
        known = json.dumps({"projects": self._trusted})
        (self.home / ".claude.json").write_text(known, encoding="utf-8")
        return folder

    def says(
        self, path: str, session: str, turns: Sequence[Turn], *, title: str = "", ago: float = 0
    ) -> None:
        """Continue a session there, or begin it."""
        folder = self.home / path
        encoded = "".join(one if one.isalnum() else "-" for one in str(folder))
        transcript = self.home / ".claude" / "projects" / encoded / f"{session}.jsonl"
        transcript.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines: list[dict[str, object]] = []
        at = time.time() - ago
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))
        common = {"sessionId": session, "cwd": str(folder), "version": _VERSION, "timestamp": stamp}
        for asked, answered in turns:
            question, answer = str(uuid.uuid4()), str(uuid.uuid4())
            asks = {"role": "user", "content": asked}
            lines.append({"type": "user", "uuid": question, "message": asks, **common})
            text = [{"type": "text", "text": answered}]
            says = {"role": "assistant", "model": "claude-opus", "content": text}
            links = {"uuid": answer, "parentUuid": question}
            lines.append({"type": "assistant", **links, "message": says, **common})
        if title:
            lines.append({"type": "ai-title", "sessionId": session, "aiTitle": title})
        with transcript.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        transcript.chmod(0o600)
        os.utime(transcript, (at, at))


class Demo:
    """The machines laptop, studio and server, which share a folder.

    Args:
        root: an empty folder for their homes.
    """

    def __init__(self, root: Path) -> None:
        os.umask(0o077)
        self.laptop = DemoMachine(root, "laptop")
        self.studio = DemoMachine(root, "studio")
        self.server = DemoMachine(root, "server")
        shared = self.laptop.home / "Dropbox"
        shared.mkdir()
        for machine in (self.laptop, self.studio, self.server):
            if machine is not self.laptop:
                (machine.home / "Dropbox").symlink_to(shared)
            for name in ("bakery", "weather-station", "thesis"):
                machine.project(f"code/{name}")
            where = str(machine.home / "Dropbox" / "claude-sync")
            machine.run("init", where, "--name", machine.name, "--new")

    def fill(self) -> None:
        """Give each machine sessions, and share them."""
        laptop, studio, server = self.laptop, self.studio, self.server
        bakery, station, thesis = "code/bakery", "code/weather-station", "code/thesis"
        for number, (machine, path, title, ago) in enumerate(
            (
                (laptop, bakery, "Show the opening hours of each season", 9 * DAY),
                (server, station, "Draw last year's temperatures", 6 * DAY),
                (laptop, thesis, "Check every citation of chapter 2", 5 * DAY),
                (studio, bakery, "Fix the price of half loaves", 3 * DAY),
                (laptop, station, "Send a warning before frost", 2 * DAY),
                (studio, thesis, "Typeset the appendix in two columns", 30 * HOUR),
            )
        ):
            session = str(
                uuid.UUID(int=(0x3F2A91C4 + number * 0x1D0F3B27) << 96 | 4 << 76 | 8 << 60)
            )
            asked = f"{title}, please."
            machine.says(path, session, [(asked, "Done, with a test.")], title=title, ago=ago)
        laptop.says(bakery, ORDERS, _ORDERS, title="Let customers order a day ahead", ago=5 * HOUR)
        for machine in (laptop, studio, server):
            machine.run("push", "--all")
        for machine in (laptop, studio, server):
            machine.run("pull", "--all")
        studio.says(
            thesis, FIGURE, _FIGURE, title="Redo figure 3 for everybody's eyes", ago=40 * 60
        )
        studio.run("push", "--all")
        laptop.run("pull", "--all")

    def diverge(self) -> None:
        """Have one session go on on two machines."""
        self.studio.says("code/bakery", ORDERS, _OF_STUDIO, ago=50 * 60)
        self.studio.run("push", "--all")
        self.laptop.says("code/bakery", ORDERS, _OF_LAPTOP, ago=20 * 60)
        self.laptop.run("push", "--all")

    def begin_rain(self) -> None:
        """Have a session on the server that isn't pushed yet."""
        title = "Read the rain gauge every minute"
        self.server.says("code/weather-station", RAIN, _RAIN, title=title, ago=60)

    def arrive(self) -> None:
        """Have the studio push a session that the laptop lacks."""
        title = "Sort the recipes by season"
        asked = "Sort the recipes by season."
        answered = "Each recipe has a season now, and the list begins with this one."
        self.studio.says("code/bakery", RECIPES, [(asked, answered)], title=title, ago=60)
        self.studio.run("push", "--all")
