"""What this machine is: an id that survives lost records and differs for a copied home, and a name.

The id is made from three things that a copy of the home doesn't take along together: the system's
own machine id, the user, and where the home is.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Any

from claude_sync.disk.json_object import NoObject, read_object, write_object
from claude_sync.disk.locks import Lock
from claude_sync.disk.refusals import refusal
from claude_sync.disk.snapshot import read_small
from claude_sync.errors import RecordsError, UsageError
from claude_sync.model import Machine
from claude_sync.names import is_machine_name
from claude_sync.state.paths import Paths
from claude_sync.values import NamedTuple

SCHEMA = 1
_NAMESPACE = bytes.fromhex("6f0c3a5e27b94d61a8d3f2b1c7e45a90")
_LINUX_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_NO_NAME = "machine"
_MAX_NAME = 64
# A machine without such a file, or that shuts it, will be so the next time, too. Any other error
# may pass, and an id made up meanwhile would be another machine's.
_NO_SUCH_FILE = (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError)
_NO_PLAIN_FILE = (errno.EINVAL, errno.ELOOP)


class Homes(NamedTuple):
    """Which of Claude Code's folders is worked with, and which is this machine's first."""

    used: Path
    first: Path


def load_machine(paths: Paths, homes: Homes | None = None) -> Machine:
    """This machine. Where it has no name of its own yet, the host's, and `named` is false.

    Args:
        paths: where claude-sync keeps its own files.
        homes: Claude Code's folder; a second one (another account's) counts as another machine,
            since what lies in one says nothing about the other.

    Raises:
        RecordsError: what is kept of it can't be read; or this system has no id, and none can be
            kept.
    """
    kept = _kept(paths)
    machine_id = system_machine_id()
    if machine_id is None and not _is_uuid(kept.get("id")):
        with Lock(paths.state / "machine.lock", "naming this machine"):
            kept = _kept(paths)
            if not _is_uuid(kept.get("id")):
                kept["id"] = _random_id()
                _keep(paths, kept)
    name = kept.get("name")
    named = isinstance(name, str) and is_machine_name(name)
    machine = Machine(str(name) if named else default_name(), machine_id or kept["id"], named)
    return _of_home(machine, kept, homes)


def _of_home(machine: Machine, kept: dict[str, Any], homes: Homes | None) -> Machine:
    if homes is None:
        return machine
    used = _spelled(homes.used)
    if used == _first(kept, homes):
        return machine
    machine_id = _uuid5(f"{machine.id}\0{used}")
    names = kept.get("names")
    name = names.get(machine_id) if isinstance(names, dict) else None
    if isinstance(name, str) and is_machine_name(name):
        return Machine(name, machine_id)
    last = used.replace(os.sep, "/").rpartition("/")[2].lstrip(".").removeprefix("claude")
    word = last.strip("-_. ") or machine_id[:4]
    return Machine(safe_name(f"{machine.name[:40]}-{word}"), machine_id, machine.named)


def folder_mark(paths: Paths, homes: Homes) -> str:
    """What tells a second folder of Claude Code's from others in names of files; "" for the first.

    It is the same for as long as the folder is, and takes nothing but reading.
    """
    try:
        kept = _kept(paths)
    except RecordsError:
        kept = {}
    if _spelled(homes.used) == _first(kept, homes):
        return ""
    return second_folder_mark(homes)


def second_folder_mark(homes: Homes) -> str:
    """The same of a folder that is known not to be the first."""
    return f"-{hashlib.sha256(os.fsencode(_spelled(homes.used))).hexdigest()[:8]}"


def _first(kept: dict[str, Any], homes: Homes) -> str:
    return str(kept.get("claude_home") or _spelled(homes.first))


def _spelled(home: Path) -> str:
    """One of Claude Code's folders, so that it is the same for a home that was moved."""
    real, user = _real(home), _real(Path(os.path.expanduser("~")))
    return os.path.normcase(f"~{real[len(user) :]}" if real.startswith(user + os.sep) else real)


def _real(path: Path) -> str:
    """Where a path really leads, as far as it exists.

    Raises:
        RecordsError: a part of it can't be looked at. Going on with the path as it is spelled
            would make another machine of this one.
    """
    try:
        # Windows has disks of which it can never be said for sure.
        return os.path.realpath(path, strict=os.name != "nt")
    except FileNotFoundError:
        return os.path.realpath(path)
    except OSError as error:
        raise _unknown(error, path) from error


def _unknown(error: OSError, path: Path) -> RecordsError:
    return RecordsError(
        f"which machine this is can't be told ({error.strerror})",
        where=str(path),
        todo="check its disk, and the permissions of the folders above it",
    )


def machine_as_seen(paths: Paths, homes: Homes | None = None) -> Machine:
    """This machine as far as it can be told without writing anything.

    Raises:
        RecordsError: what it is told by can't be looked at.
    """
    try:
        kept = _kept(paths)
    except RecordsError:
        kept = {}
    machine_id = system_machine_id() or kept.get("id")
    name = kept.get("name")
    named = isinstance(name, str) and is_machine_name(name)
    machine = Machine(
        str(name) if named else default_name(),
        str(machine_id) if _is_uuid(machine_id) else _random_id(),
        named,
    )
    return _of_home(machine, kept, homes)


