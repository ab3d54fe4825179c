"""Makes `images/` from the SVG files beside this script: `python assets/make_images.py`.

The pictures are kept in the repository, so that building the package needs no drawing program.
"""

from __future__ import annotations

import sys
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
sys.path.insert(0, str(ASSETS.parent / "app"))

from PIL import Image  # noqa: E402

from claude_sync_app.tray.icons import IconState, Picture, Theme, image  # noqa: E402
from claude_sync_app.tray.icons.svg import draw  # noqa: E402

PANELS = {Theme.LIGHT: "#ededed", Theme.DARK: "#1e1e1e"}
SIZES = (16, 22, 24, 32, 48, 64)


def main() -> None:
    images = ASSETS / "images"
    images.mkdir(exist_ok=True)
    source = (ASSETS / "claude-sync.svg").read_text(encoding="ascii")
    logo = {size: draw(source, size, {}) for size in (16, 24, 32, 48, 64, 128, 256, 512)}
    logo[128].save(images / "claude-sync.png", optimize=True)
    small = [logo[size] for size in (16, 24, 32, 48, 64, 128)]
    logo[256].save(images / "claude-sync.ico", append_images=small, sizes=[i.size for i in small])
    logo[512].save(images / "claude-sync.icns", append_images=[logo[256], logo[128], logo[32]])
    states().save(images / "states.png", optimize=True)


def states() -> Image.Image:
    """Every state in every size on both panels, to look at."""
    row = max(SIZES) + 16
    width = sum(size + 16 for size in SIZES) + 16
    sheet = Image.new("RGB", (width * len(Theme), row * len(IconState)))
    for column, theme in enumerate(Theme):
        panel = Image.new("RGB", (width, sheet.height), PANELS[theme])
        for line, state in enumerate(IconState):
            x = 16
            for size in SIZES:
                icon = image(Picture(state, theme), size)
                panel.paste(icon, (x, line * row + (row - size) // 2), icon)
                x += size + 16
        sheet.paste(panel, (column * width, 0))
    return sheet


if __name__ == "__main__":
    main()
