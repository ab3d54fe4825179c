"""Asking whether a newer version was published: once a day, and told once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from claude_sync_app.newer_version import newer_version

DAY = 86_400


class Publisher:
    """A server that answers as planned, and counts how often it was asked."""

    def __init__(self) -> None:
        self.answer: bytes = b""
        self.requests: list[dict[str, str]] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.requests.append(dict(self.headers.items()))
                self.send_response(200)
                self.send_header("Content-Length", str(len(publisher.answer)))
                self.end_headers()
                self.wfile.write(publisher.answer)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/latest"
        self._thread = threading.Thread(target=self.server.serve_forever, name="publisher")
        self._thread.start()

    def publish(self, tag: object) -> None:
        self.answer = json.dumps({"tag_name": tag, "body": "x"}).encode()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    one = Publisher()
    yield one
    one.close()


def test_it_is_asked_once_a_day_and_told_once(publisher: Publisher, tmp_path: Path) -> None:
    memory = tmp_path / "newer_version.json"

    def asked(now: float) -> str:
        return newer_version(memory, now, publisher.address, "0.9.1")

    publisher.publish("v0.9.1")
    assert asked(0) == ""
    publisher.publish("v0.10.0")
    assert asked(DAY - 1) == ""
    assert len(publisher.requests) == 1
    assert asked(DAY) == "0.10.0"
    assert asked(2 * DAY) == ""
    publisher.publish("0.10.1")
    assert asked(3 * DAY) == "0.10.1"
    # A clock that was set back doesn't silence it for ever.
    publisher.publish("v1.0")
    assert asked(DAY) == "1.0"
    assert len(publisher.requests) == 5
    sent = {name for request in publisher.requests for name in request}
    assert sent <= {"Accept", "Accept-Encoding", "Connection", "Host", "User-Agent"}
    assert publisher.requests[0]["User-Agent"] == "claude-sync"


@pytest.mark.parametrize(
    "tag", [None, 7, "", "v", "latest", "v1.0\n2", "v1.0 <b>", "٣.٠", "1" * 9 + ".0", "v0.9.0"]
)
def test_what_is_no_newer_number_is_not_shown(
    publisher: Publisher, tmp_path: Path, tag: object
) -> None:
    publisher.publish(tag)
    assert newer_version(tmp_path / "memory", 0, publisher.address, "0.9.1") == ""
    assert len(publisher.requests) == 1


@pytest.mark.parametrize("answer", [b"", b"[]", b"[" * 100_000, b"{" + b" " * (1 << 21)])
def test_an_answer_of_another_kind_is_none(
    publisher: Publisher, tmp_path: Path, answer: bytes
) -> None:
    publisher.answer = answer
    assert newer_version(tmp_path / "memory", 0, publisher.address) == ""


def test_without_an_answer_it_waits_for_another_day(publisher: Publisher, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    with pytest.raises(OSError, match=r".+"):
        newer_version(memory, 0, "http://127.0.0.1:9/nobody")
    publisher.publish("v99.0")
    assert newer_version(memory, 60, publisher.address) == ""
    assert publisher.requests == []


def test_who_cannot_remember_does_not_ask(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish("v99.0")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r".+"):
        newer_version(tmp_path / "file" / "memory", 0, publisher.address)
    assert publisher.requests == []
