"""Writes what a release is made of, in CycloneDX's form: `sbom.py PYTHON DIST`.

PYTHON is that of an environment that holds the wheel and what it needs, and nothing else; the file
goes into DIST. Needs the package cyclonedx-bom, in the Python that runs this.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASK_VERSION = "from importlib.metadata import version; print(version('claude-sync'))"


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: sbom.py PYTHON DIST", file=sys.stderr)
        return 2
    python, dist = arguments
    asked = [python, "-I", "-c", ASK_VERSION]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    target = Path(dist, f"claude-sync-{version}.cdx.json")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "pyproject.toml")
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        project.write_text(with_version(text, version), encoding="utf-8")
        command = [sys.executable, "-m", "cyclonedx_py", "environment", python]
        command += ["--pyproject", str(project), "--mc-type", "application"]
        command += ["--output-reproducible", "--output-file", str(target)]
        subprocess.run(command, check=True)
    print(target)
    return 0


def with_version(project: str, version: str) -> str:
    """A pyproject.toml that says the version, which ours leaves to the build.

    Args:
        project: its text.
        version: what was built.
    """
    text, number = re.subn(
        r"^dynamic = .*$", f'version = "{version}"', project, count=1, flags=re.MULTILINE
    )
    assert number, "pyproject.toml has no line that begins with `dynamic`"
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
