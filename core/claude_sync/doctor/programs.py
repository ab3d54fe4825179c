"""git and ssh: whether they are here, and whether a program started at login finds them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from claude_sync.doctor.facts import Facts
from claude_sync.doctor.login_environment import LoginEnvironment, login_environment, run_quietly
from claude_sync.errors import UsageError
from claude_sync.model import Finding, Level
from claude_sync.projects.git import find_program
from claude_sync.transports.location import HostLocation, parse_location
from claude_sync.wording import capitalized, short_path


def programs(facts: Facts) -> Iterator[Finding]:
    """git, and ssh where sessions meet on a host."""
    git = find_program("git")
    if git is None:
        yield Finding(
            "git-missing",
            Level.ERROR,
            "git isn't installed, or isn't on the PATH",
            "Without it nobody can tell which project a session belongs to.",
            "Install git",
        )
    host = host_of(facts)
    command = facts.context.preferences.ssh_command
    ssh = _find(command[0], os.environ.get("PATH", ""))
    if ssh is None:
        yield Finding(
            "ssh-missing",
            Level.ERROR if host else Level.INFO,
            "ssh isn't installed, or isn't on the PATH",
            f"Sessions meet on {host.host}, which only ssh reaches."
            if host
            else "It is needed only for sessions that meet on a host, and for names of hosts that "
            "its configuration gives to remotes.",
            "Install OpenSSH's client, or `claude-sync config set ssh_command PROGRAM`",
        )
    login = login_environment()
    wanted = {"git": git, command[0]: ssh if host else None}
    unseen = [*_path(login, {name: found for name, found in wanted.items() if found})]
    if host is not None and ssh is not None:
        unseen += _agent(login, command, host)
    yield from unseen
    if git and ssh and not unseen:
        yield Finding(
            "programs",
            Level.OK,
            f"git and {os.path.basename(command[0])} are here",
            "A program started at login finds what it needs of them too.",
        )


def host_of(facts: Facts) -> HostLocation | None:
    """The host where sessions meet, None where it is none."""
    location = facts.context.preferences.location
    try:
        place = parse_location(location) if location else None
    except UsageError:
        return None
    return place if isinstance(place, HostLocation) else None


def _path(login: LoginEnvironment, found: Mapping[str, str]) -> Iterator[Finding]:
    for name, program in found.items():
        if _find(name, login.path) is None:
            directory = os.path.dirname(program)
            fix = login.fix.replace("{}", directory)
            yield Finding(
                "login-path",
                Level.WARNING,
                f"A program started at login doesn't find {os.path.basename(name)}",
                f"It is in {short_path(directory)}, which your shell puts on the PATH, and the "
                "login doesn't.",
                capitalized(fix),
            )


def _find(name: str, path: str) -> str | None:
    if name == "git" and path == os.environ.get("PATH", ""):
        return find_program(name)
    import shutil

    return shutil.which(name, path=path)


def _agent(
    login: LoginEnvironment, command: Sequence[str], host: HostLocation
) -> Iterator[Finding]:
    """The agent that this shell has and the login hasn't; unless ssh's configuration names one."""
    here = os.environ.get("SSH_AUTH_SOCK", "")
    if not here or login.agent is None or login.agent == here:
        return
    _, output = run_quietly([*command, "-G", "--", host.host])
    settings = dict(line.partition(" ")[::2] for line in output.splitlines())
    agent = settings.get("identityagent", "SSH_AUTH_SOCK")
    if agent.upper() in ("SSH_AUTH_SOCK", "$SSH_AUTH_SOCK"):
        yield Finding(
            "login-agent",
            Level.WARNING,
            "A program started at login doesn't see your ssh agent",
            "SSH_AUTH_SOCK is set in this environment and is another, or none, at login; keys that "
            f"only this agent holds don't open {host.host} then.",
            "Name its socket in ~/.ssh/config: `IdentityAgent` with the path in SSH_AUTH_SOCK",
        )
