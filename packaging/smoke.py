"""Pushes a session on one machine, pulls it on another and opens the window there, with a
claude-sync that is installed.

    python packaging/smoke.py COMMAND

The machines are two home directories in a temporary folder. Needs nothing but Python, on any
system. Says what was done; the exit status is 0 if the session arrived byte for byte.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SESSION = "3f2a91c4-7a1e-4a77-9d5e-000000000001"


class Machine:
    """A home directory with a project and Claude Code's folder."""

    def __init__(self, folder: Path, command: str) -> None:
        self.home = folder
        self.project = folder / "code" / "app"
        self.project.mkdir(parents=True)
        (folder / ".claude" / "sessions").mkdir(parents=True)
        encoded = re.sub("[^a-zA-Z0-9]", "-", str(self.project))
        self.transcript = folder / ".claude" / "projects" / encoded / f"{SESSION}.jsonl"
        self._command = command

    def run(self, *arguments: str) -> None:
        """Run a command to its end."""
        print(f"{self.home.name}: {' '.join(arguments)}", flush=True)
        subprocess.run(
            [self._command, *arguments],
            cwd=self.project,
            env=self._environment(),
            check=True,
            timeout=120,
        )

    def sees_in_window(self, words: str) -> bool:
        """Whether the first page of the window says this."""
        print(f"{self.home.name}: open --print", flush=True)
        with subprocess.Popen(
            [self._command, "open", "--print"],
            cwd=self.project,
            env=self._environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                return _says(process.stdout.readline().strip(), words)
            finally:
                process.terminate()

    def _environment(self) -> dict[str, str]:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("XDG_", "CLAUDE_", "PYTHON"))
        }
        environment |= {"HOME": str(self.home), "USERPROFILE": str(self.home)}
        local = {"APPDATA": "Roaming", "LOCALAPPDATA": "Local"}
        for name, part in local.items():
            environment[name] = str(self.home / "AppData" / part)
            # What asks Windows itself where they are is told here.
            environment[f"WIN_PD_OVERRIDE_{name.replace('LOCAL', 'LOCAL_')}"] = environment[name]
        return environment


def _says(address: str, words: str) -> bool:
    """Whether the window's first page says this, as soon as the first look is over."""
    host, _, token = address.removeprefix("http://").partition("/#")
    headers = {"Content-Type": "application/json", "Origin": f"http://{host}"}
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request("POST", "/enter", json.dumps({"token": token}), headers)
    answer = connection.getresponse()
    headers["Cookie"] = str(answer.headers["Set-Cookie"]).partition(";")[0]
    path = json.loads(answer.read())["go"]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        connection.request("GET", path, headers=headers)
        if words in connection.getresponse().read().decode():
            return True
        time.sleep(0.2)
    return False


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: smoke.py COMMAND", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(os.path.realpath(name))
        laptop, desktop = (Machine(folder / name, arguments[0]) for name in ("laptop", "desktop"))
        laptop.run("--version")
        text = "".join(
            json.dumps(
                {
                    "type": "user",
                    "uuid": f"u{number}",
                    "sessionId": SESSION,
                    "cwd": str(laptop.project),
                    "message": {"role": "user", "content": f"Frage {number}: ä"},
                },
                ensure_ascii=False,
            )
            + "\n"
            for number in range(3)
        )
        laptop.transcript.parent.mkdir(parents=True)
        laptop.transcript.write_bytes(text.encode())
        shared = folder / "shared"
        for machine, verb in ((laptop, "push"), (desktop, "pull")):
            machine.run("init", str(shared), "--name", machine.home.name)
            machine.run(verb)
        if not desktop.transcript.is_file() or desktop.transcript.read_bytes() != text.encode():
            print("the session didn't arrive as it was", file=sys.stderr)
            return 1
        if not desktop.sees_in_window(SESSION):
            print("the window doesn't show the session", file=sys.stderr)
            return 1
    print("the session arrived byte for byte, and the window shows it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
