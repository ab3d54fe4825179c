"""The window's pages, a module each; the order is that of the navigation.

A module has `ROUTES`, made by `page` and `post`, and if it stands in the navigation `NAVIGATION`:
its name and path. To add one, write it and put its name into `MODULES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from claude_sync_app.window.page import PageRoute

MODULES = (
    "sessions",
    "session",
    "conflict",
    "versions",
    "activity",
    "kept",
    "machines",
    "doctor",
    "settings",
)


def all_routes() -> tuple[PageRoute, ...]:
    """Everything that answers."""
    return tuple(route for module in _modules() for route in module.ROUTES)


def navigation() -> tuple[tuple[str, str], ...]:
    """The name and the path of each page in the navigation."""
    found = (getattr(module, "NAVIGATION", None) for module in _modules())
    return tuple(entry for entry in found if entry is not None)


def _modules() -> Iterator[ModuleType]:
    return (import_module(f"{__name__}.{name}") for name in MODULES)
