"""A project's key: its name that is the same on every machine.

``git:<host>/<path>`` comes from the repository's remote, however that is spelled; ``name:`` and
the directory's own name where there is no remote that others could have too. Keys are lower case
and NFC. A URL's user, password, token, port and query reach neither a key nor an error.

Invariant: a key is never guessed. "git says there is no remote" gives ``name:``; "git can't be
asked" is an error, since a project whose key changes is another project to every other machine.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from claude_sync.errors import ProjectKeyError
from claude_sync.model import ProjectKey
from claude_sync.names import has_control, is_project_key, normal_key
from claude_sync.projects.directory import HOME_KEY, safe_subpath
from claude_sync.projects.repository import Finder, Repository
from claude_sync.values import NamedTuple

"""The key of the home directory."""

Resolver = Callable[[str], str]
"""Host of ssh's configuration → host name; may raise ProjectKeyError."""

_URL = r"(?is)([a-z][a-z0-9+.-]+)://([^/?#]*)(.*)"
_HELPER = r"(?i)[a-z0-9]+::"  # git-remote-helpers(7)
_SCP = r"(?s)(?:([^/\[]*)@)?(\[[^\]/]+\]|[^:/@\[\]]+):(.*)"
_AUTHORITY = r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]*))?"
_HOST = r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?"
_SCP_LIKE = ""
_SSH_SCHEMES = (_SCP_LIKE, "ssh", "git+ssh", "ssh+git")

# The same house through another door:
# https://docs.github.com/authentication/troubleshooting-ssh/using-ssh-over-the-https-port
# https://about.gitlab.com/blog/2016/02/18/gitlab-dot-com-now-supports-an-alternate-git-plus-ssh-port/
# (Bitbucket's is called altssh too.)
_DOORS = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}
_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org")
_AZURE = "dev.azure.com"
_AZURE_SSH = ("ssh.dev.azure.com", "vs-ssh.visualstudio.com")


class _Address(NamedTuple):
    scheme: str
    host: str
    path: str


class Evidence(NamedTuple):
    """A repository's key, and what it was read from.

    Attributes:
        key: the project's key.
        files: further files whose change may change the key: arguments for `Finder.signature`.
        head_counts: whether the checked-out branch matters too.
    """

    key: str
    files: tuple[str, ...] = ()
    head_counts: bool = False


# --- keys --------------------------------------------------------------------------------------


def project_key(directory: Path, *, home: Path | None = None) -> ProjectKey:
    """The key of the project that a directory belongs to, and where it lies in it. Asks git.

    Args:
        directory: absolute; it may be gone, then what is left above it counts.
        home: the home directory, None for the user's.

    Raises:
        ProjectKeyError: it can't be told now (git is missing, refuses, or doesn't answer).
    """
    finder = Finder(home)
    text = os.path.abspath(directory)
    found = finder.find(text)
    if found is None:
        return ProjectKey(name_key(text, finder))
    return ProjectKey(repository_key(found.repository, finder).key, safe_subpath(found.subpath))


def name_key(directory: str, finder: Finder) -> str:
    """The weak key: a directory's own name, the same on any machine that has one of that name."""
    if finder.is_home(directory):
        return HOME_KEY
    name = os.path.basename(directory) or directory.strip("\\/:") or "/"
    if name == "~":
        return "name:%7e"
    raw = "".join(_escaped(c) if has_control(c) else c for c in name)
    return f"name:{normal_key(raw)}"


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def repository_key(repository: Repository, finder: Finder) -> Evidence:
    """Ask git (and ssh, for a host that may be an alias) for the key of a repository.

    Without a remote that names a host it is the name of the main working tree's directory, so
    that linked ones share it.

    Raises:
        ProjectKeyError: git or ssh can't be asked, or git refuses.
    """
    # Imported where it is asked: most keys are known, and a plain directory's is its name.
    from claude_sync.projects.git import remote_of, ssh_configurations, ssh_hostname

    remote = remote_of(repository)
    try:
        key = project_key_from_remote(remote.url or "")
    except ProjectKeyError:
        key = name_key(_main_directory(repository), finder)
        return Evidence(key, remote.files, remote.head_counts)
    asked: list[str] = []

    def resolve(alias: str) -> str:
        asked.append(alias)
        return ssh_hostname(alias)

    # Again, for what fails now is ssh, and that must not become a `name:`.
    key = project_key_from_remote(remote.url or "", resolve=resolve)
    files = remote.files + (ssh_configurations(finder.home) if asked else ())
    return Evidence(key, files, remote.head_counts)


def _main_directory(repository: Repository) -> str:
    if not repository.linked:
        return repository.root
    directory = repository.common_dir
    if os.path.basename(directory).startswith("."):
        return os.path.dirname(directory)
    return directory.removesuffix(".git")


# --- remotes -----------------------------------------------------------------------------------


def project_key_from_remote(url: str, *, resolve: Resolver | None = None) -> str:
    """The key of the repository that a remote's URL names. Pure, but for `resolve`.

    Args:
        url: in any form that git takes: git-fetch(1), "GIT URLS".
        resolve: asked for the host name behind a host that may be an alias of ssh's
            configuration: one without a dot, one that can't be in the DNS (``github.com-work``),
            or one made from a forge's name (``work.github.com``). What it says is used only if it
            has a dot and is no IP address, else every machine would have its own key.

    Raises:
        ProjectKeyError: it names no host and path: a local path, a file:// URL, a remote helper,
            or nonsense. The URL is never part of the error.
    """
    url = url.strip()
    if has_control(url):
        raise _unreadable("it holds control characters")
    address = _address(url)
    host = _host(address.host)
    if resolve is not None and address.scheme in _SSH_SCHEMES and _may_be_alias(host):
        host = _resolved(host, resolve)
    host = _DOORS.get(host, host)
    if host.startswith("www.") and host.count(".") > 1:
        host = host[4:]
    parts = _parts(address.path)
    if host == _AZURE or host in _AZURE_SSH or host.endswith(".visualstudio.com"):
        host, parts = _AZURE, _azure_parts(host, parts)
    elif _is_bitbucket_server(address.scheme, host, parts):
        parts = parts[1:]
    key = normal_key(f"git:{host}/{'/'.join(parts)}")
    if not is_project_key(key):
        raise _unreadable("no host and path can be read from it")
    return key


