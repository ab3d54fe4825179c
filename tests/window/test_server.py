"""The window's server as a stranger on the same machine meets it, and its end."""

from __future__ import annotations

import gc
import http.client
import json
import socket
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from claude_sync.service.service import Service
from claude_sync_app.window.guard import HEADERS
from claude_sync_app.window.opening import Window
from claude_sync_app.window.page import Asked, Reply, page, post
from claude_sync_app.window.pages import doctor
from machines import SESSION, PlayedMachine, said
from waiting import PATIENCE_SECONDS, until


class Caller:
    """Somebody who speaks HTTP to the window."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.token = parts.netloc, parts.fragment
        self.origin = f"http://{self.host}"
        self.headers: dict[str, str] = {}

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The status, the headers and the body of an answer."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE_SECONDS)
        given = {"Origin": self.origin, "Content-Type": "application/json", **self.headers}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, given)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def enter(self) -> str:
        """Be let in by the token; what every path begins with."""
        status, headers, body = self.ask("POST", "/enter", {"token": self.token})
        assert status == 200
        self.headers["Cookie"] = headers["set-cookie"].partition(";")[0]
        return str(json.loads(body)["go"]).rpartition("/")[0]


@pytest.fixture
def caller(window: Window) -> Caller:
    return Caller(window.address())


def test_whoever_has_the_address_gets_in_once_and_nobody_else(caller: Caller) -> None:
    assert caller.ask("GET", "/")[0] == 200
    root = caller.enter()
    assert caller.ask("GET", f"{root}/sessions")[0] == 200
    assert caller.ask("POST", "/enter", {"token": caller.token})[0] == 403
    caller.headers.clear()
    for path in ("/sessions", "/sessions/rows", "/events", "/static/window.js"):
        assert caller.ask("GET", root + path)[0] == 403
    assert caller.ask("POST", f"{root}/do", {"verb": "push-all"})[0] == 403


def test_what_is_said_to_a_browser_keeps_strangers_out_of_the_page(caller: Caller) -> None:
    root = caller.enter()
    for path in ("/", f"{root}/sessions", f"{root}/static/window.js", f"{root}/nothing"):
        headers = caller.ask("GET", path)[1]
        assert {name: headers.get(name) for name in HEADERS} == HEADERS
        assert "server" not in headers
    cookie = caller.ask("POST", "/enter", {"token": "x"})[1].get("set-cookie")
    assert cookie is None
    again = Caller(f"{caller.origin}/#")
    assert again.ask("GET", "/", Host="rebound.example")[0] == 421


def test_the_cookie_is_for_this_page_alone(window: Window) -> None:
    caller = Caller(window.address("doctor"))
    headers = caller.ask("POST", "/enter", {"token": caller.token})[1]
    _, *attributes = headers["set-cookie"].lower().split("; ")
    assert {"httponly", "samesite=strict"} < set(attributes)
    (path,) = (one for one in attributes if one.startswith("path="))
    assert len(path) > len("path=/.../") + 16
    assert not any(one.startswith("domain") for one in attributes)


def test_nothing_is_changed_by_a_get_or_by_what_is_no_json(
    caller: Caller, service: Service
) -> None:
    root = caller.enter()
    assert caller.ask("GET", f"{root}/do?verb=pause")[0] == 405
    asked = {"verb": "pause", "subject": "", "detail": ""}
    # As a form of another page could send it.
    assert caller.ask("POST", f"{root}/do", asked, Content_Type="text/plain")[0] == 400
    assert caller.ask("POST", f"{root}/do", ["pause"])[0] == 400
    assert (
        caller.ask("POST", f"{root}/do", {"verb": "pause"}, Origin="http://evil.example")[0] == 403
    )
    assert service.status.paused_until is None
    assert caller.ask("POST", f"{root}/do", asked)[0] == 200
    assert service.status.paused_until is not None


def test_no_answer_waits_until_a_browser_says_that_it_has_its_head(caller: Caller) -> None:
    connection = http.client.HTTPConnection(caller.host, timeout=PATIENCE_SECONDS)
    try:
        connection.connect()
        browser_side = connection.sock.getsockname()
        connection.request("GET", "/")
        connection.getresponse().read()
        (server_side,) = (one for one in open_sockets() if peer_of(one) == browser_side)
        assert server_side.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    finally:
        connection.close()


def open_sockets() -> list[socket.socket]:
    found = (one for one in gc.get_objects() if isinstance(one, socket.socket))
    return [one for one in found if one.fileno() != -1 and one.family == socket.AF_INET]


def peer_of(one: socket.socket) -> object:
    try:
        return one.getpeername()
    except OSError:
        return None  # it listens


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verb": "quit", "subject": "", "detail": ""},
        {"verb": "nonsense", "subject": "", "detail": ""},
        {"verb": "push", "subject": "../../etc/passwd", "detail": ""},
        {"verb": "push", "subject": ["x"], "detail": ""},
        {"verb": "push", "subject": "", "detail": ""},
        {"verb": "x" * 1_000_000},
    ],
)
def test_a_button_that_there_is_not_does_nothing(caller: Caller, body: object) -> None:
    root = caller.enter()
    status, _, said = caller.ask("POST", f"{root}/do", body)
    assert status == 400
    assert json.loads(said)["is_error"] is True


def test_thousands_of_sessions_can_be_chosen_at_once(caller: Caller) -> None:
    root = caller.enter()
    ids = [f"0f4c1d9e-1111-4222-8333-{number:012d}" for number in range(20_000)]
    for path, body in (
        ("/sessions/forget", {"sessions": ids}),
        ("/do", {"verb": "push", "subject": " ".join(ids), "detail": ""}),
    ):
        assert b"makes no sense" not in caller.ask("POST", root + path, body)[2]


def test_nothing_is_removed_from_a_place_that_was_not_left(
    caller: Caller, service: Service, laptop: PlayedMachine
) -> None:
    laptop.write(SESSION, said("hello"))
    service.push([SESSION]).result()
    here = str(service.status.preferences.location)
    root = caller.enter()
    no_folder = str(laptop.paths.preferences_file / "x")
    for location, status in ((here, 200), (no_folder, 400)):
        body = {"location": location, "encrypt": False}
        assert caller.ask("POST", f"{root}/settings/store/choose", body)[0] == status
        status, _, told = caller.ask("POST", f"{root}/settings/store/remove-left", {})
        assert (status, b"no other place was left" in told.lower()) == (400, True)
    assert len(laptop.world.bundles()) == 1


def test_a_bug_in_a_page_is_said_and_logged_without_what_it_was_about(
    service: Service, laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_: Asked) -> Reply:
        raise ValueError("Fix the secret login")

    monkeypatch.setattr(doctor, "ROUTES", (page("/doctor", break_down), post("/fix", break_down)))
    window = Window(lambda: service)
    try:
        caller = Caller(window.address())
        root = caller.enter()
        status, headers, body = caller.ask("GET", f"{root}/doctor")
        assert (status, headers["content-type"]) == (500, "text/html; charset=utf-8")
        assert b"ValueError" in body
        status, _, body = caller.ask("POST", f"{root}/fix", {})
        assert "please report it" in json.loads(body)["message"]
        assert caller.ask("GET", f"{root}/sessions")[0] == 200
        assert b"secret" not in body
    finally:
        window.close()
    log = laptop.paths.log_file.read_text()
    assert "window: claude_sync_app.window.site met ValueError at test_server.py:" in log
    assert "secret" not in log


def test_of_many_pages_the_oldest_stop_following_so_that_a_browser_can_still_load_others(
    caller: Caller,
) -> None:
    root = caller.enter()
    following = []
    for _ in range(5):
        connection = http.client.HTTPConnection(caller.host, timeout=PATIENCE_SECONDS)
        connection.request("GET", f"{root}/events", headers=caller.headers)
        answer = connection.getresponse()
        assert b"event: status" in answer.read(200)
        following.append((connection, answer))
    connection, answer = following[0]
    assert b"event: rest" in answer.read()  # to its end
    for connection, _ in following:
        connection.close()


def test_it_ends_when_the_last_page_is_gone_and_starts_again(service: Service) -> None:
    ended = threading.Event()
    window = Window(lambda: service, idle_seconds=0.0, on_end=ended.set)
    try:
        first = window.address()
        assert until(ended.is_set)
        with pytest.raises(OSError, match="refused"):
            Caller(first).ask("GET", "/")
        assert window.address() != first
    finally:
        window.close()
