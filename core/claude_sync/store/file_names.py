"""What bundles and the folders of projects are called in a store, plain or encrypted."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from claude_sync.bundle.file_names import (
    SUFFIX,
    bundle_file_name,
    encoded_key,
    is_encoded_key,
)
from claude_sync.transports.base import Transport


class FileNames(Protocol):
    """Names for writing; a reader knows a bundle by its contents."""

    def folder(self, project_key: str) -> str:
        """Of a project."""

    def file(self, session_id: str, writer: str) -> str:
        """Of a session's bundle in it; `writer` as `claude_sync.names.writers` gives it."""

    def is_folder(self, name: str) -> bool:
        """Whether a folder may be a project's."""


class PlainNames:
    """Names that say what they are of (FORMAT.md, "Names")."""

    def folder(self, project_key: str) -> str:
        return _encoded(project_key)

    def file(self, session_id: str, writer: str) -> str:
        return bundle_file_name(session_id, writer)

    def is_folder(self, name: str) -> bool:
        return is_encoded_key(name)


class SealedNames:
    """Names that only tell whoever has the key.

    Args:
        transport: a `SealedTransport`.
    """

    def __init__(self, transport: Transport) -> None:
        from claude_sync.transports.sealed.transport import SealedTransport

        assert isinstance(transport, SealedTransport)
        self._master = transport.master
        self._folders: dict[str, str] = {}

    def folder(self, project_key: str) -> str:
        from claude_sync.sealed.names import sealed_folder

        if project_key not in self._folders:
            self._folders[project_key] = sealed_folder(self._master, project_key)
        return self._folders[project_key]

    def file(self, session_id: str, writer: str) -> str:
        from claude_sync.sealed.names import sealed_file

        return sealed_file(self._master, session_id, writer) + SUFFIX

    def is_folder(self, name: str) -> bool:
        from claude_sync.sealed.names import is_sealed_folder

        return is_sealed_folder(name)


@lru_cache(maxsize=1024)
def _encoded(key: str) -> str:
    """Of a project; asked for each of its sessions at every push."""
    return encoded_key(key)
