"""What is put into the wheel and the source distribution at build, and isn't in the tree.

hatchling loads this file, see ``pyproject.toml``. It adds

- ``claude_sync_app/_build.py``, with the commit that was built, which ``--version`` shows;
- the README as PyPI shows it: there no picture and no link may be relative, so they lead to the
  repository as it was at this version.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

_MODULE = "claude_sync_app/_build.py"
_PICTURE = re.compile(r"(!\[[^\]]*\]\()(?!https?:)([^)\s]+)")
_LINK = re.compile(r"((?<!!)\[[^\]]*\]\()(?!https?:|#|mailto:)([^)\s]+)")


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the commit that is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a target is built.

        Args:
            version: "standard", or "editable": the tree changes after that, so no commit is noted.
            build_data: what hatchling adds to the target.
        """
        if version == "editable":
            return
        text = _in_tree(Path(self.root)) or f'COMMIT = "{commit_of(Path(self.root))}"\n'
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "_build.py"
        path.write_text(text, encoding="ascii")
        # An sdist holds it where the tree has the package, so that a wheel made of it has it too.
        target = f"app/{_MODULE}" if self.target_name == "sdist" else _MODULE
        build_data["force_include"][str(path)] = target

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the target was built."""
        del build_data, artifact_path
        if version != "editable":
            self._folder.cleanup()


class MetadataHook(MetadataHookInterface):
    """Gives the README to PyPI."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called before the metadata is used.

        Args:
            metadata: the table `project` of ``pyproject.toml``, with the version.
        """
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        home = metadata["urls"]["Homepage"]
        readme = with_absolute_links(text, home, f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}


def with_absolute_links(text: str, repository: str, tag: str) -> str:
    """A paper of the tree with links that lead to the repository.

    Args:
        text: Markdown.
        repository: its address at GitHub.
        tag: the version that is meant.
    """
    raw = repository.replace("https://github.com/", "https://raw.githubusercontent.com/")
    text = _PICTURE.sub(rf"\g<1>{raw}/{tag}/\g<2>", text)
    return _LINK.sub(rf"\g<1>{repository}/blob/{tag}/\g<2>", text)


def commit_of(root: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The commit that a tree is at, with "+" if tracked files differ from it.

    "" where that can't be told: without git, and outside a clone of our own (an sdist that was
    unpacked inside another repository must not get that one's commit).
    """
    if not (root / ".git").exists():
        return ""
    try:
        commit = _git(root, environment, "rev-parse", "HEAD").strip()
        changed = _git(root, environment, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        return ""
    return f"{commit}+" if changed.strip() else commit


def _git(root: Path, environment: Mapping[str, str], *arguments: str) -> str:
    return subprocess.run(
        ["git", "--no-optional-locks", "-C", str(root), *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _in_tree(root: Path) -> str:
    """What an sdist brought."""
    path = root / "app" / _MODULE
    return path.read_text(encoding="ascii") if path.is_file() else ""
