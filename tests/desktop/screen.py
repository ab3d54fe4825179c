"""The test's display: looked at and clicked, as a person does."""

from __future__ import annotations

import io
import os
import subprocess
import time
from pathlib import Path

from PIL import Image, ImageChops

from programs import require
from waiting import PATIENCE_SECONDS, until

Box = tuple[int, int, int, int]


class Screen:
    """What is on the display, whoever draws it."""

    def __init__(self) -> None:
        require("import", "xdotool")

    def picture(self) -> Image.Image:
        """The whole screen as it is at this moment."""
        done = subprocess.run(
            ["import", "-window", "root", "png:-"],
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        return Image.open(io.BytesIO(done.stdout)).convert("RGB")

    def settled(self) -> Image.Image:
        """The screen once nothing moves on it any more."""
        end = time.monotonic() + PATIENCE_SECONDS
        before = self.picture()
        while ImageChops.difference(before, now := self.picture()).getbbox():
            assert time.monotonic() < end, "the screen never comes to rest"
            before = now
        return now

    def click(self, x: int, y: int, button: int = 1) -> None:
        move = ["xdotool", "mousemove", str(x), str(y)]
        subprocess.run([*move, "click", str(button)], check=True)

    def point_at(self, x: int, y: int) -> None:
        """Move the mouse there."""
        subprocess.run(["xdotool", "mousemove", str(x), str(y)], check=True)

    def find(self, colour: tuple[int, int, int], least: int = 40) -> Box | None:
        """Where a colour is seen, None where there are fewer pixels of it than `least`."""
        return find_colour(self.picture(), colour, least)

    def await_change(self, before: Image.Image, least: int = 60) -> Box:
        """The box of what has come since then, once it grows no more; it may move within."""
        boxes: list[Box | None] = []

        def found() -> Box | None:
            boxes.append(ImageChops.difference(before, self.picture()).getbbox())
            box = boxes[-1]
            still = boxes[-4:] == 4 * [box]
            return box if still and box is not None and box[3] - box[1] >= least else None

        box = until(found)
        assert box is not None
        return box

    def keep(self, name: str) -> None:
        """Keep a picture for people where the environment names a folder for them."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.picture().save(Path(folder) / f"{name}.png")


def find_colour(picture: Image.Image, colour: tuple[int, int, int], least: int = 40) -> Box | None:
    """Where a colour is in a picture, None where there are fewer pixels of it than `least`."""
    away = ImageChops.difference(picture, Image.new("RGB", picture.size, colour)).convert("L")
    same = away.point([255, *255 * [0]])
    return same.getbbox() if same.histogram()[255] >= least else None
