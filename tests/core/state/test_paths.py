from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from claude_sync.claude.home import ClaudeHome
from claude_sync.disk.home_directory import home_directory
from claude_sync.errors import UsageError
from claude_sync.state.paths import Paths, paths
from claude_sync.sync.setup import default_location

pytestmark = pytest.mark.filterwarnings("ignore::platformdirs.RuntimeDirWarning")


def as_platformdirs_says() -> tuple[Path, Path]:
    from platformdirs import PlatformDirs

    directories = PlatformDirs("claude-sync", appauthor=False)
    return directories.user_config_path, directories.user_state_path


@pytest.mark.parametrize("value", [None, "", "relative/path", "{home}/elsewhere", "~/elsewhere"])
def test_the_places_are_those_of_platformdirs(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        if value is not None:
            monkeypatch.setenv(name, value.format(home=home))
    here = paths()
    assert (here.config, here.state) == as_platformdirs_says()
    assert here.config.is_relative_to(home)


@pytest.mark.skipif(os.name == "nt", reason="the variable is another one there")
@pytest.mark.parametrize("value", ["", "relative", "~", None])
def test_without_a_home_directory_there_are_no_places(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv("HOME")
        _forget_the_user(monkeypatch)
    else:
        monkeypatch.setenv("HOME", value)
    for ask in (home_directory, paths, ClaudeHome.locate, default_location):
        with pytest.raises(UsageError, match="home directory isn't known") as caught:
            ask()
        assert caught.value.todo == "set HOME to it"


def _forget_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system has no entry for the user who runs this, as in many a container."""
    import pwd

    def has_no_entry(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", has_no_entry)


@pytest.mark.skipif(os.name == "nt", reason="there is no user database of that kind there")
def test_without_home_the_home_directory_is_the_one_that_the_system_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import pwd

    monkeypatch.delenv("HOME")
    assert home_directory() == Path(pwd.getpwuid(os.getuid()).pw_dir)


def test_a_start_on_linux_does_not_import_platformdirs() -> None:
    script = (
        "import sys; from claude_sync.state.paths import paths; paths()\n"
        "loaded = 'platformdirs' in sys.modules\n"
        "sys.exit(loaded == sys.platform.startswith('linux'))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_files_of_this_machine_do_not_lie_where_people_copy_configuration(home: Path) -> None:
    here = Paths(home / "config", home / "state", home / "run")
    shared = {here.preferences_file, here.projects_file}
    own = {here.machine_file, here.records_directory, here.vault_directory, here.log_file}
    own |= {here.lock_file, here.service_lock_file}
    assert {path.parent for path in shared} == {home / "config"}
    assert {path.parent for path in own} == {home / "state"}
    assert len(own) == 6


def test_sockets_go_into_the_private_runtime_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name == "nt":
        assert paths().runtime.is_absolute()
        return
    runtime = home / "run-of-the-session"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert paths().runtime == runtime / "claude-sync"


@pytest.mark.parametrize("kind", ["unset", "missing", "open to others", "a link", "a file"])
def test_a_runtime_directory_that_others_could_own_is_not_used(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    runtime = home / "run-of-the-session"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    if kind == "unset":
        monkeypatch.delenv("XDG_RUNTIME_DIR")
    elif kind == "open to others":
        runtime.mkdir()
        runtime.chmod(0o755)
    elif kind == "a link":
        (home / "there").mkdir(mode=0o700)
        runtime.symlink_to("there")
    elif kind == "a file":
        runtime.write_text("")
        runtime.chmod(0o600)
    here = paths()
    assert not here.runtime.is_relative_to(runtime)
    if sys.platform.startswith("linux"):
        assert here.runtime == here.state / "run"
