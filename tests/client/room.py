"""A room without a way out: a network of its own, the stand-in for the API, and terminals.

The terminals are tmux's, whose server is the room's first process: it ends all that runs in them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from client.stand_in_api import ANSWERS, REQUESTS
from end_to_end.machine import COMMAND, Machine
from waiting import PATIENCE_SECONDS, until

PORT = 8111
COLUMNS, ROWS = 120, 50
KEY = "dummy-key"
MODEL = "claude-haiku-4-5"
"""One that the client gives its tools for tasks."""

_REST_SECONDS = 1.0
_ENTER = "ip link set lo up && exec tmux -D -f /dev/null -S {socket}"
_SETTINGS = {"permissions": {"allow": ["Bash", "Edit", "Write", "TaskCreate", "TaskList"]}}


class Room:
    """What is in it; `entered` makes one.

    Args:
        folder: for the socket of the terminals and the files of the stand-in.
        client: the client's program.
    """

    def __init__(self, folder: Path, client: Path) -> None:
        self.folder = folder
        self.client = client
        self.socket = folder / "tmux"
        self._answers: dict[str, Sequence[Any]] = {}
        self.answers({})

    def answers(self, more: dict[str, Sequence[Any]]) -> None:
        """Have what a person says answered by these steps; see `stand_in_api`."""
        self._answers |= more
        draft = self.folder / "draft"
        draft.write_text(json.dumps(self._answers))
        draft.replace(self.folder / ANSWERS)

    def requests(self) -> list[Any]:
        """What the client has sent so far."""
        log = self.folder / REQUESTS
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def tmux(self, *arguments: str | Path) -> str:
        """Tell the terminals something; what they answer."""
        done = subprocess.run(
            ["tmux", "-S", self.socket, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def alone() -> list[str]:
    """What a command begins with that is to run in a network of its own."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--net", *as_root]


@contextmanager
def entered(folder: Path, client: Path) -> Iterator[Room]:
    """Make a room, and leave nothing of it."""
    room = Room(folder, client)
    server = subprocess.Popen(
        [*alone(), "sh", "-c", _ENTER.format(socket=room.socket)], stdin=subprocess.DEVNULL
    )
    try:
        until(lambda: room.socket.exists() or server.poll() is not None)
        assert server.poll() is None, "a network of its own can't be made here"
        api = [sys.executable, Path(__file__).with_name("stand_in_api.py"), str(PORT), folder]
        room.tmux("new-session", "-d", "-s", "api", *map(str, api))
        yield room
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)


class Desk:
    """A machine with a terminal in the room, before which a person sits.

    Args:
        room: where.
        machine: its home and project.
    """

    def __init__(self, room: Room, machine: Machine) -> None:
        self.room = room
        self.machine = machine
        programs = machine.home / "programs"
        programs.mkdir()
        (programs / "claude").symlink_to(room.client)
        (machine.claude / "settings.json").write_text(json.dumps(_SETTINGS))
        self._write_client_state([])
        environment = machine.environment(
            {
                "ANTHROPIC_API_KEY": KEY,
                "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{PORT}",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "DISABLE_AUTOUPDATER": "1",
                "DISABLE_TELEMETRY": "1",
                "PATH": os.pathsep.join([str(programs), str(COMMAND.parent), os.environ["PATH"]]),
                "TERM": "xterm-256color",
            }
        )
        # Not by tmux's own option: of the PATH it takes the one of whoever starts the terminal.
        variables = (f"{name}={value}" for name, value in environment.items())
        self._within = ("-c", str(machine.project), "env", *variables)
        size = ("-x", str(COLUMNS), "-y", str(ROWS))
        room.tmux("new-session", "-d", "-s", machine.name, *size, *self._within, "sh")
        until(lambda: self.screen().strip())

    @property
    def project(self) -> Path:
        """The directory of its project."""
        return self.machine.project

    def close(self) -> None:
        """End what runs in the terminal, and the terminal."""
        self.room.tmux("kill-session", "-t", self.machine.name)

    def keeps_running(self, *command: str) -> None:
        """Have a program run in a terminal that nobody looks at."""
        self.room.tmux("new-session", "-d", *self._within, *command)

    def trusts(self, *directories: Path) -> None:
        """Have a person trust directories, as the client remembers it."""
        self._write_client_state(directories)

    def _write_client_state(self, trusted: Sequence[Path]) -> None:
        state = {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
            "projects": {str(one): {"hasTrustDialogAccepted": True} for one in trusted},
        }
        (self.machine.home / ".claude.json").write_text(json.dumps(state))

    # -- the terminal -------------------------------------------------------------------------

    def screen(self) -> str:
        """What stands on the screen."""
        return self.room.tmux("capture-pane", "-p", "-J", "-t", self.machine.name)

    def sees(self, *words: str) -> str:
        """Wait until all of these stand on the screen; the whole of it then."""
        try:
            return until(self.screen, lambda screen: all(word in screen for word in words))
        except AssertionError:
            raise AssertionError(f"no {words} on the screen:\n{self.screen()}") from None

    def sees_one_of(self, *words: str) -> str:
        """The same for any of them."""
        return until(self.screen, lambda screen: any(word in screen for word in words))

    def types(self, text: str) -> None:
        """Type a line."""
        self.room.tmux("send-keys", "-t", self.machine.name, "-l", text)
        self.sees(text)
        self.presses("Enter")

    def presses(self, *keys: str) -> None:
        """Press keys, by the names that tmux has for them."""
        self.room.tmux("send-keys", "-t", self.machine.name, *keys)

    def answers(self, question: str, *words: str, choose: str = "") -> str:
        """Answer a question with Enter; what stands on the screen afterwards, with words.

        A dialog that was just opened hears nothing for a moment, and begins anew if one types into
        it: so it is answered until it is gone, each time with the screen at rest.

        Args:
            question: what stands there as long as it is asked.
            words: what stands there then.
            choose: which answer has to be chosen first; "" for the one that is.
        """
        self.sees(question)
        end = time.monotonic() + PATIENCE_SECONDS
        while question in (before := self.at_rest()):
            assert time.monotonic() < end, before
            self.presses("Enter" if f"❯ {choose}" in before else "Down")
        return self.sees(*words)

    def at_rest(self) -> str:
        """What stands on the screen once nothing on it has changed for a while."""
        last, since = self.screen(), time.monotonic()

        def rested() -> bool:
            nonlocal last, since
            if (now := self.screen()) != last:
                last, since = now, time.monotonic()
            return time.monotonic() - since > _REST_SECONDS

        until(rested)
        return last

    def runs(self, line: str, *words: str) -> str:
        """Type a line into the shell, on a screen that is clear; what stands there, with words.

        What is typed before the client has let go of the terminal is lost.
        """
        until(self.screen, lambda screen: screen.rstrip().endswith(("#", "$")))
        self.presses("-R")  # which makes the terminal as it was at first
        self.types(line)
        return self.sees(*words)
