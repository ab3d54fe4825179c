"""What the wheel has to hold, and what the two commands of the README do before they do it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from claude_sync_app.tray.icons.icons import IconState, application_image, assets
from programs import require

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name == "nt", reason="takes the system's tools one by one")
SCRIPTS = ("packaging/run", "packaging/test", "packaging/check", "packaging/setup.sh")
INSTALLERS = sorted(
    str(path.relative_to(ROOT).as_posix())
    for path in [*(ROOT / "packaging").iterdir(), *(ROOT / "packaging").glob("[dp]*/*")]
    if path.is_file() and path.read_bytes().startswith((b"#!/bin/sh\n", b"# shellcheck shell=sh\n"))
)
HOOK = "assets/plugin/session-sync/hooks/run"


def packaged() -> dict[str, str]:
    """What is taken into the wheel from outside the packages, and where to."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = text.partition("[tool.hatch.build.targets.wheel.force-include]\n")[2]
    return dict(re.findall(r'^"(.+)" = "(.+)"$', table.partition("\n[")[0], re.MULTILINE))


def test_links_between_the_papers_lead_somewhere() -> None:
    papers = [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob(".github/*.md")]
    links = [
        (paper, link)
        for paper in papers
        for link in re.findall(r"\]\(([^)#:]+)\)", paper.read_text(encoding="utf-8"))
    ]
    assert [(str(paper), link) for paper, link in links if not (paper.parent / link).exists()] == []
    assert len(links) >= 5


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


@pytest.mark.parametrize("script", [*INSTALLERS, HOOK])
def test_the_scripts_are_plain_posix_sh(script: str) -> None:
    assert len(INSTALLERS) >= 15
    text = (ROOT / script).read_text(encoding="utf-8")
    assert "[[" not in text
    shells = (["dash"], ["busybox", "sh"], ["bash", "--posix"])
    known = [shell for shell in shells if shutil.which(shell[0])]
    if not known:
        pytest.skip("needs a shell of POSIX")
    for shell in known:
        subprocess.run([*shell, "-n", ROOT / script], check=True)


