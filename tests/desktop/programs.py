"""Programs that a desktop consists of, started for one test and ended by their number."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

import pytest

from programs import require_listed
from waiting import PATIENCE_SECONDS

T = TypeVar("T")

# The ordinary session bus starts services by itself, a notification daemon among them that would
# fight the test's own; this one starts none.
_BUS_CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class Programs:
    """Starts programs and ends them, the last first."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        output: IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        require_listed(arguments[0])
        program = subprocess.Popen(
            arguments,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.DEVNULL,
            stderr=output or subprocess.DEVNULL,
            start_new_session=True,
        )
        self._running.append(program)
        return program

    def start_announcing(self, arguments: Sequence[str]) -> str:
        """Start a program that writes a line to a descriptor, `{fd}`, once it is ready."""
        require_listed(arguments[0])
        reading, writing = os.pipe()
        program = subprocess.Popen(
            [argument.replace("{fd}", str(writing)) for argument in arguments],
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(writing)
        self._running.append(program)
        with open(reading, encoding="ascii") as file:
            return file.readline().strip()

    def end(self, program: subprocess.Popen[bytes]) -> None:
        self._running.remove(program)
        program.terminate()
        try:
            program.wait(5)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()

    def end_all(self) -> None:
        for program in reversed(list(self._running)):
            self.end(program)


class PrivateBus:
    """A message bus of the test's own; it can be ended and started again at its address."""

    def __init__(self, programs: Programs, folder: Path, name: str) -> None:
        self._programs = programs
        self._configuration = folder / f"{name}.conf"
        self._socket = folder / name
        self._configuration.write_text(_BUS_CONFIGURATION.format(socket=self._socket))
        self.address = f"unix:path={self._socket}"
        self._daemon: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        said = self._programs.start_announcing(
            [
                "dbus-daemon",
                f"--config-file={self._configuration}",
                "--nofork",
                "--nopidfile",
                "--print-address={fd}",
            ]
        )
        assert said.startswith(self.address)
        self._daemon = self._programs._running[-1]

    def end(self) -> None:
        assert self._daemon is not None
        self._programs.end(self._daemon)
        self._socket.unlink(missing_ok=True)


def start_display(programs: Programs, size: str = "1024x600x24") -> str:
    """Start a display without a screen; its name."""
    arguments = ["Xvfb", "-displayfd", "{fd}", "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    # Two that start at once may reach for the same number, and one of them gives up.
    number = programs.start_announcing(arguments) or programs.start_announcing(arguments)
    assert number
    return f":{number}"


def install(folder: Path, patch: pytest.MonkeyPatch, name: str, script: str) -> Path:
    """Put a program before all others on the PATH; where it lies."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    path = programs / name
    path.write_text(script)
    path.chmod(0o755)
    if os.environ["PATH"].split(":")[0] != str(programs):
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return path


class Heard(list[T]):
    """What a callback was called with; filled in another thread, read in the test's."""

    def __init__(self) -> None:
        super().__init__()
        self._more = threading.Condition()

    def __call__(self, value: T) -> None:
        with self._more:
            self.append(value)
            self._more.notify_all()

    def wait(self, count: int = 1, seconds: float = PATIENCE_SECONDS) -> list[T]:
        """All of them, once there are so many."""
        with self._more:
            assert self._more.wait_for(lambda: len(self) >= count, seconds), f"only {self!r}"
            return list(self)
