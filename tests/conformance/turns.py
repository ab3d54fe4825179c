"""Counts round trips of conversations over ssh."""

from __future__ import annotations

import pytest

from claude_sync.transports.ssh import pipes as ssh_pipes


class Turns:
    """How often something was sent after something had come: round trips, as far as we wait."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._came = True
        self.count = 0
        write, read = ssh_pipes.PolledPipes.write, ssh_pipes.PolledPipes.read

        def counted_write(pipes: ssh_pipes.PolledPipes, data: bytes, patience: float) -> None:
            self.count += self._came
            self._came = False
            write(pipes, data, patience)

        def counted_read(pipes: ssh_pipes.PolledPipes, patience: float) -> bytes:
            self._came = True
            return read(pipes, patience)

        patch.setattr(ssh_pipes.PolledPipes, "write", counted_write)
        patch.setattr(ssh_pipes.PolledPipes, "read", counted_read)

    def taken(self) -> int:
        """Since it was last asked."""
        count, self.count, self._came = self.count, 0, True
        return count
