"""What holds for every test: its own home, no desktop, no agent, and nothing left running.

Nothing of the user who runs the tests is read or written. The XDG folders are not set, so that
they follow HOME: a test that plays a second machine gives that one another HOME, and is done.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from capabilities import LINUX, skip_where_missing
from claude_sync.sync.store_key import KeyChoice
from machines import PASSPHRASE, SESSION, Pair, World, said
from randomness import QUICK_EXAMPLES
from waiting import until

_OF_THE_DESKTOP = (
    "DISPLAY WAYLAND_DISPLAY XAUTHORITY DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS "
    "DESKTOP_SESSION SESSION_MANAGER PYSTRAY_BACKEND TERMINAL BROWSER"
)
_OF_THE_USER = (
    "CLAUDE_CONFIG_DIR SSH_AUTH_SOCK SSH_AGENT_PID SSH_ASKPASS EDITOR VISUAL PAGER "
    "NO_COLOR FORCE_COLOR CLICOLOR CLICOLOR_FORCE COLUMNS LINES HOMEDRIVE HOMEPATH"
)
_FOREIGN_PREFIXES = ("XDG_", "GIT_", "SSH_", "CLAUDE_")

# How much is tried at random: ``--hypothesis-profile=thorough`` is what CI tries. See `examples`.
settings.register_profile("quick", deadline=None, print_blob=True, max_examples=QUICK_EXAMPLES)
settings.register_profile("thorough", deadline=None, print_blob=True)
settings.load_profile("quick")


# What is only there on one system isn't even imported on the others.
collect_ignore = [] if LINUX else ["desktop", "client", "soak"]
if sys.platform != "win32":
    collect_ignore.append("windows")


# --- skipped tests -----------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="let a test that is skipped fail")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} (with --no-skips no test may be skipped)"
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a desktop or the client by where it lies, and what asks for a host by that.

    What needs the client is left out unless it is asked for: it may have to be fetched.
    """
    if "client" not in config.option.markexpr:
        left_out = [item for item in items if "tests/client/" in item.path.as_posix()]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        if "tests/client/" in item.path.as_posix():
            item.add_marker(pytest.mark.client)
        if any(f"tests/{room}/" in item.path.as_posix() for room in ("desktop", "window")):
            item.add_marker(pytest.mark.desktop)
        if _HOSTS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.ssh)


_HOSTS = {"host_if_any", "ssh_host", "nas", "nowhere_host"}

# --- nobody's real home ------------------------------------------------------------------------

_REAL_HOME = Path(os.path.expanduser("~"))
_REAL_CLAUDE = Path(os.environ.get("CLAUDE_CONFIG_DIR") or _REAL_HOME / ".claude")
_FORBIDDEN = tuple(
    os.fspath(_REAL_CLAUDE / name) for name in ("projects", "sessions", "settings.json")
)
_FILE_EVENTS = (
    "open os.listdir os.scandir os.mkdir os.rename os.remove os.rmdir os.link os.symlink "
    "os.utime os.chmod os.truncate sqlite3.connect shutil.rmtree"
)
_WATCHED_EVENTS = frozenset(_FILE_EVENTS.split())


