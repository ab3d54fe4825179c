"""The icon: told apart by its shape, sharp at every size, drawn once, and as its files say."""

from __future__ import annotations

import itertools

import pytest
from PIL import Image, ImageChops, ImageStat

from claude_sync_app.tray.icons import icons
from claude_sync_app.tray.icons.icons import IconState, Picture, Theme, image
from claude_sync_app.tray.icons.svg import draw

SIZES = (16, 22, 24, 32, 48, 64, 128)
PANELS = {Theme.LIGHT: (237, 237, 237), Theme.DARK: (30, 30, 30)}


def on_panel(picture: Picture, size: int, panel: tuple[int, int, int]) -> Image.Image:
    """What is seen of an icon without colours."""
    icon = image(picture, size)
    seen = Image.new("RGB", icon.size, panel)
    seen.paste(icon, (0, 0), icon)
    return seen.convert("L")


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(ImageStat.Stat(ImageChops.difference(one, other)).mean[0])


@pytest.mark.parametrize("theme", Theme)
def test_states_are_told_apart_without_colour_at_16_pixels(theme: Theme) -> None:
    seen = {s: on_panel(Picture(s, theme), 16, PANELS[theme]) for s in IconState}
    for one, other in itertools.combinations(IconState, 2):
        assert difference(seen[one], seen[other]) > 12, (one, other)


@pytest.mark.parametrize("state", IconState)
def test_an_icon_is_seen_on_its_own_panel_and_on_the_wrong_one(state: IconState) -> None:
    for theme, panel in itertools.product(Theme, PANELS.values()):
        seen = on_panel(Picture(state, theme), 16, panel)
        shades = [shade for shade, count in enumerate(seen.histogram()) if count]
        darkest, lightest = shades[0], shades[-1]
        assert lightest - darkest > 90


@pytest.mark.parametrize("size", SIZES)
def test_an_icon_has_the_size_that_was_asked_for_and_fills_it(size: int) -> None:
    for state in IconState:
        icon = image(Picture(state), size)
        assert (icon.mode, icon.size) == ("RGBA", (size, size))
        left, top, right, bottom = icon.getchannel("A").getbbox() or (size, size, 0, 0)
        assert right - left >= 0.8 * size
        assert bottom - top >= 0.8 * size


def test_edges_fade_without_a_dark_rim() -> None:
    icon = image(Picture(IconState.WAITING, Theme.DARK), 24)
    pixels = icon.tobytes()
    for *colour, alpha in zip(*(pixels[channel::4] for channel in range(4)), strict=True):
        assert not 16 < alpha < 255 or max(colour) > 60


def test_what_was_drawn_is_not_drawn_again() -> None:
    icons._image.cache_clear()
    first, again = ([image(Picture(s), n) for s in IconState for n in SIZES] for _ in range(2))
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert icons._image.cache_info().misses == len(IconState) * len(SIZES)


@pytest.mark.parametrize(
    "source",
    [
        '<path d="M0 0"/>',
        '<rect x="1" y="1" width="2" height="2" fill="red" transform="rotate(3)"/>',
        '<line x1="0" y1="0" x2="1" y2="1"><title>x</title></line>',
    ],
)
def test_what_could_not_be_drawn_as_meant_is_refused(source: str) -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    with pytest.raises(ValueError, match="icon"):
        draw(f"{head}{source}</svg>", 16, {})


def test_the_applications_own_picture_is_there() -> None:
    with Image.open(icons.application_image()) as picture:
        assert picture.size == (128, 128)
