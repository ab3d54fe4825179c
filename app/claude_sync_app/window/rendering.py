"""Turns pages into HTML: whatever is shown is escaped, and on one line unless a page says else."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from claude_sync import wording
from claude_sync_app.shown_text import one_line, without_controls
from claude_sync_app.window.moments import clock_of, date_of
from claude_sync_app.window.page import Page
from claude_sync_app.window.pages import MODULES, navigation
from claude_sync_app.window.services import WindowServices
from claude_sync_app.window.status_line import summary_of

_NUMBERS = {"/sessions": "conflicts", "/doctor": "warnings"}
"""The number of the Summary that stands beside a page's name: what needs a person there."""
_TEMPLATES = Path(__file__).parent / "templates"


class Renderer:
    """Makes HTML.

    Args:
        services: where the Status is from.
        root: what every link begins with.
    """

    def __init__(self, services: WindowServices, root: str) -> None:
        self._services = services
        self._environment = environment(root)

    def page(self, page: Page) -> str:
        """A page, with what stands around it."""
        status = self._services.status
        template = self._environment.get_template(page.template)
        return template.render(
            {
                **page.values,
                "title": page.title,
                "status": status,
                "summary": summary_of(status)._asdict(),
            }
        )

    def entrance(self) -> str:
        """What a browser is shown that hasn't said yet who it is; tells nothing."""
        return self._environment.get_template("entrance.html").render()


def environment(root: str) -> Environment:
    """What makes HTML of templates: whatever isn't HTML of our own making is escaped.

    Args:
        root: what every link begins with.
    """
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        link=lambda path: f"{root}{path}",
        navigation=navigation(),
        navigation_numbers=_NUMBERS,
        pages=MODULES,
        root=root,
    )
    made.filters.update(
        ago=_ago,
        clock=clock_of,
        count=wording.count,
        date=date_of,
        line=one_line,
        moment=_moment,
        script_data=_script_data,
        short_path=lambda path: without_controls(wording.short_path(path)),
        size=wording.size,
        typed=_typed,
    )
    return made


def _ago(moment_ns: float) -> str:
    return wording.ago(int(moment_ns), time.time_ns())


def _moment(moment_ns: float) -> str:
    """For the attribute `datetime`."""
    try:
        return wording.rfc3339(int(moment_ns))
    except (OSError, OverflowError, ValueError):
        return ""


def _typed(text: str) -> Markup:
    """A sentence with what stands between backquotes, which is to be typed, set as such."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    marked = [
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    ]
    return Markup("").join(marked)


def _script_data(value: Any) -> Markup:
    """A value for a script, inside an element of type ``application/json``.

    Nothing in it can end that element, or begin a comment:
    https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
    """
    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 -- it is escaped as that asks for