def _forbid_the_real_home(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _WATCHED_EVENTS:
        return
    for argument in arguments[:2]:
        if isinstance(argument, bytes):
            argument = os.fsdecode(argument)
        if isinstance(argument, (str, os.PathLike)) and os.fspath(argument).startswith(_FORBIDDEN):
            raise AssertionError("a test reached for the real folder of Claude Code")


sys.addaudithook(_forbid_the_real_home)


@pytest.fixture(scope="session", autouse=True)
def _the_real_home_stays_as_it_is() -> Iterator[None]:
    # What processes started by tests do is not seen by the hook above; what they leave is.
    watched = [
        _REAL_CLAUDE,
        _REAL_HOME / "claude-sync",
        _REAL_HOME / ".config" / "claude-sync",
        _REAL_HOME / ".local" / "state" / "claude-sync",
        _REAL_HOME / "Library" / "Application Support" / "claude-sync",
        _REAL_HOME / "AppData" / "Local" / "claude-sync",
    ]
    missing = [path for path in watched if not path.exists()]
    yield
    made = [str(path) for path in missing if path.exists()]
    assert not made, f"the tests made something in the real home: {made}"


# --- every test's own environment -------------------------------------------------------------

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home directory of this test: empty, its own, and in the environment."""
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_numbers))
    home.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch, home)
        skip_where_missing(patch)
        yield home
    shutil.rmtree(home, ignore_errors=True)


def _isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in list(os.environ):
        if name.startswith(_FOREIGN_PREFIXES):
            patch.delenv(name)
    for name in f"{_OF_THE_DESKTOP} {_OF_THE_USER}".split():
        patch.delenv(name, raising=False)
    runtime = home / ".run"
    runtime.mkdir(mode=0o700)
    git_configuration = home.parent / "gitconfig"
    if not git_configuration.exists():
        git_configuration.write_text(
            "[user]\n\tname = Somebody\n\temail = somebody@example.org\n"
            "[init]\n\tdefaultBranch = main\n[commit]\n\tgpgSign = false\n"
        )
    environment = {
        "HOME": home,
        "USERPROFILE": home,
        "APPDATA": home / "AppData" / "Roaming",
        "LOCALAPPDATA": home / "AppData" / "Local",
        "WIN_PD_OVERRIDE_APPDATA": home / "AppData" / "Roaming",
        "WIN_PD_OVERRIDE_LOCAL_APPDATA": home / "AppData" / "Local",
        "XDG_RUNTIME_DIR": runtime,
        "GIT_CONFIG_GLOBAL": git_configuration,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PYTHONUTF8": "1",
        "PYTHONPATH": os.pathsep.join(_sources()),
    }
    for name, value in environment.items():
        patch.setenv(name, str(value))


def _sources() -> list[str]:
    """Where the packages under test come from, for the Pythons that tests start."""
    found = []
    for package in ("claude_sync", "claude_sync_app"):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin and "site-packages" not in spec.origin:
            found.append(str(Path(spec.origin).parent.parent))
    return found


# A shell that starts the tests with & has them, and whatever they start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# nohup does the same with a terminal that closes. Noting it without a deed lets this process live
# on, and what it starts begin as usual.
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda number, frame: None)


# --- nothing is left running -------------------------------------------------------------------


def _adopt_orphans() -> None:
    """Become the parent of what our children leave behind, so that it is seen (man 2 prctl)."""
    if sys.platform.startswith("linux"):
        import ctypes

        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


_adopt_orphans()


def _children() -> set[int]:
    if not sys.platform.startswith("linux"):
        return {one.pid for one in psutil.Process().children() if not _is_the_desktop(one)}
    pids: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                pids.update(map(int, file.read().split()))
        except OSError:
            continue  # the thread has ended
    return pids


def _is_the_desktop(process: psutil.Process) -> bool:
    """Whether a process is wine's desktop, which outlives whoever opened a window first."""
    try:
        return "explorer.exe" in " ".join(process.cmdline()).lower()
    except (psutil.Error, OSError):
        return False


def _is_running(pid: int) -> bool:
    """Whether a child still runs; one that has ended is put to rest."""
    try:
        if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            return True
        if os.name == "posix":
            os.waitpid(pid, os.WNOHANG)
    except (psutil.NoSuchProcess, ChildProcessError):
        pass
    return False


def _threads() -> set[threading.Thread]:
    of_the_tools = ("MainThread", "pytest_timeout", "execnet")
    return {t for t in threading.enumerate() if not t.name.startswith(of_the_tools)}


def _left(now: Callable[[], list[str]]) -> list[str]:
    try:
        until(lambda: not now())
    except AssertionError:
        return now()
    return []


@pytest.fixture(autouse=True)
def _nothing_is_left_running(home: Path) -> Iterator[None]:
    threads, children, directory = _threads(), _children(), os.getcwd()
    yield
    if not os.path.samefile(".", directory):
        os.chdir(directory)
        pytest.fail("the tests after it would have begun in another directory")
    left = _left(lambda: [t.name for t in _threads() - threads if t.is_alive()])
    assert not left, f"threads still run: {left}"
    left = _left(lambda: [str(pid) for pid in _children() - children if _is_running(pid)])
    if left:
        names = [_name_and_end(int(pid)) for pid in left]
        pytest.fail(f"processes still ran: {names}")


def _name_and_end(pid: int) -> str:
    try:
        name = " ".join(psutil.Process(pid).cmdline())[:200]
        os.kill(pid, signal.SIGTERM)
        if not _left(lambda: [name] if _is_running(pid) else []):
            return name
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    except (psutil.NoSuchProcess, ProcessLookupError):
        return str(pid)
    return name


# --- machines ----------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A store that isn't there yet, and nobody around it."""
    return World(tmp_path / "world")


@pytest.fixture
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store's key costs next to nothing: Scrypt with little work."""
    monkeypatch.setattr("claude_sync.sealed.keys._N", 2)


@pytest.fixture
def encrypted_world(tmp_path: Path, cheap_keys: None) -> World:
    """An encrypted store that isn't there yet, and nobody around it."""
    return World(tmp_path / "world", key=KeyChoice(True, PASSPHRASE))


@pytest.fixture
def pair(world: World) -> Pair:
    """Two machines that both have a session; the laptop has pushed it."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    return laptop, desktop
