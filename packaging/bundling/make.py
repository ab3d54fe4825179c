"""Makes the bundle that needs no Python: ``sh packaging/bundle``."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DIST = ROOT / "dist"
PYINSTALLER = "pyinstaller>=6.11"
PAPERS = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS", "METADATA")
INNO_SETUP = r"C:\Program Files (x86)\Inno Setup 6\ISCC.exe"


def main() -> int:
    DIST.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="claude-sync-bundle-") as name:
        folder = Path(name)
        python, version = _environment(folder)
        _run_pyinstaller(python, version, folder)
        _add_papers(folder)
        for archive in _archives(folder, version):
            print(archive)
    return 0


def _environment(folder: Path) -> tuple[Path, str]:
    """An environment that holds the wheel of this tree, and PyInstaller."""
    venv.create(folder / "environment", with_pip=True)
    scripts = "Scripts" if os.name == "nt" else "bin"
    python = folder / "environment" / scripts / ("python.exe" if os.name == "nt" else "python")
    pip = [str(python), "-I", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheels = folder / "wheel"
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", str(wheel), PYINSTALLER], check=True)
    return python, wheel.name.split("-")[1]


def _run_pyinstaller(python: Path, version: str, folder: Path) -> None:
    spec = folder / "recipe/packaging/bundling"
    # A copy, for PyInstaller's recipe wants what is made for it beside it.
    shutil.copytree(HERE, spec)
    shutil.copytree(ROOT / "assets/images", folder / "recipe/assets/images")
    (spec / "version.txt").write_text(_windows_version(version), encoding="utf-8")
    command = [str(python), "-I", "-m", "PyInstaller", "--noconfirm", "--log-level=WARN"]
    command += ["--distpath", str(folder / "made"), "--workpath", str(folder / "work")]
    subprocess.run([*command, str(spec / "claude-sync.spec")], cwd=folder, check=True)


def _add_papers(folder: Path) -> None:
    """Our papers, and the licences of all that the bundle holds."""
    bundle = folder / "made/claude-sync"
    for name in ("LICENSE", "README.md"):
        shutil.copyfile(ROOT / name, bundle / name)
    for described in (folder / "environment").rglob("*.dist-info"):
        name = described.name.removesuffix(".dist-info")
        if name.startswith(("pip-", "setuptools-")):
            continue
        for path in described.rglob("*"):
            if path.is_file() and path.name.upper().startswith(PAPERS):
                target = bundle / "licences" / name / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def _archives(folder: Path, version: str) -> list[Path]:
    """Pack what was made; returns the archives."""
    machine = platform.machine().lower()
    made = folder / "made"
    if sys.platform == "darwin":
        target = DIST / f"claude-sync-{version}-macos-{machine}.zip"
        # Keeps links and signatures, which zipfile doesn't.
        command = ["ditto", "-c", "-k", "--keepParent", str(made / "claude-sync.app"), str(target)]
        subprocess.run(command, check=True)
        return [target]
    if sys.platform == "win32":
        target = DIST / f"claude-sync-{version}-windows-{machine}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted((made / "claude-sync").rglob("*")):
                archive.write(path, path.relative_to(made))
        return [target, *_installer(made / "claude-sync", version)]
    target = DIST / f"claude-sync-{version}-linux-{machine}.tar.xz"
    half = target.with_suffix(".half")
    with tarfile.open(half, "w:xz") as archive:
        archive.add(made / "claude-sync", "claude-sync", filter=_owned_by_nobody_here)
    half.replace(target)
    return [target]


def _owned_by_nobody_here(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _installer(bundle: Path, version: str) -> list[Path]:
    """Windows' installer, where Inno Setup is there to make it."""
    compiler = shutil.which("ISCC") or INNO_SETUP
    if not Path(compiler).is_file():
        print("claude-sync: Inno Setup isn't here, so there is no installer", file=sys.stderr)
        return []
    defined = {
        "Version": version,
        "Folder": str(bundle),
        "Output": str(DIST),
        "Icon": str(ROOT / "assets/images/claude-sync.ico"),
    }
    command = [compiler, "/Q", *[f"/D{name}={value}" for name, value in defined.items()]]
    subprocess.run([*command, str(HERE / "claude-sync.iss")], check=True)
    return [DIST / f"claude-sync-{version}-windows-setup.exe"]


def _windows_version(version: str) -> str:
    """What Windows shows of a program's version, as PyInstaller reads it."""
    numbers = [int(part) if part.isdigit() else 0 for part in version.split(".")[:3]]
    four = tuple([*numbers, 0, 0, 0][:4])
    strings = {
        "CompanyName": "claude-sync contributors",
        "FileDescription": "claude-sync",
        "FileVersion": version,
        "ProductName": "claude-sync",
        "ProductVersion": version,
    }
    rows = ", ".join(f"StringStruct({name!r}, {value!r})" for name, value in strings.items())
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={four}, prodvers={four}), kids=[\n"
        f"  StringFileInfo([StringTable('040904B0', [{rows}])]),\n"
        "  VarFileInfo([VarStruct('Translation', [1033, 1200])])])\n"
    )


if __name__ == "__main__":
    sys.exit(main())
