"""Who is let into the window: by the token of an address, once."""

from __future__ import annotations

import pytest

from claude_sync_app.window.access import TOKEN_SECONDS, Access, Asking


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def token_of(address: str) -> str:
    return address.partition("#")[2]


def test_a_token_lets_in_once_and_not_for_ever() -> None:
    clock = Clock()
    access = Access(7, frozenset(), clock)
    first, second = token_of(access.address("doctor")), token_of(access.address("sessions"))
    assert len(first) >= 43  # 256 bits
    let_in = access.exchange(first)
    assert let_in is not None
    assert let_in[0] == "doctor"
    assert access.exchange(first) is None
    clock.now = TOKEN_SECONDS + 1
    assert access.exchange(second) is None
    assert access.exchange("") is None
    assert access.exchange("\ud800") is None


def test_tokens_that_nobody_used_give_way_to_new_ones() -> None:
    access = Access(7, frozenset())
    tokens = [token_of(access.address("sessions")) for _ in range(17)]
    assert access.exchange(tokens[0]) is None
    assert access.exchange(tokens[-1]) is not None


@pytest.fixture
def access() -> Access:
    return Access(4711, frozenset({"/", "/enter"}))


def ask(access: Access, method: str, path: str, **headers: str) -> int:
    """The status of the refusal; 0 for none."""
    let_in = access.exchange(token_of(access.address("")))
    assert let_in is not None
    given = {
        "host": "127.0.0.1:4711",
        "cookie": f"other=1; claude-sync={let_in[1]}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    refusal = access.refuses(Asking(method, path.replace("ROOT", access.root), given))
    return refusal.status if refusal is not None else 0


OWN = "http://127.0.0.1:4711"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "ROOT/sessions", {}, 0),
        ("GET", "ROOT/sessions", {"sec_fetch_site": "same-origin"}, 0),
        ("POST", "ROOT/do", {"origin": OWN}, 0),
        ("GET", "/", {"sec_fetch_site": "cross-site", "cookie": ""}, 0),
        ("POST", "/enter", {"origin": OWN, "cookie": ""}, 0),
        ("GET", "ROOT/sessions", {"cookie": ""}, 403),
        ("GET", "ROOT/sessions", {"cookie": "claude-sync=guessed"}, 403),
        ("GET", "/sessions", {}, 403),
        ("GET", "/guessed/sessions", {}, 403),
        ("GET", "ROOT", {}, 403),
        ("GET", "ROOT/sessions", {"host": "localhost:4711"}, 421),
        ("GET", "ROOT/sessions", {"host": "rebound.example:4711"}, 421),
        ("GET", "/", {"host": "127.0.0.1"}, 421),
        ("GET", "/", {"host": "127.0.0.1:4711; 127.0.0.1:4711"}, 421),
        ("GET", "ROOT/sessions", {"origin": "http://127.0.0.1:4712"}, 403),
        ("GET", "ROOT/sessions", {"sec_fetch_site": "same-site"}, 403),
        ("GET", "ROOT/static/window.js", {"sec_fetch_site": "cross-site"}, 403),
        ("POST", "ROOT/do", {}, 403),
        ("POST", "ROOT/do", {"origin": "null"}, 403),
        ("POST", "ROOT/do", {"origin": "https://127.0.0.1:4711"}, 403),
        ("POST", "/enter", {"origin": "http://evil.example"}, 403),
        ("PUT", "ROOT/do", {"origin": OWN}, 405),
        ("DELETE", "ROOT/do", {"origin": OWN}, 405),
    ],
)
def test_a_request_is_answered_only_if_all_of_it_is_ours(
    access: Access, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert ask(access, method, path, **headers) == status
