"""Reading a file of Windows as any other system lets one: whoever wants to rename or remove it can.

Python, as C does, opens a file so that nobody can do either as long as it is open. Claude Code that
clears up, or a program that mirrors a folder, would fail on a file only because it is hashed here.
"""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    import _winapi
    import msvcrt

    # https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
    _FILE_SHARE_READ, _FILE_SHARE_WRITE, _FILE_SHARE_DELETE = 1, 2, 4

    def open_shared(path: str | os.PathLike[str]) -> int:
        """A descriptor to read a file by; others may write, rename and remove it meanwhile.

        The name of a removed one is free at once, or on older systems when it is closed here.

        Raises:
            OSError: it can't be opened, or is a folder.
        """
        name = os.fspath(path)
        sys.audit("open", name, "rb", os.O_RDONLY)  # as whatever Python opens (PEP 578)
        try:
            handle = _winapi.CreateFile(
                name,
                _winapi.GENERIC_READ,
                _FILE_SHARE_READ | _FILE_SHARE_WRITE | _FILE_SHARE_DELETE,
                _winapi.NULL,
                _winapi.OPEN_EXISTING,
                0,
                _winapi.NULL,
            )
        except OSError as error:
            raise OSError(error.errno, error.strerror, name, error.winerror) from None
        try:
            return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT)
        except BaseException:
            _winapi.CloseHandle(handle)
            raise
