"""The environment of a program that is started at login, found out without running a shell.

No shell start-up file is read then, so a PATH or an agent that is set up there is missing:

* Linux: desktops start programs through systemd's user manager, or give it their own environment
  (systemd.exec(5), environment.d(5)); ``systemctl --user show-environment`` prints it. Without
  such a manager, the PATH is taken to be what login(1) sets, and the rest is unknown.
* macOS: launchd gives /usr/bin:/bin:/usr/sbin:/sbin and what ``launchctl setenv`` added
  (launchctl(1)); it sets SSH_AUTH_SOCK itself, for its own agent.
* Windows: the system's variables from the registry, then the user's, whose Path is appended
  (https://learn.microsoft.com/windows/win32/procthread/environment-variables).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence

from claude_sync.disk.programs import full_command
from claude_sync.values import NamedTuple

_PATIENCE_SECONDS = 3.0
_LOGIN_PATH = "/usr/local/bin:/usr/bin:/bin"
_LAUNCHD_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
_SYSTEM_KEY = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"


class LoginEnvironment(NamedTuple):
    """What is known of it.

    Attributes:
        path: the PATH.
        agent: the ssh agent's socket, "" for none, None if unknown.
        fix: how to put a directory on that PATH, an imperative clause with ``{}`` for it.
    """

    path: str
    agent: str | None
    fix: str


def login_environment(
    system: str = sys.platform,
    variables: Callable[[], tuple[Mapping[str, str], Mapping[str, str]]] | None = None,
) -> LoginEnvironment:
    """The environment of a program started at login.

    Args:
        system: which system's.
        variables: reads Windows' variables of the system and the user; None for the registry.
    """
    if system == "win32":
        return _on_windows(*(variables or _registry)())
    if system == "darwin":
        return _on_macos()
    return _on_linux()


def _on_linux() -> LoginEnvironment:
    fix = "put `PATH={}:$PATH` into ~/.config/environment.d/path.conf, then log in again"
    variables = parse_environment(_output("systemctl", "--user", "show-environment"))
    path = variables.get("PATH")
    if path is None:
        return LoginEnvironment(_LOGIN_PATH, None, fix)
    return LoginEnvironment(path, variables.get("SSH_AUTH_SOCK", ""), fix)


def _on_macos() -> LoginEnvironment:
    path = _output("launchctl", "getenv", "PATH").strip() or _LAUNCHD_PATH
    agent = _output("launchctl", "getenv", "SSH_AUTH_SOCK").strip()
    fix = "`sudo launchctl config user path {}:" + f"{path}`, then restart"
    return LoginEnvironment(path, agent, fix)


def _on_windows(of_system: Mapping[str, str], of_user: Mapping[str, str]) -> LoginEnvironment:
    path = ";".join(filter(None, (of_system.get("path"), of_user.get("path"))))
    agent = of_user.get("ssh_auth_sock") or of_system.get("ssh_auth_sock") or ""
    return LoginEnvironment(path, agent, "add {} to your Path in the system's settings")


def _registry() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The system's variables and the user's, by names in lower case."""
    if sys.platform != "win32":
        return {}, {}
    import winreg

    return _values(winreg.HKEY_LOCAL_MACHINE, _SYSTEM_KEY), _values(
        winreg.HKEY_CURRENT_USER, "Environment"
    )


def _values(root: int, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(root, name) as key:
                for index in range(winreg.QueryInfoKey(key)[1]):
                    variable, value, _ = winreg.EnumValue(key, index)
                    found[variable.lower()] = winreg.ExpandEnvironmentStrings(str(value))
        except OSError:
            pass
    return found


def parse_environment(text: str) -> Mapping[str, str]:
    """What ``systemctl show-environment`` prints: NAME=value, quoted as a shell's $'…' if odd."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        variable, equals, value = line.partition("=")
        if not equals:
            continue
        if value.startswith("$'") and value.endswith("'"):
            value = re.sub(r"\\(.)", r"\1", value[2:-1])
        found[variable] = value
    return found


def _output(*command: str) -> str:
    """What a program prints; nothing where it isn't there, fails or doesn't answer."""
    return run_quietly(command)[1]


def run_quietly(command: Sequence[str]) -> tuple[int | None, str]:
    """Exit status and output of a program; None and nothing where it can't be run."""
    import subprocess

    try:
        done = subprocess.run(
            full_command(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None, ""
    output = done.stdout.decode("utf-8", "surrogateescape")
    return done.returncode, output if done.returncode == 0 else ""
