"""pystray without its choice of a backend, which opens a display as soon as it is imported."""

from __future__ import annotations

import os
from types import ModuleType

_VARIABLE = "PYSTRAY_BACKEND"


def pystray_base() -> ModuleType:
    """The module with pystray's `Icon`, `Menu` and `MenuItem`; imports on any system."""
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = "dummy"
    try:
        from pystray import _base
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
    base: ModuleType = _base
    return base
