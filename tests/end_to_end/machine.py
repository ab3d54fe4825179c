"""Machines played through the installed command: each a home directory and a project of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from claude_sync.claude.home import encode_directory
from machines import CLIENT_VERSION
from repositories import repository
from waiting import PATIENCE_SECONDS

COMMAND = Path(
    sysconfig.get_path("scripts"), "claude-sync.exe" if os.name == "nt" else "claude-sync"
)
SESSION = "3f2a91c4-7a1e-4a77-9d5e-000000000001"
OTHER = "91c43f2a-7a1e-4a77-9d5e-000000000002"


class Done(NamedTuple):
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


class Machine:
    """One machine.

    Args:
        home: its home directory.
        remote: its project's remote as it is spelled here, None for none.
        project: the project's directory below the home.

    Attributes:
        claude: Claude Code's folder.
        project: the project's directory.
    """

    def __init__(self, home: Path, remote: str | None, project: str = "code/app") -> None:
        self.home = home
        self.name = home.name
        self.claude = home / ".claude"
        self.project = repository(home / project, remote)
        # As clients do now; without it whatever changed a minute ago counts as open.
        (self.claude / "sessions").mkdir(parents=True)
        (home / ".run").mkdir(mode=0o700)

    # -- the command --------------------------------------------------------------------------

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a process on this machine sees."""
        of_the_home = {
            "HOME": self.home,
            "USERPROFILE": self.home,
            "APPDATA": self.home / "AppData" / "Roaming",
            "LOCALAPPDATA": self.home / "AppData" / "Local",
            "WIN_PD_OVERRIDE_APPDATA": self.home / "AppData" / "Roaming",
            "WIN_PD_OVERRIDE_LOCAL_APPDATA": self.home / "AppData" / "Local",
            "XDG_RUNTIME_DIR": self.home / ".run",
        }
        environment = {**os.environ, **{name: str(path) for name, path in of_the_home.items()}}
        del environment["PYTHONPATH"]  # the command is what was installed
        environment.pop("PYTHONUNBUFFERED", None)  # and buffers as it does for its users
        return {**environment, **(more or {})}

    def run(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        typed: str = "",
    ) -> Done:
        """Run the command to its end, in the project's directory unless another is named."""
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            cwd=cwd or self.project,
            env=self.environment(environment),
            input=typed.encode(),
            capture_output=True,
            timeout=PATIENCE_SECONDS,
        )
        out, err = (said.decode().replace("\r\n", "\n") for said in (done.stdout, done.stderr))
        assert "Traceback" not in err, err
        assert "because of a bug" not in err, self.log()
        return Done(done.returncode, out, err)

    def does(self, *arguments: str | Path, **more: Any) -> str:
        """Run the command, which must do what it is told; what it said."""
        done = self.run(*arguments, **more)
        assert (done.status, done.err) == (0, ""), done
        return done.out

    def fails(self, *arguments: str | Path, **more: Any) -> str:
        """Run the command, which must say one sentence that ends with status 1; the sentence."""
        done = self.run(*arguments, **more)
        assert done.status == 1, done
        return one_sentence(done)

    def misuses(self, *arguments: str | Path, **more: Any) -> str:
        """The same for what ends with status 2."""
        done = self.run(*arguments, **more)
        assert done.status == 2, done
        return one_sentence(done)

    def document(self, *arguments: str | Path) -> Any:
        """The document that a command prints with ``--json``, which must succeed."""
        return json.loads(self.does(*arguments, "--json"))

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start the command and let it run."""
        return subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            cwd=self.project,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def state(self) -> Path:
        """Where claude-sync keeps what belongs to this machine, wherever this system wants it."""
        return next(path.parent for path in self.home.rglob("records") if path.is_dir())

    def log(self) -> str:
        """What the log says."""
        return "".join(path.read_text() for path in self.home.rglob("claude-sync.log"))

    # -- Claude's tree ------------------------------------------------------------------------

    def path(self, session: str = SESSION, directory: Path | None = None) -> Path:
        """A session's transcript, in the folder of the project or of another directory."""
        folder = encode_directory(os.path.realpath(directory or self.project))
        return self.claude / "projects" / folder / f"{session}.jsonl"

    def says(self, text: str, session: str = SESSION, directory: Path | None = None) -> bytes:
        """Append what a client would to a transcript; the whole of it afterwards."""
        path = self.path(session, directory)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        event = {
            "type": "user",
            "uuid": os.urandom(8).hex(),
            "version": CLIENT_VERSION,
            "cwd": os.path.realpath(directory or self.project),
            "message": {"content": text},
        }
        with path.open("ab") as file:
            file.write(json.dumps(event, ensure_ascii=False).encode() + b"\n")
        return path.read_bytes()

    def read(self, session: str = SESSION, directory: Path | None = None) -> bytes:
        """A transcript's bytes."""
        return self.path(session, directory).read_bytes()

    def open(self, session: str = SESSION) -> Path:
        """Have this machine's client open a session; its live file."""
        live = self.claude / "sessions" / f"{os.getpid()}.json"
        live.write_text(
            json.dumps({"pid": os.getpid(), "sessionId": session, "updatedAt": 1 << 50})
        )
        return live

    def sessions(self) -> list[str]:
        """Ids of all transcripts that lie here."""
        return sorted(path.stem for path in self.claude.glob("projects/*/*.jsonl"))


def one_sentence(done: Done) -> str:
    """The one line that an error is: what happened, and mostly what to do; nothing on stdout."""
    lines = done.err.splitlines()
    assert len(lines) == 1, done
    assert done.out == "", done
    program, _, sentence = lines[0].partition(": ")
    assert program == "claude-sync", done
    assert not sentence.endswith("."), done
    return sentence


def interrupt(process: subprocess.Popen[bytes]) -> Done:
    """Press Ctrl-C, and wait for the end."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Done(process.returncode, out.decode(), err.decode())


def called(title: str, session: str = SESSION) -> str:
    """A session as people are told of it."""
    return f"“{title}” ({session[:8]})"


def outcomes(document: Any) -> dict[str, str]:
    """What became of each session, out of the document of a push or a pull."""
    return {result["session_id"]: result["outcome"] for result in document["results"]}


def ids(results: Sequence[Any]) -> list[str]:
    """The sessions of a list of results or states, in its order."""
    return [result["session_id"] for result in results]
