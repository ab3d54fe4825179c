"""git and ssh: whether they are here, and whether a program started at login finds them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from claude_sync.disk.programs import find_program
from claude_sync.doctor.facts import Facts
from claude_sync.doctor.login_environment import LoginEnvironment, login_environment, run_quietly
from claude_sync.model import Finding, Level
from claude_sync.transports.location import HostLocation
from claude_sync.wording import capitalized, count, short_path


def programs(facts: Facts) -> Iterator[Finding]:
    """git, and ssh if the shared folder is on a host."""
    git = find_program("git")
    if git is None:
        # Who has no repository can do without: directories' names do then.
        unknown = sum(not directory.key for directory in facts.context.registry.projects())
        yield Finding(
            code="git-missing",
            level=Level.ERROR if unknown else Level.WARNING,
            title="git isn't installed, or isn't on the PATH",
            detail=f"Without it, {count(unknown, 'project')} can't be recognised, and what was "
            "said there isn't pushed."
            if unknown
            else "Projects are known by their directories' names alone.",
            fix="Install git",
        )
    host = facts.store_host
    command = facts.context.preferences.ssh_command
    ssh = find_program(command[0])
    if ssh is None:
        yield Finding(
            code="ssh-missing",
            level=Level.ERROR if host else Level.INFO,
            title="ssh isn't installed, or isn't on the PATH",
            detail=f"The shared folder is on {host.host}, which only ssh reaches."
            if host
            else "It is needed only for a shared folder on a host, and for git remotes whose hosts "
            "its configuration names.",
            fix="Install the OpenSSH client, or `claude-sync config set ssh_command PROGRAM`",
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
            "A program started at login finds them too.",
        )


def _path(login: LoginEnvironment, found: Mapping[str, str]) -> Iterator[Finding]:
    for name, program in found.items():
        if find_program(name, path=login.path) is None:
            directory = os.path.dirname(program)
            fix = login.fix.replace("{}", directory)
            yield Finding(
                code="login-path",
                level=Level.WARNING,
                title=f"A program started at login doesn't find {os.path.basename(name)}",
                detail=f"It is in {short_path(directory)}, which is on your shell's PATH, but not "
                "on the one at login.",
                fix=capitalized(fix),
            )


def _agent(
    login: LoginEnvironment, command: Sequence[str], host: HostLocation
) -> Iterator[Finding]:
    """An agent that only this shell has; none if ssh's configuration names one."""
    here = os.environ.get("SSH_AUTH_SOCK", "")
    if not here or login.agent is None or login.agent == here:
        return
    _, output = run_quietly([*command, "-G", "--", host.host])
    settings = dict(line.partition(" ")[::2] for line in output.splitlines())
    agent = settings.get("identityagent", "SSH_AUTH_SOCK")
    if agent.upper() in ("SSH_AUTH_SOCK", "$SSH_AUTH_SOCK"):
        yield Finding(
            code="login-agent",
            level=Level.WARNING,
            title="A program started at login doesn't see your ssh agent",
            detail="SSH_AUTH_SOCK differs, or isn't set, at login; keys that only your shell's "
            f"agent holds don't open {host.host} then.",
            fix="Name its socket in ~/.ssh/config: `IdentityAgent` with the path from "
            "SSH_AUTH_SOCK",
        )
