"""Asking git and ssh. They run without prompts, without locks, for seconds at most.

What they answer comes from files that others may have written: it is text to look at, never a
program, and no part of it goes into an error.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from claude_sync.disk.programs import find_program, full_command
from claude_sync.errors import ProjectKeyError
from claude_sync.projects.repository import Repository
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from subprocess import CompletedProcess

_PATIENCE_SECONDS = 5.0
# The user's choice of configuration and of git's own parts holds; what points git at another
# repository, or changes its output, doesn't.
_KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")


class Remote(NamedTuple):
    """What a repository's configuration says about where it comes from.

    Attributes:
        url: of the remote that counts, None where there is none.
        files: further configuration files that the answer came from, there or not.
        head_counts: whether another branch may have another answer.
    """

    url: str | None
    files: tuple[str, ...] = ()
    head_counts: bool = False


class _Setting(NamedTuple):
    origin: str
    name: str
    value: str


def remote_of(repository: Repository) -> Remote:
    """Ask git for the remote that names a repository; one process, seldom more.

    The remote is ``origin``, else the current branch's, else the only one, else the first by
    name. Its URL is what ``git remote get-url`` says, so that ``url.*.insteadOf`` counts.

    Raises:
        ProjectKeyError: git can't be asked or refuses. That isn't "no remote".
    """
    if repository.problem:
        raise ProjectKeyError(
            f"git can't use this repository, because {repository.problem}",
            where=repository.root,
            todo="check that its disk is there; otherwise correct or remove the .git file",
        )
    output = _git(repository, ["config", "--list", "--show-origin", "-z"]).stdout
    settings = _settings(repository.root, output)
    if not _are_its_own(repository, settings):
        # A repository that git refuses is none for `git config`, which then says nothing of it.
        _git(repository, ["rev-parse", "--git-dir"])
        _check_without_settings(repository)
    urls = _urls(settings)
    head_counts = len(urls) > 1 and "origin" not in urls
    name = _chosen(repository, settings, urls) if head_counts else _simple_choice(urls)
    url = urls.get(name)
    if url is not None and any(_is_rewriting(setting) for setting in settings):
        answer = _git(repository, ["remote", "get-url", "--", name]).stdout
        url = _text(answer.removesuffix(b"\n"))
    return Remote(url, _files(settings), head_counts)


def _settings(root: str, output: bytes) -> list[_Setting]:
    """The answer of ``git config --list --show-origin -z``: origin NUL name LF value NUL."""
    fields = _text(output).split("\0")
    settings = []
    for origin, setting in zip(fields[::2], fields[1::2], strict=False):
        name, _, value = setting.partition("\n")
        path = os.path.join(root, origin[5:]) if origin.startswith("file:") else ""
        settings.append(_Setting(os.path.normpath(path) if path else "", name, value))
    return settings


def _are_its_own(repository: Repository, settings: Sequence[_Setting]) -> bool:
    """Whether any of the settings is from the repository's own files."""
    own = {
        os.path.realpath(os.path.join(repository.common_dir, "config")),
        os.path.realpath(os.path.join(repository.git_dir, "config.worktree")),
    }
    return any(os.path.realpath(origin) in own for origin in {s.origin for s in settings})


def _check_without_settings(repository: Repository) -> None:
    """Check that a repository without settings of its own has none, rather than unread ones.

    Of a configuration that can't be read git warns, and ends as if there were none.

    Raises:
        ProjectKeyError: they can't be read now.
    """
    path = os.path.join(repository.common_dir, "config")
    try:
        with open(path, "rb") as file:
            empty = not file.read(1 << 16).strip()
    except FileNotFoundError:
        return
    except OSError:
        empty = False
    if not empty:
        raise ProjectKeyError(
            "git's configuration of this repository can't be read",
            where=path,
            todo="make it readable; `git remote -v` there says why it isn't",
            passing=True,
        )


def _urls(settings: Sequence[_Setting]) -> dict[str, str]:
    """Each remote's first URL; an empty one takes back those before it (git-config(1))."""
    urls: dict[str, str] = {}
    for setting in settings:
        if setting.name.startswith("remote.") and setting.name.endswith(".url"):
            name = setting.name[7:-4]
            if not setting.value:
                urls.pop(name, None)
            elif name:
                urls.setdefault(name, setting.value)
    return urls


def _simple_choice(urls: dict[str, str]) -> str:
    return "origin" if "origin" in urls else next(iter(urls), "")


def _chosen(repository: Repository, settings: Sequence[_Setting], urls: dict[str, str]) -> str:
    answer = _git(repository, ["symbolic-ref", "-q", "HEAD"], accepted=(0, 1)).stdout
    branch = _text(answer).removesuffix("\n").removeprefix("refs/heads/")
    current = [s.value for s in settings if s.name == f"branch.{branch}.remote"]
    return current[-1] if current and current[-1] in urls else min(urls)


def _is_rewriting(setting: _Setting) -> bool:
    return setting.name.startswith("url.") and setting.name.endswith(".insteadof")


def _files(settings: Sequence[_Setting]) -> tuple[str, ...]:
    """The files the settings came from, and those that they would include if they were there."""
    files = {setting.origin for setting in settings if setting.origin}
    for setting in settings:
        conditional = setting.name.startswith("includeif.") and setting.name.endswith(".path")
        if conditional or setting.name == "include.path":
            path = os.path.expanduser(setting.value)
            files.add(os.path.normpath(os.path.join(os.path.dirname(setting.origin), path)))
    return tuple(sorted(files))


