"""Makes the Debian package: ``sh packaging/deb``. See `packaging/README.md` for what is in it."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE)]

from wheels import Unfit, fetch, libc_minor, licences, merge  # noqa: E402

PYTHONS = "3.11 3.12 3.13 3.14"  # Debian 12; Ubuntu 24.04; Debian 13; Ubuntu 26.04
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
SIZES = (16, 22, 24, 32, 48, 64, 128, 256)
HOME = Path("usr/lib/claude-sync")
DOC = Path("usr/share/doc/claude-sync")
COMPLETIONS = {
    "bash": "bash-completion/completions/claude-sync",
    "zsh": "zsh/vendor-completions/_claude-sync",
    "fish": "fish/vendor_completions.d/claude-sync.fish",
}
SCRIPTS = {
    "claude-sync": "from claude_sync_app.cli import main",
    "claude-sync-tray": "from claude_sync_app.cli.commands.tray import main",
}


def main() -> int:
    arguments = _arguments()
    pythons = arguments.python.split()
    with tempfile.TemporaryDirectory(prefix="claude-sync-deb-") as name:
        folder = Path(name)
        try:
            wheel = _built_wheel(folder)
            wheels = fetch(wheel, pythons, MACHINES[arguments.architecture], folder)
            tree = folder / "tree"
            site = tree / HOME / "lib/site-packages"
            merge(wheels, site)
        except Unfit as error:
            print(f"claude-sync: {error}", file=sys.stderr)
            return 1
        version = wheel.name.split("-")[1]
        _environment(tree, pythons)
        _desktop(tree, version)
        _documents(tree, version, site)
        _made_of_the_parser(tree)
        _control(tree, version, arguments.architecture, pythons, libc_minor(wheels))
        made = _package(tree, version, arguments.architecture)
    print(made)
    return _lint(made)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sh packaging/deb")
    here = {machine: name for name, machine in MACHINES.items()}.get(platform.machine(), "amd64")
    parser.add_argument("--architecture", choices=sorted(MACHINES), default=here)
    parser.add_argument("--python", default=PYTHONS, help=f"versions (default: {PYTHONS})")
    return parser.parse_args()


def _built_wheel(folder: Path) -> Path:
    target = folder / "own"
    command = [sys.executable, "-I", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    command += ["wheel", "--no-deps", "--wheel-dir", str(target), str(ROOT)]
    if subprocess.run(command, check=False).returncode:
        raise Unfit("the wheel can't be built; see above")
    (wheel,) = target.glob("*.whl")
    return wheel


def _environment(tree: Path, pythons: list[str]) -> None:
    """A virtual environment that is whichever of the versions the system's Python is."""
    home = tree / HOME
    (home / "bin").mkdir(parents=True)
    (home / "bin/python").symlink_to("../../../bin/python3")
    _write(home / "pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n")
    for python in pythons:
        (home / f"lib/python{python}").mkdir()
        (home / f"lib/python{python}/site-packages").symlink_to("../site-packages")
    (tree / "usr/bin").mkdir(parents=True)
    for name, importing in SCRIPTS.items():
        # -I: nothing of the caller's Python settings may lead it astray.
        text = f"#!/{HOME}/bin/python -I\nimport sys\n\n{importing}\n\nsys.exit(main())\n"
        _write(home / "bin" / name, text, 0o755)
        (tree / "usr/bin" / name).symlink_to(f"../lib/claude-sync/bin/{name}")


def _desktop(tree: Path, version: str) -> None:
    """Entry, icons, the type of our files, what software centres show, and the user's service."""
    share = tree / "usr/share"
    linux = ROOT / "packaging/linux"
    _copy(linux / "claude-sync.desktop", share / "applications/claude-sync.desktop")
    _copy(linux / "claude-sync.mime.xml", share / "mime/packages/claude-sync.xml")
    name = "io.github.claude_sync.claude_sync.metainfo.xml"
    text = (linux / name).read_text(encoding="utf-8")
    day = datetime.fromtimestamp(_epoch(), timezone.utc).date().isoformat()
    text = text.replace("@VERSION@", version).replace("@DATE@", day)
    _write(share / "metainfo" / name, text)
    unit = "usr/lib/systemd/user/claude-sync.service"
    _copy(linux / "claude-sync.service", tree / unit)
    icons = share / "icons/hicolor"
    source = ROOT / "assets/claude-sync.svg"
    _copy(source, icons / "scalable/apps/claude-sync.svg")
    from claude_sync_app.tray.icons.svg import draw

    for size in SIZES:
        path = icons / f"{size}x{size}/apps/claude-sync.png"
        path.parent.mkdir(parents=True)
        draw(source.read_text(encoding="ascii"), size, {}).save(path, optimize=True)
        path.chmod(0o644)


