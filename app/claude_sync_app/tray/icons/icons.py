"""The icon: state, theme and size → image, drawn from the SVG files of `assets`.

The states are told apart by their shape. Each is filled and carries its own contrast, so that it
can be read on a light and on a dark panel even if the theme was guessed wrongly.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import claude_sync_app
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from PIL import Image


class IconState(str, Enum):
    """What the icon shows, in order of importance: of several states, the last one is shown."""

    UP_TO_DATE = "up-to-date"
    SYNCING = "syncing"
    WAITING = "waiting"
    PAUSED = "paused"
    OFFLINE = "offline"
    ATTENTION = "attention"
    ERROR = "error"

    def __str__(self) -> str:
        return self.value


class Theme(str, Enum):
    """What the panel behind the icon looks like."""

    LIGHT = "light"
    DARK = "dark"

    def __str__(self) -> str:
        return self.value


class Picture(NamedTuple):
    """Which icon to show."""

    state: IconState
    theme: Theme = Theme.DARK


_COLOURS: dict[Theme, dict[str, str]] = {
    # As the files have them.
    Theme.LIGHT: {},
    # Ink, paper and blue for a dark panel; the colours of attention and error do for both.
    Theme.DARK: {"#2e3436": "#f6f5f4", "#ffffff": "#241f31", "#1c71d8": "#78aeed"},
}


def image(picture: Picture, size: int) -> Image.Image:
    """The icon as an RGBA image of `size` × `size` pixels; drawn once, so don't change it."""
    return _image(picture.state, picture.theme, size)


@lru_cache(maxsize=128)
def _image(state: IconState, theme: Theme, size: int) -> Image.Image:
    from claude_sync_app.tray.icons.svg import draw

    source = (assets() / "icons" / f"{state}.svg").read_text(encoding="ascii")
    return draw(source, size, _COLOURS[theme])


def application_image() -> Path:
    """A PNG file of the application's own picture, for notifications and menus of programs."""
    return assets() / "images" / "claude-sync.png"


@lru_cache(maxsize=1)
def assets() -> Path:
    """Where the pictures are: packaged with this program, or in the source tree."""
    package = Path(claude_sync_app.__file__).parent
    packaged = package / "assets"
    return packaged if packaged.is_dir() else package.parents[1] / "assets"