def run_bare(
    command: Sequence[str | Path],
    folder: Path,
    answer: str | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, list[str]]:
    """Run a script where there is no program but some of the system's and an apt that only notes.

    Args:
        command: what is run, without its shell.
        folder: where those programs lie in ``bin``, and apt's notes in ``apt``.
        answer: what is typed on a terminal; None for no terminal.
        more: programs that are there as well: what each does, by its name.

    Returns:
        The exit status, and the lines of standard error.
    """
    tools = folder / "bin"
    tools.mkdir()
    for tool in (
        "sh",
        "mkdir",
        "rm",
        "tr",
        "cat",
        "sleep",
        "mv",
        "cmp",
        "dirname",
        "env",
        "mktemp",
    ):
        (tools / tool).symlink_to(
            f"/bin/{tool}" if Path(f"/bin/{tool}").exists() else f"/usr/bin/{tool}"
        )
    for name, script in (
        ("apt-get", f"printf '%s\\n' \"$*\" >>'{folder}/apt'"),
        ("id", "echo 0"),
        *more.items(),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    ours, theirs = os.openpty() if answer is not None else (None, subprocess.DEVNULL)
    if ours is not None:
        os.write(ours, f"{answer}\n".encode())
    process = subprocess.Popen(
        ["/bin/sh", *command],
        env={"PATH": str(tools), "HOME": str(folder)},
        stdin=theirs,
        stderr=theirs if ours is not None else subprocess.PIPE,
    )
    if ours is None:
        _, text = process.communicate()
    else:
        os.close(theirs)
        text = _read_terminal(ours)
        os.close(ours)
    return process.wait(), text.decode().splitlines()


def _read_terminal(ours: int) -> bytes:
    text = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # Linux says so when the last one at the other end has gone
            return text
        if not block:
            return text
        text += block


def copy_of_scripts(folder: Path) -> Path:
    """A tree with the scripts and nothing else."""
    tree = folder / "a tree's copy"
    (tree / "packaging").mkdir(parents=True)
    for script in (*SCRIPTS, "packaging/test-programs"):
        (tree / script).write_bytes((ROOT / script).read_bytes())
    return tree


INSTALL = '. "$root/packaging/setup.sh"; install_what_tests_use'


def install(folder: Path, answer: str | None = None) -> tuple[list[str], str]:
    """What is said about the programs that the tests want, and what apt was asked."""
    tree = copy_of_scripts(folder)
    script = folder / "script"
    script.write_text(f'root="{tree}"\n{INSTALL}\n')
    status, said = run_bare([script], folder, answer)
    assert status == 0
    notes = folder / "apt"
    return said, notes.read_text() if notes.exists() else ""


def packages() -> dict[str, str]:
    """What the tests want, by Debian's names, and why."""
    text = (ROOT / "packaging" / "test-programs").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return {package: reason for package, program, reason in rows if not program.startswith("/")}


def test_what_desktops_read_of_the_package_is_as_they_want_it(tmp_path: Path) -> None:
    require("desktop-file-validate", "appstreamcli")
    linux = ROOT / "packaging" / "linux"
    entry = linux / "claude-sync.desktop"
    done = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    name = "io.github.claude_sync.claude_sync.metainfo.xml"
    text = (linux / name).read_text(encoding="utf-8")
    filled = tmp_path / name
    filled.write_text(text.replace("@VERSION@", "1.0").replace("@DATE@", "2026-01-31"))
    subprocess.run(["appstreamcli", "validate", "--no-net", filled], check=True)
    # A double click on a session's file leads to the program that asks about it.
    kind = re.findall(r'mime-type type="(.+)"', (linux / "claude-sync.mime.xml").read_text())
    assert kind == ["application/x-ccsync"]
    assert f"MimeType={kind[0]};" in entry.read_text()
    assert "Exec=claude-sync-tray %f" in entry.read_text()


@posix
def test_what_the_tests_install_is_said_before_it_is_installed(tmp_path: Path) -> None:
    said, asked_of_apt = install(tmp_path)
    begun = next(number for number, line in enumerate(said) if ": installing " in line)
    told = [" ".join(line.split()) for line in said[:begun]]
    # Two lie where the system keeps its own, which is looked at whatever the PATH says.
    found = ("openssh-server", "iproute2")
    wanted = {package: why for package, why in packages().items() if package not in found}
    assert len(wanted) >= 20
    for package, reason in wanted.items():
        assert f"{package} {reason}" in told
        assert f" {package}" in asked_of_apt


@posix
@pytest.mark.parametrize("answer", ["", "y"])
def test_on_a_terminal_it_asks_first(tmp_path: Path, answer: str) -> None:
    said, asked_of_apt = install(tmp_path, answer)
    assert any("Install them now? [Y/n]" in line for line in said)
    assert "install" in asked_of_apt


@posix
def test_a_no_installs_nothing(tmp_path: Path) -> None:
    said, asked_of_apt = install(tmp_path, "n")
    assert asked_of_apt == ""
    assert said[-1].endswith("claude-sync: going on without: tests that need them are skipped")


@posix
def test_no_install_touches_no_package_even_without_a_python(tmp_path: Path) -> None:
    tree = copy_of_scripts(tmp_path)
    status, said = run_bare([tree / "packaging" / "test", "--no-install"], tmp_path)
    assert status == 1
    assert said[-1].startswith("claude-sync: needs Python")
    assert not (tmp_path / "apt").exists()


@posix
def test_a_tree_without_python_says_how_to_get_it(tmp_path: Path) -> None:
    tree = copy_of_scripts(tmp_path)
    status, said = run_bare([tree / "packaging" / "run", "--version"], tmp_path)
    assert status == 1
    assert said[0] == "claude-sync: setting up .venv (once; needs the network)"
    assert re.fullmatch(
        r"claude-sync: needs Python 3\.\d+ or newer with its venv module: .+", said[-1]
    )
    assert not (tree / ".venv.lock").exists()


@posix
def test_an_environment_that_is_not_finished_leaves_no_disk_full(tmp_path: Path) -> None:
    tree = copy_of_scripts(tmp_path)
    half = tmp_path / "half"
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").write_text("#!/bin/sh\necho 'No space left on device' >&2\nexit 1\n")
    (half / "bin" / "python").chmod(0o755)
    python = f'case "$*" in "-m venv "*) mv \'{half}\' "$3" ;; *) echo python3 ;; esac'
    status, said = run_bare(
        [tree / "packaging" / "run", "--version"], tmp_path, more={"python3": python, "git": ":"}
    )
    assert status == 1
    assert said[1:] == [
        "No space left on device",
        "claude-sync: couldn't install what claude-sync needs; see above",
    ]
    assert not half.exists(), "it was begun"
    assert not (tree / ".venv").exists()
