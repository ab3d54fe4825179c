"""Every button of the window leads somewhere, read from its templates and scripts."""

from __future__ import annotations

import re
from pathlib import Path

import claude_sync_app.window
from claude_sync_app.tray.verbs import Verb
from claude_sync_app.window.pages import MODULES, all_routes, navigation
from claude_sync_app.window.session_rows import LIKELY
from claude_sync_app.window.verbs import HANDLERS

ROOM = Path(claude_sync_app.window.__file__).parent
TEMPLATES = "".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOM / "templates").iterdir())
)
SCRIPTS = "".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOM / "static").glob("*.js"))
)
LED_ELSEWHERE = {"compare", "restore", "read", "versions", "forget"}
"""What the table of sessions offers that is a page, or has a route of its own."""


def test_whatever_a_button_asks_for_is_handled() -> None:
    asked = set(re.findall(r'data-verb="([a-z-]+)"', TEMPLATES))
    assert asked
    assert asked <= {str(verb) for verb in HANDLERS}
    words = SCRIPTS.partition("const VERBS = {")[2].partition("};")[0]
    offered = set(re.findall(r'^ +"?([a-z-]+)"?:', words, re.MULTILINE))
    assert offered - LED_ELSEWHERE <= {str(verb) for verb in HANDLERS}
    assert offered >= LIKELY
    assert set(HANDLERS) <= set(Verb)


def test_whatever_is_sent_and_linked_has_a_route() -> None:
    routes = [
        (one.method, re.compile(re.sub(r"\{[^}]*\}", "[^/]+", one.path))) for one in all_routes()
    ]

    def leads(method: str, path: str) -> bool:
        return any(kind == method and route.fullmatch(path) for kind, route in routes)

    filled = re.sub(r"\{\{[^}]*\}\}", "x", TEMPLATES)
    sent = re.findall(r'data-(?:post|switch)="?(/[a-z/-]+)', filled)
    sent += re.findall(r'\bpost\("(/[a-z/-]+)"', SCRIPTS)
    assert len(sent) > 10
    assert [path for path in sent if not leads("POST", path)] == []
    linked = re.findall(r"link\('(/[a-z/-]+)'\)", TEMPLATES)
    linked = [path for path in linked if not path.startswith("/static/")]
    assert [path for path in linked if not leads("GET", path)] == []
    assert [path for _, path in navigation() if not leads("GET", path)] == []


def test_every_page_is_a_module_that_is_named_once() -> None:
    files = {path.stem for path in (ROOM / "pages").glob("*.py")} - {"__init__"}
    assert sorted(MODULES) == sorted(files)
