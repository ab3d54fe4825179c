"""What makes Debian package, bundle and release, as far as no network is needed for it."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"packaging_{Path(name).stem}", PACKAGING / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


wheels = loaded("debian/wheels.py")
entry = loaded("bundling/entry.py")
quick = loaded("bundling/quick.py")
sbom = loaded("release/sbom.py")


def wheel(folder: Path, name: str, files: dict[str, str], needs: str = "") -> Path:
    path = folder / name
    distribution, version = name.split("-")[:2]
    described = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{needs}\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{distribution}-{version}.dist-info/METADATA", described)
        archive.writestr(f"{distribution}-{version}.dist-info/RECORD", name)
        archive.writestr(f"{distribution}-{version}.dist-info/WHEEL", name)
        for file, text in files.items():
            archive.writestr(file, text)
    return path


def test_wheels_of_several_pythons_become_one_folder(tmp_path: Path) -> None:
    both = [
        wheel(
            tmp_path,
            f"zstd-1.0-cp{python}-cp{python}-manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
            {
                f"zstd/_c.cpython-{python}-x86_64-linux-gnu.so": python,
                "zstd/__init__.py": "same",
                "zstd-1.0.data/scripts/zstd": "not this",
                "zstd-1.0.data/purelib/beside.py": "placed",
            },
        )
        for python in ("311", "313")
    ]
    wheels.merge(both, tmp_path / "site")
    site = tmp_path / "site"
    found = {path.relative_to(site).as_posix() for path in site.rglob("*.*")}
    assert found == {
        "zstd/_c.cpython-311-x86_64-linux-gnu.so",
        "zstd/_c.cpython-313-x86_64-linux-gnu.so",
        "zstd/__init__.py",
        "beside.py",
        "zstd-1.0.dist-info",
    }
    assert not (tmp_path / "site/zstd-1.0.dist-info/RECORD").exists()
    assert wheels.libc_minor(both) == 17


def test_wheels_that_differ_where_they_must_not_are_refused(tmp_path: Path) -> None:
    both = [
        wheel(tmp_path, f"zstd-1.0-cp{python}-cp{python}-linux.whl", {"zstd/__init__.py": python})
        for python in ("311", "313")
    ]
    with pytest.raises(wheels.Unfit, match=r"zstd/__init__.py differs"):
        wheels.merge(both, tmp_path / "site")


def test_what_is_needed_is_judged_for_each_python(tmp_path: Path) -> None:
    own = wheel(
        tmp_path,
        "own-1.0-py3-none-any.whl",
        {},
        "Requires-Dist: Some.Zstd>=1; python_version < '3.14'\n"
        "Requires-Dist: pytest; extra == 'test'\n"
        "Requires-Dist: pywin32; sys_platform == 'win32'\n",
    )
    some = wheel(tmp_path, "some_zstd-1.0-cp311-cp311-linux.whl", {}, "Requires-Dist: six\n")
    six = wheel(tmp_path, "six-1.0-py2.py3-none-any.whl", {})
    by_name = {"own": own, "some-zstd": some, "six": six}
    assert sorted(wheels._closure(own, by_name, "3.13")) == ["own", "six", "some-zstd"]
    assert wheels._closure(own, by_name, "3.14") == ["own"]
    with pytest.raises(wheels.Unfit, match=r"six, which is needed on Python 3\.11"):
        wheels._closure(own, {"own": own, "some-zstd": some}, "3.11")


def test_a_wheel_is_known_to_fit_other_pythons() -> None:
    def fits(name: str) -> bool:
        return bool(wheels._is_of(Path(name), "3.13"))

    assert fits("six-1.0-py2.py3-none-any.whl")
    assert fits("cryptography-50.0-cp311-abi3-manylinux_2_34_x86_64.whl")
    assert fits("watchdog-7.1-py3-none-manylinux_2_17_x86_64.whl")
    assert not fits("pillow-13.0-cp311-cp311-manylinux_2_28_x86_64.whl")


def test_the_bundle_is_python_for_its_own_files_only(tmp_path: Path) -> None:
    own = tmp_path.resolve() / "bundle"
    (own / "pkg").mkdir(parents=True)
    hook, foreign = str(own / "pkg/hook.py"), str(tmp_path / "foreign.py")
    link = own.parent / "link.py"
    assert entry.for_python(["-X", "utf8", "-I", "-S", hook, "stop", "x"], str(own)) == [
        hook,
        "stop",
        "x",
    ]
    started = ["-X", "utf8", "-m", "claude_sync_app", "push", "--all"]
    assert entry.for_python(started, str(own)) == started[2:]
    for typed in (
        [],
        ["push"],
        ["--version"],
        ["unpack", hook],
        [hook],
        ["-I", foreign],
        ["-I", str(own / ".." / "foreign.py")],
        ["-m", "http.server"],
        ["-c", "print(1)"],
    ):
        assert entry.for_python(typed, str(own)) is None, typed
    if sys.platform != "win32":
        (own / "pkg/link.py").symlink_to(link)
        assert entry.for_python(["-I", str(own / "pkg/link.py")], str(own)) is None


def test_the_bundle_answers_first_what_the_client_waits_for(tmp_path: Path) -> None:
    own = tmp_path.resolve() / "bundle"
    hook = own.joinpath(*quick.HOOK)
    assert (PACKAGING.parent / "app").joinpath(*quick.HOOK).is_file()
    hook.parent.mkdir(parents=True)
    hook.touch()
    program, options = str(own / "claude-sync"), ["-X", "utf8", "-I", "-S"]
    started = [program, *options, str(hook), "start", str(own)]
    assert quick.start_arguments(started, str(own)) == ["start", str(own)]
    for other in (
        [program],
        [program, "push"],
        [program, *options, str(hook), "stop", str(own)],
        [program, *options, str(tmp_path / "hook.py"), "start", str(own)],
        [program, "pull", "start", str(own)],
    ):
        assert quick.start_arguments(other, str(own)) == [], other


def test_what_a_release_is_made_of_is_said_of_its_version() -> None:
    text = (PACKAGING.parent / "pyproject.toml").read_text(encoding="utf-8")
    described = sbom.with_version(text, "4.5.6")
    table = described.partition("\n[project]\n")[2].partition("\n[")[0]
    assert 'name = "claude-sync"\n' in table
    assert 'version = "4.5.6"\n' in table
    # By the standard, what has a value isn't left to the build.
    assert "dynamic" not in table
