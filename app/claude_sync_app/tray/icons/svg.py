"""Draws the few kinds of SVG elements that our icons consist of, at any size, with Pillow.

Understood: ``rect`` (with ``rx``), ``polygon``, ``polyline``, ``line`` and ``circle`` with
``fill``, ``stroke``, ``stroke-width`` and round caps and joins, straight under ``svg`` with a
``viewBox`` that begins at 0 0. Anything else is refused, so that an icon never looks different
here from what a drawing program shows: https://www.w3.org/TR/SVG11/shapes.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_PAINT = frozenset({"fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin"})
_FINEST = 512
"""Pixels at which a small icon is drawn before it is reduced to its size: that is its smoothing."""


def draw(source: str, size: int, colours: Mapping[str, str]) -> Image.Image:
    """An SVG text as an RGBA image.

    Args:
        source: the text of the SVG; ours, never something from elsewhere.
        size: width and height in pixels.
        colours: what to draw in place of a colour of the source; others stay.

    Raises:
        ValueError: something in it isn't understood.
    """
    from PIL import Image, ImageDraw

    root = ElementTree.fromstring(source)  # noqa: S314 -- packaged with this program
    left, top, width, height = _numbers(root.attrib["viewBox"])
    if (left, top) != (0.0, 0.0) or width != height:
        raise ValueError("an icon's viewBox begins at 0 0 and is square")
    factor = max(4, -(-_FINEST // size))
    image = Image.new("RGBA", (size * factor, size * factor))
    pen = _Pen(ImageDraw.Draw(image), size * factor / width, colours)
    for element in root:
        pen.draw(element)
    # Premultiplied, so that the invisible black around a shape doesn't darken its edge.
    return image.convert("RGBa").reduce(factor).convert("RGBA")


class _Pen:
    """Draws one element after the other onto one image."""

    def __init__(
        self, canvas: ImageDraw.ImageDraw, scale: float, colours: Mapping[str, str]
    ) -> None:
        self._canvas = canvas
        self._scale = scale
        self._colours = colours
        self._shapes: dict[str, tuple[frozenset[str], Callable[[ElementTree.Element], None]]] = {
            "rect": (frozenset({"x", "y", "width", "height", "rx"}), self._rect),
            "circle": (frozenset({"cx", "cy", "r"}), self._circle),
            "line": (frozenset({"x1", "y1", "x2", "y2"}), self._line),
            "polyline": (frozenset({"points"}), self._polyline),
            "polygon": (frozenset({"points"}), self._polygon),
        }

    def draw(self, element: ElementTree.Element) -> None:
        name = element.tag.removeprefix(_NAMESPACE)
        if name not in self._shapes:
            raise ValueError(f"an icon holds <{name}>, which can't be drawn")
        attributes, shape = self._shapes[name]
        unknown = set(element.attrib) - attributes - _PAINT
        if unknown or len(element):
            raise ValueError(f"<{name}> of an icon has {sorted(unknown) or 'something inside'}")
        shape(element)

    def _rect(self, element: ElementTree.Element) -> None:
        x, y, width, height, radius = (
            self._length(element, name) for name in ("x", "y", "width", "height", "rx")
        )
        # Pillow counts the last pixel in, SVG doesn't.
        box = (x, y, x + width - 1, y + height - 1)
        self._canvas.rounded_rectangle(box, radius, fill=self._colour(element, "fill"))

    def _circle(self, element: ElementTree.Element) -> None:
        x, y, radius = (self._length(element, name) for name in ("cx", "cy", "r"))
        self._dot(x, y, radius, self._colour(element, "fill"))

    def _line(self, element: ElementTree.Element) -> None:
        x1, y1, x2, y2 = (self._length(element, name) for name in ("x1", "y1", "x2", "y2"))
        self._stroke(element, [(x1, y1), (x2, y2)])

    def _polyline(self, element: ElementTree.Element) -> None:
        self._stroke(element, self._points(element))

    def _polygon(self, element: ElementTree.Element) -> None:
        points = self._points(element)
        self._canvas.polygon(points, fill=self._colour(element, "fill"))
        self._stroke(element, [*points, points[0]])

    def _stroke(self, element: ElementTree.Element, points: list[tuple[float, float]]) -> None:
        colour = self._colour(element, "stroke")
        if colour is None:
            return
        width = self._length(element, "stroke-width")
        for start, end in pairwise(points):
            self._canvas.line([start, end], fill=colour, width=round(width))
        closed = points[0] == points[-1]
        corners = points if element.get("stroke-linejoin") == "round" else []
        ends = [points[0], points[-1]] if element.get("stroke-linecap") == "round" else []
        for x, y in (corners if closed else corners[1:-1]) + ends:
            self._dot(x, y, width / 2, colour)

    def _dot(self, x: float, y: float, radius: float, colour: str | None) -> None:
        self._canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def _points(self, element: ElementTree.Element) -> list[tuple[float, float]]:
        numbers = [number * self._scale for number in _numbers(element.attrib["points"])]
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    def _length(self, element: ElementTree.Element, name: str) -> float:
        return float(element.get(name, "0")) * self._scale

    def _colour(self, element: ElementTree.Element, name: str) -> str | None:
        """SVG's default for a fill is black; ours always say what they want."""
        colour = element.get(name, "none")
        return None if colour == "none" else self._colours.get(colour, colour)


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.replace(",", " ").split()]
