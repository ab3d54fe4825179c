"""What a release is made of: sums, manifests, the trial of what was built, and the workflow."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from claude_sync import __version__
from end_to_end.machine import COMMAND

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    f"claude_sync-{__version__}.tar.gz",
    f"claude-sync-{__version__}-macos-arm64.zip",
    f"claude-sync-{__version__}-macos-x86_64.zip",
    f"claude-sync-{__version__}-windows-setup.exe",
)


def make(*arguments: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "packaging/release/make.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def released(folder: Path) -> dict[str, str]:
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text(name)
    return {name: hashlib.sha256(name.encode()).hexdigest() for name in NAMES}


def test_manifests_name_the_files_of_the_release_with_their_sums(tmp_path: Path) -> None:
    sums = released(tmp_path / "dist")
    make(tmp_path / "dist", tmp_path / "manifests")
    lines = (tmp_path / "dist/SHA256SUMS").read_text().splitlines()
    assert sorted(lines) == sorted(f"{value}  {name}" for name, value in sums.items())
    manifests = tmp_path / "manifests"
    made = {
        path.relative_to(manifests).as_posix(): path.read_text()
        for path in manifests.rglob("*.*")
        if path.is_file()
    }
    assert len(made) == 5
    text = "".join(made.values())
    assert not re.search(r"@[A-Z0-9_]+@", text)
    assert all(value in text for value in sums.values())
    assert made["winget/claude-sync.claude-sync.yaml"].count(__version__) == 1
    home = "https://github.com/claude-sync/claude-sync"
    for name in (NAMES[0], NAMES[3]):
        assert f"{home}/releases/download/v{__version__}/{name}" in text


def test_a_manifest_whose_file_is_missing_is_not_made(tmp_path: Path) -> None:
    released(tmp_path / "dist")
    (tmp_path / "dist" / NAMES[2]).unlink()
    said = make(tmp_path / "dist", tmp_path / "manifests").stderr
    assert said == (
        "homebrew/Casks/claude-sync.rb: not made, for there is no MACOS_X86_64_SHA256\n"
    )
    assert not (tmp_path / "manifests/homebrew/Casks").exists()


def test_what_was_built_is_tried_with_a_session(tmp_path: Path) -> None:
    smoke = [sys.executable, str(ROOT / "packaging/smoke.py")]
    done = subprocess.run([*smoke, str(COMMAND)], capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "the session arrived byte for byte, and the window shows it",
    ), done.stderr
    idle = tmp_path / "idle"
    idle.write_text("#!/bin/sh\n")
    idle.chmod(0o755)
    done = subprocess.run([*smoke, str(idle)], capture_output=True, encoding="utf-8")
    assert done.returncode == 1, "a program that does nothing isn't taken for one that works"


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_a_workflow_runs_what_is_here_and_trusts_no_moving_name(name: str) -> None:
    text = (ROOT / ".github/workflows" / name).read_text(encoding="utf-8")
    for path in re.findall(r"\b(packaging/[\w./-]+)", text):
        assert (ROOT / path).is_file(), path
    used = re.findall(r"uses: (\S+)", text)
    assert len(used) >= 8
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one) for one in used)
    # What the steps run reads no token that a checkout left.
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_no_workflow_may_write_more_than_it_says() -> None:
    texts = {path.name: path.read_text() for path in (ROOT / ".github/workflows").iterdir()}
    assert all("\npermissions:\n  contents: read\n" in text for text in texts.values())
    asked = {
        name: sorted(re.findall(r"^ +([\w-]+: write)", text, re.MULTILINE))
        for name, text in texts.items()
    }
    assert asked == {
        "ci.yml": [],
        "release.yml": [
            "attestations: write",
            "contents: write",
            "id-token: write",
            "id-token: write",
        ],
    }