def name_machine(paths: Paths, name: str, homes: Homes | None = None) -> Machine:
    """Give this machine its name; its id stays.

    With the first name, which of Claude Code's folders is the first is kept as well.

    Raises:
        UsageError: that can't be a machine's name.
        RecordsError: it can't be kept.
    """
    if not is_machine_name(name):
        raise UsageError(
            "that can't be a machine's name",
            todo="use up to 64 letters, digits, dots, dashes and underscores, with a letter first",
        )
    plain, machine = load_machine(paths), load_machine(paths, homes)
    with Lock(paths.state / "machine.lock", "naming this machine"):
        kept = _kept(paths)
        if machine.id == plain.id:
            kept["name"] = name
        else:
            names = kept.get("names")
            kept["names"] = {**(names if isinstance(names, dict) else {}), machine.id: name}
        if homes is not None:
            kept.setdefault("claude_home", _spelled(homes.first))
        _keep(paths, kept)
    return load_machine(paths, homes)


def _kept(paths: Paths) -> dict[str, Any]:
    try:
        return read_object(paths.machine_file)
    except (FileNotFoundError, NoObject):
        return {}
    except OSError as error:
        raise RecordsError(
            f"this machine's name can't be read: {error.strerror}",
            where=str(paths.machine_file),
            todo="make it readable",
        ) from error


def _keep(paths: Paths, kept: dict[str, Any]) -> None:
    try:
        write_object(paths.machine_file, {"schema": SCHEMA, **kept})
    except OSError as error:
        why, todo = refusal(error, "make its folder writable")
        raise RecordsError(
            f"this machine's name and id can't be kept ({why})",
            where=str(paths.machine_file),
            todo=todo,
        ) from error


def system_machine_id() -> str | None:
    """This machine's id, a UUID of version 5; None where the system has no id of its own.

    Raises:
        RecordsError: what it is made from can't be looked at.
    """
    system = _system_id()
    if system is None:
        return None
    home = os.path.normcase(_real(Path(os.path.expanduser("~"))))
    return _uuid5("\0".join((system, _user(), home)))


def _random_id() -> str:
    """A new UUID of version 4, for a system that has no id of its own."""
    return _uuid(os.urandom(16), 4)


def default_name() -> str:
    """The host's name, its first label, made safe; never empty."""
    if sys.platform == "win32":
        host = os.environ.get("COMPUTERNAME", "")
    else:
        host = os.uname().nodename
    return safe_name(host.partition(".")[0])


def safe_name(text: str) -> str:
    """The nearest string to `text` that may be a machine's name."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub("[^A-Za-z0-9_.]+", "-", plain).lstrip("-_.")[:_MAX_NAME].rstrip("-_.")
    if is_machine_name(name):
        return name
    return f"{name[: _MAX_NAME - 1]}_" if is_machine_name(f"{name}_") else _NO_NAME


def _uuid5(name: str) -> str:
    # RFC 9562, 5.5, by hand: importing uuid costs more than the rest of this file.
    return _uuid(hashlib.sha1(_NAMESPACE + os.fsencode(name), usedforsecurity=False).digest(), 5)


def _uuid(octets: bytes, version: int) -> str:
    value = bytearray(octets[:16])
    value[6] = value[6] & 0x0F | version << 4
    value[8] = value[8] & 0x3F | 0x80
    text = value.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


if sys.platform == "win32":

    def _user() -> str:
        return os.getlogin().lower()

    def _system_id() -> str | None:
        import winreg

        access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        try:
            with winreg.OpenKey(
                winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography", 0, access
            ) as key:
                return _checked(str(winreg.QueryValueEx(key, "MachineGuid")[0]))
        except OSError:
            return None

else:

    def _user() -> str:
        import pwd

        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            return str(os.getuid())

    def _system_id() -> str | None:
        return _mac_id() if sys.platform == "darwin" else _linux_id()


def _linux_id() -> str | None:
    """The id of https://www.freedesktop.org/software/systemd/man/latest/machine-id.html"""
    for path in _LINUX_FILES:
        try:
            found = _checked(os.fsdecode(read_small(Path(os.path.realpath(path)), 256)))
        except _NO_SUCH_FILE:
            continue
        except OSError as error:
            if error.errno in _NO_PLAIN_FILE:
                continue
            raise _unknown(error, path) from error
        if found:
            return found
    return None


def _mac_id() -> str | None:
    """What gethostuuid(3) says: the same as ioreg's IOPlatformUUID, without a process."""
    import ctypes

    class Timespec(ctypes.Structure):
        _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))

    found = ctypes.create_string_buffer(16)
    ask = getattr(ctypes.CDLL(None), "gethostuuid", None)
    if ask is None or ask(found, ctypes.byref(Timespec(5, 0))) != 0:
        return None
    return _checked(found.raw.hex())


def _is_uuid(value: object) -> bool:
    form = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    return isinstance(value, str) and re.fullmatch(form, value) is not None


def _checked(text: str) -> str | None:
    """A system's id in its plain form; None if it is none ("uninitialized", all zeros)."""
    plain = text.strip().lower().replace("-", "").strip("{}")
    return plain if re.fullmatch("[0-9a-f]{32}", plain) and plain.strip("0") else None
