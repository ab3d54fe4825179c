"""What the wheel holds that the tree doesn't: the commit, one version, a README for PyPI."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from claude_sync import __version__

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def build(target: str, tree: Path, folder: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder, folder=tree)
    (built,) = folder.iterdir()
    return built


def built_commit(wheel: Path) -> str:
    names: dict[str, str] = {}
    with zipfile.ZipFile(wheel) as archive:
        exec(archive.read("claude_sync_app/_build.py"), names)
    return names["COMMIT"]


def committed(tree: Path) -> str:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    run("git", "init", "--quiet", folder=tree)
    run("git", "add", ".", folder=tree)
    run(*git, "commit", "--quiet", "-m", "all", folder=tree)
    return run("git", "rev-parse", "HEAD", folder=tree).strip()


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture
def unpacked(sdist: Path, tmp_path: Path) -> Path:
    """The tree that a source distribution holds."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "tree", filter="data")
    (tree,) = (tmp_path / "tree").iterdir()
    return tree


def test_the_wheel_knows_the_commit_of_its_clone(unpacked: Path, tmp_path: Path) -> None:
    (unpacked / "app/claude_sync_app/_build.py").unlink()
    commit = committed(unpacked)
    assert built_commit(build("wheel", unpacked, tmp_path / "clean")) == commit
    with (unpacked / "LICENSE").open("a") as file:
        file.write("\n")
    assert built_commit(build("wheel", unpacked, tmp_path / "changed")) == f"{commit}+"


def test_a_wheel_made_of_a_source_distribution_knows_its_commit(
    unpacked: Path, tmp_path: Path
) -> None:
    # Inside another repository, whose commit it must not take for its own.
    committed(unpacked.parent)
    (unpacked / "app/claude_sync_app/_build.py").write_text('COMMIT = "4f2a"\n')
    assert built_commit(build("wheel", unpacked, tmp_path / "wheel")) == "4f2a"
    (unpacked / "app/claude_sync_app/_build.py").unlink()
    assert built_commit(build("wheel", unpacked, tmp_path / "unknown")) == ""


def test_the_index_is_given_the_version_and_a_readme_without_relative_links(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        (name,) = (name for name in archive.getnames() if re.fullmatch(r"[^/]+/PKG-INFO", name))
        file = archive.extractfile(name)
        assert file is not None
        described = email.message_from_binary_file(file)
    assert described["Version"] == __version__
    text = described.get_payload()
    assert isinstance(text, str)
    relative = [link for link in re.findall(r"\]\(([^)\s]+)", text) if ":" not in link]
    assert [link for link in relative if not link.startswith("#")] == []
    pictures = re.findall(r"!\[[^\]]*\]\(([^)\s]+)", text)
    assert pictures
    assert all(
        re.match(rf"https://raw\.githubusercontent\.com/.+/v{re.escape(__version__)}/", one)
        for one in pictures
    )
