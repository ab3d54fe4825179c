"""A folder treated as a distant place: asked for ranges, and taking what was prepared for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from claude_sync.transports.base import Block, Get, Got, Put, Reuse, Written
from claude_sync.transports.folder.transport import FolderTransport

_read, _write = FolderTransport.read, FolderTransport.write


class Distant:
    """Has every folder be distant, as long as the test runs.

    Attributes:
        prepared: the parts of what was prepared and taken, by name.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prepared: dict[str, list[Block | Reuse]] = {}
        monkeypatch.setattr(FolderTransport, "remote", True)
        monkeypatch.setattr(FolderTransport, "read", self._reading())
        monkeypatch.setattr(FolderTransport, "write", self._writing())

    def _reading(self) -> object:
        """A place lets go of its connection once nobody asks it for more."""

        def read(transport: FolderTransport, gets: Iterable[Get]) -> Iterator[Got]:
            let_go = False

            def held(blocks: Iterator[bytes]) -> Iterator[bytes]:
                for block in blocks:
                    assert not let_go, "read after the reading was left"
                    yield block

            try:
                for got in _read(transport, gets):
                    yield got._replace(blocks=held(got.blocks))
            finally:
                let_go = True

        return read

    def _writing(self) -> object:
        def write(transport: FolderTransport, puts: Iterable[Put]) -> Iterator[Written]:
            root = Path(transport.location)
            return _write(transport, (self._put_together(root, put) for put in puts))

        return write

    def _put_together(self, root: Path, put: Put) -> Put:
        """What a place would make of what was prepared: where its hash is wrong, nothing."""
        if put.prepared is None or put.base is None or not (root / put.base.name).is_file():
            return put
        base = (root / put.base.name).read_bytes()
        parts = [
            base[part.base_offset :][: part.length] if isinstance(part, Reuse) else part.data
            for part in put.prepared.parts
        ]
        whole = b"".join(parts)
        if (len(whole), sha256(whole).hexdigest()) != (put.prepared.size, put.prepared.sha256):
            return put
        self.prepared[put.name] = list(put.prepared.parts)
        return put._replace(blocks=lambda: iter([Block(part) for part in parts]))
