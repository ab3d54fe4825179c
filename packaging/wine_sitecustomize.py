"""What a Windows Python under wine needs to do as it does on Windows; installed as sitecustomize.

wine fails to lock a byte that another process has locked without saying why: errno is 0, where
Windows has EACCES (https://learn.microsoft.com/cpp/c-runtime-library/reference/locking).
"""

import errno
import msvcrt
import os

_locking = msvcrt.locking


def _locking_as_windows_does(descriptor: int, mode: int, count: int) -> None:
    try:
        _locking(descriptor, mode, count)
    except OSError as error:
        if error.errno:
            raise
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


msvcrt.locking = _locking_as_windows_does