def _unreadable(why: str) -> ProjectKeyError:
    return ProjectKeyError(
        f"the address of a git remote names no project, because {why}",
        todo="see `git remote -v`, or give it a key: `claude-sync projects add DIR --key KEY`",
    )


def _address(url: str) -> _Address:
    """Scheme, host and path; user, password, port and query are left behind here."""
    if match := re.fullmatch(_URL, url):
        scheme, authority, path = match.groups()
        user, _, host_and_port = authority.rpartition("@")
        found = re.fullmatch(_AUTHORITY, host_and_port)
        if scheme.lower() == "file" or found is None:
            raise _unreadable("it is a local one" if found else "no host can be read from it")
        host, port = found.groups()
    elif (match := re.fullmatch(_SCP, url)) and not re.match(_HELPER, url):
        scheme, port = _SCP_LIKE, None
        user, host, path = match.groups()
        if len(host) == 1 or "\\" in host:
            raise _unreadable("it is a local path")  # one letter is a drive
        if host.startswith("[") and host.count(":") == 1:  # [host:port]:path
            host = host[1:-1].rpartition("@")[2].partition(":")[0]
    else:
        raise _unreadable("it is a local path, or needs a helper program")
    # `user:12/secret@host/path`: a password with a slash in it looks like a port and a path.
    if "@" in path and not user and (port or "." not in host):
        raise _unreadable("no host can be told from a password in it")
    path = re.split("[?]" if scheme == _SCP_LIKE else "[?#]", path, maxsplit=1)[0]
    return _Address(scheme.lower(), host, path)


def _host(text: str) -> str:
    host = _decoded(text).lower()
    if host.startswith("["):
        return _ipv6(host[1:-1])
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            raise _unreadable("its host isn't a host name") from None
    host = host.rstrip(".")
    # Also one that begins with "-", which ssh takes for an option.
    if not re.fullmatch(_HOST, host):
        raise _unreadable("its host isn't a host name")
    return host


def _ipv6(text: str) -> str:
    import ipaddress

    try:
        # A zone names an interface of this machine only.
        return f"[{ipaddress.IPv6Address(text.partition('%')[0]).compressed}]"
    except ValueError:
        raise _unreadable("its host isn't a host name") from None


def _may_be_alias(host: str) -> bool:
    if host.startswith("[") or _is_address(host) or host in _DOORS:
        return False
    last = host.rpartition(".")[2]
    return (
        "." not in host
        or not (last.isalpha() or last.startswith("xn--"))
        or any(forge in host and forge != host for forge in _FORGES)
    )


def _is_address(host: str) -> bool:
    return re.fullmatch("[0-9.]+", host) is not None


def _resolved(host: str, resolve: Resolver) -> str:
    name = resolve(host)
    try:
        answer = _host(name)
    except ProjectKeyError:
        return host
    return host if "." not in answer or _is_address(answer) or answer[0] == "[" else answer


def _decoded(text: str) -> str:
    """With %XX decoded; left as it is where that isn't text."""
    if "%" not in text:
        return text
    data = re.sub(
        rb"%([0-9A-Fa-f]{2})",
        lambda match: bytes((int(match.group(1), 16),)),
        text.encode("utf-8", "surrogateescape"),
    )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return text


def _parts(path: str) -> list[str]:
    parts = [part for part in normal_key(_decoded(path)).split("/") if part not in ("", ".")]
    if parts[:1] == ["~"]:  # host:x and ssh://host/~/x are one place
        parts = parts[1:]
    if parts:
        parts[-1] = parts[-1].removesuffix(".git")
    return [part for part in parts if part]


def _azure_parts(host: str, parts: list[str]) -> list[str]:
    """organisation, project and repository, from any of Azure's spellings.

    https://learn.microsoft.com/azure/devops/repos/git/use-ssh-keys-to-authenticate and
    https://learn.microsoft.com/azure/devops/extend/develop/work-with-urls
    """
    if host in _AZURE_SSH:
        found = parts[1:] if parts[:1] == ["v3"] else []
    else:
        if host != _AZURE:
            parts = [host.removesuffix(".visualstudio.com"), *parts]
        before, after = (
            (parts[: parts.index("_git")], parts[parts.index("_git") + 1 :])
            if "_git" in parts
            else ([], [])
        )
        before = [part for part in before if part != "defaultcollection"]
        after = [part for part in after if part not in ("_full", "_optimized")]
        # A repository named as its project is spelled without it.
        found = [*before, *after, *after] if len(before) == 1 else [*before, *after]
    if len(found) != 3:
        raise _unreadable("no organisation, project and repository can be read from it")
    return found


def _is_bitbucket_server(scheme: str, host: str, parts: list[str]) -> bool:
    """Whether the first part is Bitbucket Server's ``/scm/``, which its ssh URLs don't have.

    https://confluence.atlassian.com/bitbucketserver/clone-a-repository-790632786.html
    A GitLab isn't one, and may have a group of that name.
    """
    if host.startswith("gitlab.") or scheme not in ("http", "https"):
        return False
    return parts[:1] == ["scm"] and len(parts) == 3
