"""What the wheel has to hold, and what the two commands of the README do before they do it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from claude_sync import __version__
from claude_sync_app.tray.icons.icons import IconState, application_image, assets

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("packaging/run", "packaging/test", "packaging/check", "packaging/setup.sh")


def packaged() -> dict[str, str]:
    """What is taken into the wheel from outside the packages, and where to."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = text.partition("[tool.hatch.build.targets.wheel.force-include]\n")[2]
    return dict(re.findall(r'^"(.+)" = "(.+)"$', table.partition("\n[")[0], re.MULTILINE))


def test_the_program_and_its_package_bear_one_version() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'^version = "(.+)"$', text, re.MULTILINE) == [__version__]


def test_every_file_that_the_program_reads_comes_with_it() -> None:
    taken = packaged()
    assert all((ROOT / source).exists() for source in taken)
    assert all(target == f"claude_sync_app/{source}" for source, target in taken.items())
    named = {
        "/".join(["assets", *re.findall(r'/ f?"([^"{]+?)(?:/?\{.*)?"', use)])
        for path in (ROOT / "app").rglob("*.py")
        for use in re.findall(r'assets\(\)((?: / f?"[^"]+")+)', path.read_text(encoding="utf-8"))
    }
    assert len(named) >= 3
    for name in named:
        assert any(name == source or name.startswith(f"{source}/") for source in taken), name
    assert all((assets() / "icons" / f"{state}.svg").is_file() for state in IconState)
    assert application_image().is_file()


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_are_plain_posix_sh(script: str) -> None:
    text = (ROOT / script).read_text(encoding="utf-8")
    assert "[[" not in text
    shells = (["dash"], ["busybox", "sh"], ["bash", "--posix"])
    known = [shell for shell in shells if shutil.which(shell[0])]
    assert known
    for shell in known:
        subprocess.run([*shell, "-n", ROOT / script], check=True)


@pytest.mark.skipif(os.name == "nt", reason="takes the system's tools one by one")
def test_a_tree_without_python_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "a tree's copy" / "packaging").mkdir(parents=True)
    tree = tmp_path / "a tree's copy"
    for script in SCRIPTS:
        (tree / script).write_bytes((ROOT / script).read_bytes())
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "mkdir", "rm", "tr", "cat", "sleep", "mv", "cmp", "id", "dirname"):
        (tools / tool).symlink_to(
            f"/bin/{tool}" if Path(f"/bin/{tool}").exists() else f"/usr/bin/{tool}"
        )
    done = subprocess.run(
        ["/bin/sh", tree / "packaging" / "run", "--version"],
        env={"PATH": str(tools), "HOME": str(tmp_path)},
        capture_output=True,
    )
    said = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert said[0] == "claude-sync: setting up .venv (once; needs the network)"
    assert re.fullmatch(
        r"claude-sync: needs Python 3\.\d+ or newer with its venv module: .+", said[-1]
    )
    assert not (tree / ".venv.lock").exists()
