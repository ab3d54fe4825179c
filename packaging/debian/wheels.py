"""The program and all that it needs, as one folder that several versions of Python can use.

Extension modules bear their Python's version in their names, so those of all versions lie side by
side; everything else is the same for all, which is made sure of.
"""

from __future__ import annotations

import email
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_NEWEST_LIBC = 35  # of glibc 2: Ubuntu 22.04's; Debian 12 has 36


class Unfit(Exception):
    """The wheels can't be one folder; says why."""


def fetch(source: Path, pythons: Sequence[str], machine: str, folder: Path) -> list[Path]:
    """Have pip fetch wheels for several versions of Python.

    Args:
        source: the program's own wheel.
        pythons: such as "3.11".
        machine: such as "x86_64".
        folder: where to.

    Returns:
        all wheels, the program's among them.

    Raises:
        Unfit: what the program needs can't be had for all of them.
    """
    # Resolved once, so that all versions of Python get the same releases.
    resolved = folder / "resolved"
    _pip("download", "--dest", str(resolved), *_for(pythons[0], machine), str(source))
    by_name = {_named(path): path for path in resolved.glob("*.whl")}
    by_name[_named(source)] = source
    others = folder / "others"
    chosen = set()
    for python in pythons:
        needed = [by_name[name] for name in _closure(source, by_name, python)]
        chosen |= {path for path in needed if _is_of(path, python)}
        pins = ["==".join(path.name.split("-")[:2]) for path in needed if not _is_of(path, python)]
        if pins:
            _pip("download", "--no-deps", "--dest", str(others), *_for(python, machine), *pins)
    return sorted(chosen) + sorted(others.glob("*.whl"))


def merge(wheels: Sequence[Path], site: Path) -> None:
    """Unpack wheels into one folder.

    Args:
        wheels: what `fetch` returned.
        site: the folder.

    Raises:
        Unfit: two of them hold different files of one name.
    """
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                target = site / _placed(name)
                data = archive.read(name)
                if name.endswith("/") or _is_left_out(name):
                    continue
                if target.exists():
                    # What describes a wheel differs between those of one release: the first stays.
                    if target.read_bytes() != data and ".dist-info/" not in name:
                        raise Unfit(f"{name} differs between the wheels of {wheel.name}")
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)


def libc_minor(wheels: Sequence[Path]) -> int:
    """The oldest glibc, 2.this, that all wheels run with."""
    needed = [17]
    for wheel in wheels:
        tags = [int(minor) for minor in re.findall(r"manylinux_2_(\d+)_", wheel.name)]
        if tags:
            needed.append(min(tags))
    return max(needed)


def licences(site: Path) -> list[tuple[str, str, str, str]]:
    """Name, version, licence and home page of each package in a folder."""
    found = []
    for path in sorted(site.glob("*.dist-info/METADATA")):
        text = email.message_from_string(path.read_text(encoding="utf-8"))
        classified = [
            value.rpartition(" :: ")[2]
            for value in text.get_all("Classifier", [])
            if value.startswith("License :: ")
        ]
        licence = text.get("License-Expression") or ", ".join(classified)
        short = (text.get("License") or "").strip().split("\n")[0]
        urls = [value.partition(", ")[2] for value in text.get_all("Project-URL", [])]
        home = text.get("Home-page") or next(iter(urls), "")
        found.append((text["Name"], text["Version"], licence or short or "see there", home))
    return found


def _closure(source: Path, by_name: Mapping[str, Path], python: str) -> list[str]:
    """All that a wheel needs on a version of Python, itself among it.

    pip judges what is needed by the Python that pip itself runs in, so it is judged anew.
    """
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    found: list[str] = []
    wanted = [_named(source)]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        if name not in by_name:
            raise Unfit(f"{name}, which is needed on Python {python}, wasn't fetched")
        found.append(name)
        with zipfile.ZipFile(by_name[name]) as archive:
            (path,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            text = email.message_from_bytes(archive.read(path))
        for line in text.get_all("Requires-Dist", []):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate(
                {**environment, "extra": ""}
            ):
                wanted.append(canonicalize_name(requirement.name))
    return found


def _is_of(wheel: Path, python: str) -> bool:
    """Whether a wheel that fits the oldest Python fits this one, too."""
    tag, abi = wheel.name.split("-")[-3:-1]
    return "abi3" in abi or "none" in abi or f"cp{python.replace('.', '')}" in tag


def _named(wheel: Path) -> str:
    return canonicalize_name(wheel.name.split("-")[0])


def _for(python: str, machine: str) -> list[str]:
    short = python.replace(".", "")
    abis = [f"cp{short}", "abi3", "none"]
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(_NEWEST_LIBC, 4, -1)]
    platforms += [f"manylinux2014_{machine}"]
    return [
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={python}",
        *[f"--abi={abi}" for abi in abis],
        *[f"--platform={platform}" for platform in platforms],
    ]


def _pip(*arguments: str) -> None:
    # The caller's settings of pip hold: it may have an index of its own.
    command = [sys.executable, "-I", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *arguments], check=False)
    if done.returncode:
        raise Unfit("pip couldn't fetch all wheels; see above")


def _placed(name: str) -> str:
    """Where a member lies: what is to lie beside the packages already does."""
    parts = name.split("/")
    if parts[0].endswith(".data") and len(parts) > 2 and parts[1] in ("purelib", "platlib"):
        return "/".join(parts[2:])
    return name


def _is_left_out(name: str) -> bool:
    """Scripts are made for this package; what pip notes down is of no use without pip."""
    first, _, rest = name.partition("/")
    if first.endswith(".data"):
        return not rest.startswith(("purelib/", "platlib/"))
    return first.endswith(".dist-info") and rest in ("RECORD", "INSTALLER", "REQUESTED")
