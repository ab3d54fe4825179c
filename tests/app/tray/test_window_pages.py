"""The pages that clicks lead to are pages that the window has."""

from __future__ import annotations

import re

import pytest

from claude_sync_app.tray import window_pages
from claude_sync_app.tray.window_pages import conflict_page, session_of, session_page
from claude_sync_app.window.pages import all_routes

SID = "0f4c1d9e-1111-4222-8333-444455556666"
NAMED = [
    value
    for name, value in vars(window_pages).items()
    if name.isupper() and not name.startswith("_") and value
]


@pytest.mark.parametrize("page", [*NAMED, session_page(SID), conflict_page(SID)])
def test_every_page_that_a_click_leads_to_is_served(page: str) -> None:
    path = "/" + page.partition("?")[0]
    served = [re.sub(r"\{[^}]*\}", "[^/]+", one.path) for one in all_routes()]
    assert [one for one in served if re.fullmatch(one, path)]


def test_a_page_tells_the_session_that_it_is_about() -> None:
    assert session_of(session_page(SID)) == session_of(conflict_page(SID)) == SID
    assert {session_of(page) for page in ("", *NAMED)} == {""}