# --- what is tracked ---------------------------------------------------------------------------


def tracked_directories(repository: Repository) -> frozenset[str]:
    """The directories below a working tree's root that git tracks files in and doesn't ignore.

    As of the last commit, "/" between their parts; two processes. Nothing is fetched for it, and
    nothing that the repository's configuration names is run.

    Raises:
        ProjectKeyError: git can't be asked, or there is no commit.
    """
    listing = ["ls-tree", "-r", "-d", "-z", "--full-tree", "HEAD"]
    kinds = (entry.partition(b"\t") for entry in _git(repository, listing).stdout.split(b"\0"))
    # The other kind of directory is a commit of another repository's.
    found = [path for head, _, path in kinds if b" tree " in head]
    if not found:
        return frozenset()
    asking = ["-c", "core.fsmonitor=false", "check-ignore", "--no-index", "--stdin", "-z"]
    # So a name that begins with a colon isn't read as one of git's patterns.
    names = b"".join(b"./%s\0" % path for path in found)
    ignored = _git(repository, asking, text=names, accepted=(0, 1)).stdout.split(b"\0")
    return frozenset(map(_text, found)) - {_text(path).removeprefix("./") for path in ignored}


# --- ssh ---------------------------------------------------------------------------------------


def ssh_hostname(alias: str) -> str:
    """The host name that ``ssh`` would connect to for a host of the user's configuration.

    Raises:
        ProjectKeyError: ssh can't be asked, so the alias can't be told from a host.
    """
    program = find_program("ssh")
    if program is None:
        raise ProjectKeyError(
            "ssh isn't installed or isn't on the PATH, so the host can't be looked up in its "
            "configuration",
            todo="install it",
        )
    # Canonical names would be asked of the network, and aren't what the user wrote.
    arguments = [program, "-G", "-o", "CanonicalizeHostname=no", "--", alias]
    answer = _run(arguments, dict(os.environ), None)
    if answer.returncode != 0:
        raise ProjectKeyError(
            "ssh can't read its configuration", todo="run 'ssh -G' with the host to see why"
        )
    for line in _text(answer.stdout).splitlines():
        word, _, value = line.partition(" ")
        if word == "hostname":
            return value
    return alias


def ssh_configurations(home: str) -> tuple[str, ...]:
    """The files that ssh's answer comes from: ssh_config(5), with what they include."""
    import glob

    user = os.path.join(home, ".ssh")
    files = [os.path.join(user, "config"), "/etc/ssh/ssh_config"]
    for file, base in ((files[0], user), (files[1], "/etc/ssh")):
        try:
            with open(file, encoding="utf-8", errors="surrogateescape") as lines:
                words = [line.replace("=", " ", 1).split() for line in lines if len(line) < 4096]
        except OSError:
            continue
        for pattern in (w for line in words if line[:1] and line[0].lower() == "include"
                        for w in line[1:]):  # fmt: skip
            path = os.path.join(base, os.path.expanduser(pattern.strip('"')))
            # The folder too: a new file in it fits the pattern later.
            files += [os.path.dirname(path), *sorted(glob.glob(path))[:100]]
    return tuple(dict.fromkeys(files))


# --- processes ---------------------------------------------------------------------------------


def _git(
    repository: Repository,
    arguments: Sequence[str],
    *,
    accepted: tuple[int, ...] = (0,),
    text: bytes = b"",
) -> CompletedProcess[bytes]:
    program = find_program("git")
    if program is None:
        raise ProjectKeyError(
            "git isn't installed or isn't on the PATH, so the project isn't known",
            where=repository.root,
            todo="install git",
        )
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT
    }
    environment |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        # Were this repository broken, git would take the next one above.
        "GIT_CEILING_DIRECTORIES": os.path.dirname(os.path.realpath(repository.root)),
        "LC_ALL": "C",
    }
    answer = _run([program, *arguments], environment, repository.root, text)
    if answer.returncode not in accepted:
        raise _refusal(repository, answer)
    return answer


def _refusal(repository: Repository, answer: CompletedProcess[bytes]) -> ProjectKeyError:
    if b"dubious ownership" in answer.stderr or b"unsafe repository" in answer.stderr:
        return ProjectKeyError(
            "git refuses this repository, whose files belong to another user",
            where=repository.root,
            todo="if you trust it, run 'git config --global --add safe.directory' with its path",
        )
    return ProjectKeyError(
        "git can't read the repository's configuration",
        where=repository.root,
        todo="run 'git remote -v' there to see why",
    )


def _run(
    command: Sequence[str],
    environment: dict[str, str],
    directory: str | None,
    text: bytes = b"",
) -> CompletedProcess[bytes]:
    import subprocess

    name = os.path.basename(command[0])
    try:
        return subprocess.run(
            full_command(command),
            cwd=directory,
            env=environment,
            stdin=None if text else subprocess.DEVNULL,
            input=text or None,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        problem = f"{name} doesn't answer"
    except (OSError, ValueError):
        problem = f"{name} can't be started"
    raise ProjectKeyError(problem, where=directory or "", todo="try again later", passing=True)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