def _documents(tree: Path, version: str, site: Path) -> None:
    """Licences and changes."""
    rows = [
        f"{name} {number}\n  {licence}\n  {home}".rstrip()
        for name, number, licence, home in licences(site)
    ]
    own = (ROOT / "LICENSE").read_text(encoding="utf-8")
    _write(
        tree / DOC / "copyright",
        f"{own}\nThe package also holds these, each under the licence that it names. Their texts\n"
        f"lie beside them, in /{HOME}/lib/site-packages/*.dist-info; that of the LGPL is\n"
        "/usr/share/common-licenses/LGPL-3.\n\n" + "\n".join(rows) + "\n",
    )
    changes = (ROOT / "packaging/CHANGELOG.md").read_bytes()
    _write_gz(tree / DOC / "NEWS.gz", changes)
    when = format_datetime(datetime.fromtimestamp(_epoch(), timezone.utc))
    log = (
        f"claude-sync ({version}) unstable; urgency=medium\n\n  * See NEWS.gz.\n\n"
        f" -- claude-sync contributors <claude-sync@users.noreply.github.com>  {when}\n"
    )
    _write_gz(tree / DOC / "changelog.gz", log.encode())


def _made_of_the_parser(tree: Path) -> None:
    """Manual pages and completions."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(_epoch())}
        command = [sys.executable, str(ROOT / "packaging/man_pages.py"), folder]
        subprocess.run(command, env=environment, check=True)
        for page in Path(folder).iterdir():
            _write_gz(tree / "usr/share/man/man1" / f"{page.name}.gz", page.read_bytes())
    for shell, name in COMPLETIONS.items():
        command = [sys.executable, "-I", "-m", "claude_sync_app", "completion", shell]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        _write(tree / "usr/share" / name, text)


def _control(tree: Path, version: str, architecture: str, pythons: list[str], libc: int) -> None:
    major, minor = pythons[-1].split(".")
    size = sum(path.lstat().st_size for path in tree.rglob("*") if path.is_file())
    values = {
        "VERSION": version,
        "ARCHITECTURE": architecture,
        "SIZE": str(size // 1024),
        "OLDEST": pythons[0],
        "BEYOND": f"{major}.{int(minor) + 1}",
        "LIBC": f"2.{libc}",
    }
    text = (HERE / "control").read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    _write(tree / "DEBIAN/control", text)
    for name in ("postinst", "prerm"):
        _copy(HERE / name, tree / "DEBIAN" / name, 0o755)
    _copy(HERE / "rtupdate", tree / "usr/share/python3/runtime.d/claude-sync.rtupdate", 0o755)
    _copy(HERE / "lintian-overrides", tree / "usr/share/lintian/overrides/claude-sync")
    sums = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  "
        f"{path.relative_to(tree)}\n"
        for path in sorted((tree / "usr").rglob("*"))
        if path.is_file() and not path.is_symlink()
    ]
    _write(tree / "DEBIAN/md5sums", "".join(sums))


def _package(tree: Path, version: str, architecture: str) -> Path:
    for path in [tree, *tree.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    for path in (tree / HOME / "lib/site-packages").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    target = dist / f"claude-sync_{version}_{architecture}.deb"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(_epoch())}
    half = target.with_suffix(".half")
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(half)]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    half.replace(target)
    return target


def _lint(package: Path) -> int:
    """lintian's judgement, where it is installed; its errors are ours."""
    if shutil.which("lintian") is None:
        print("claude-sync: lintian isn't installed, so it wasn't asked", file=sys.stderr)
        return 0
    # As root it warns of that alone.
    command = ["lintian", "--allow-root", "--fail-on=error", "--tag-display-limit=0"]
    return subprocess.run([*command, str(package)], check=False).returncode


def _epoch() -> int:
    """When the tree was committed, so that the same commit makes the same package."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given.isdigit():
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else int((ROOT / "README.md").stat().st_mtime)


def _copy(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def _write(target: Path, text: str, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    target.chmod(mode)


def _write_gz(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(data, 9, mtime=0))
    target.chmod(0o644)


if __name__ == "__main__":
    sys.exit(main())
