"""Fills in what package managers want, from what a release holds: `make.py DIST [MANIFESTS]`.

DIST holds the files of the release. Their sums are written beside them, as SHA256SUMS. The
manifests for Homebrew and winget are made where what they name is there; what is missing is said.
All of it comes from the version of the package, its home page, and the files themselves.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SUMS = "SHA256SUMS"
# Where a manifest goes, and what is filled in there; the files of a release, by their names' ends.
FILES = {
    "SDIST": "{name}-{version}.tar.gz",
    "MACOS_ARM64": "claude-sync-{version}-macos-arm64.zip",
    "MACOS_X86_64": "claude-sync-{version}-macos-x86_64.zip",
    "WINDOWS": "claude-sync-{version}-windows-setup.exe",
}
MANIFESTS = {
    "homebrew/claude-sync.formula.rb": "homebrew/Formula/claude-sync.rb",
    "homebrew/claude-sync.cask.rb": "homebrew/Casks/claude-sync.rb",
    **{
        name: name
        for name in (
            "winget/claude-sync.claude-sync.yaml",
            "winget/claude-sync.claude-sync.installer.yaml",
            "winget/claude-sync.claude-sync.locale.en-US.yaml",
        )
    },
}


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2):
        print("usage: make.py DIST [MANIFESTS]", file=sys.stderr)
        return 2
    dist = Path(arguments[0])
    target = Path(arguments[1]) if len(arguments) == 2 else dist / "manifests"
    sums = write_sums(dist)
    values = known(sums)
    for source, place in MANIFESTS.items():
        text, missing = filled(HERE.joinpath(source).read_text(encoding="utf-8"), values)
        if missing:
            print(f"{place}: not made, for there is no {', '.join(missing)}", file=sys.stderr)
            continue
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)
    return 0


def write_sums(dist: Path) -> dict[str, str]:
    """Write the sums of all files, as sha256sum does; returns them by name."""
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(dist.iterdir())
        if path.is_file() and path.name != SUMS
    }
    lines = [f"{value}  {name}\n" for name, value in found.items()]
    (dist / SUMS).write_text("".join(lines), encoding="utf-8")
    return found


def known(sums: Mapping[str, str]) -> dict[str, str]:
    """All that can be filled in."""
    init = (ROOT / "core/claude_sync/__init__.py").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.findall(r'^__version__ = "(.+)"$', init, re.MULTILINE)[0]
    home = re.findall(r'^Homepage = "(.+)"$', project, re.MULTILINE)[0]
    values = {"VERSION": version, "HOME": home}
    for name, form in FILES.items():
        file = form.format(name="claude_sync", version=version)
        if file in sums:
            values[f"{name}_URL"] = f"{home}/releases/download/v{version}/{file}"
            values[f"{name}_SHA256"] = sums[file]
    return values


def filled(text: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """A text with everything filled in, and what there was nothing for."""
    missing = sorted(set(re.findall(r"@([A-Z0-9_]+)@", text)) - set(values))
    return re.sub(r"@([A-Z0-9_]+)@", lambda name: values.get(name[1], name[0]), text), missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
