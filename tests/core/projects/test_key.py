"""Remotes become keys that are the same on every machine, and never tell a secret."""

from __future__ import annotations

import string
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync.errors import ProjectKeyError
from claude_sync.names import is_project_key, normal_key
from claude_sync.projects.directory import safe_subpath
from claude_sync.projects.key import project_key_from_remote

SECRET = "s3cr3t-t0k3n"


# --- one repository, one key -------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/You/App",
        "https://github.com/you/app.git",
        "https://github.com/you/app.git/",
        "https://github.com//you//app/",
        "https://github.com/you/./app.git",
        "HTTPS://GitHub.COM/you/app.GIT",
        "http://www.github.com/you/app",
        "https://github.com./you/app",
        "https://me@github.com/you/app.git",
        f"https://me:{SECRET}@github.com/you/app.git",
        f"https://{SECRET}@github.com/you/app.git",
        f"https://me:p@{SECRET}@github.com/you/app.git",
        f"https://me%40corp.example:{SECRET}@github.com/you/app.git",
        f"https://x-access-token:{SECRET}@github.com:443/you/app?token={SECRET}#{SECRET}",
        "https://github.com/%79ou/%61pp",
        "https://github.com/you%2Fapp",
        "git@github.com:you/app.git",
        "git@github.com:/you/app.git",
        "github.com:you/app",
        "org-123@GitHub.com:you/app.git",
        "ssh://git@github.com/you/app.git",
        "ssh://git@github.com:22/you/app.git",
        "ssh://git@ssh.github.com:443/you/app.git",
        "git@ssh.github.com:you/app",
        "git+ssh://git@github.com/you/app.git",
        "ssh+git://git@github.com/you/app.git",
        "git://github.com/you/app.git",
        "git://github.com:9418/you/app",
        "ssh://git@github.com/~/you/app",
        "[git@github.com:22]:you/app.git",
        "https://github.com/you/app/.git",
        "  https://github.com/you/app\t".strip(),
    ],
)
def test_every_spelling_of_a_repository_has_one_key(url: str) -> None:
    assert project_key_from_remote(url) == "git:github.com/you/app"


@pytest.mark.parametrize(
    "url",
    [
        "git@ssh.dev.azure.com:v3/Org/My%20Project/Repo",
        "ssh://git@ssh.dev.azure.com:22/v3/Org/My%20Project/Repo",
        f"https://{SECRET}@dev.azure.com/Org/My%20Project/_git/Repo",
        "https://dev.azure.com/Org/My%20Project/_git/_full/Repo",
        "https://org.visualstudio.com/My%20Project/_git/Repo",
        "https://org.visualstudio.com/DefaultCollection/My%20Project/_git/Repo",
        "Org@vs-ssh.visualstudio.com:v3/Org/My%20Project/Repo",
    ],
)
def test_azures_spellings_have_one_key(url: str) -> None:
    assert project_key_from_remote(url) == "git:dev.azure.com/org/my project/repo"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://dev.azure.com/org/_git/repo", "git:dev.azure.com/org/repo/repo"),
        ("https://org.visualstudio.com/_git/repo", "git:dev.azure.com/org/repo/repo"),
        ("git@altssh.gitlab.com:a/b/c/d/e.git", "git:gitlab.com/a/b/c/d/e"),
        ("ssh://git@altssh.bitbucket.org:443/a/b.git", "git:bitbucket.org/a/b"),
        ("https://git.corp.example/scm/PROJ/repo.git", "git:git.corp.example/proj/repo"),
        ("ssh://git@git.corp.example:7999/PROJ/repo.git", "git:git.corp.example/proj/repo"),
        ("https://git.corp.example/scm/~me/repo.git", "git:git.corp.example/~me/repo"),
        ("https://git.corp.example/scm/repo.git", "git:git.corp.example/scm/repo"),
        # A Bitbucket Server below a path, or groups of a GitLab: nothing in it tells which.
        ("https://git.corp.example/a/scm/PROJ/repo", "git:git.corp.example/a/scm/proj/repo"),
        ("https://gitlab.com/scm/team/repo", "git:gitlab.com/scm/team/repo"),
        ("git@git.sr.ht:~me/repo", "git:git.sr.ht/~me/repo"),
        ("https://[2001:DB8:0::1]:8443/a/b.git", "git:[2001:db8::1]/a/b"),
        ("ssh://git@[fe80::1%25eth0]/a/b", "git:[fe80::1]/a/b"),
        ("git@[::1]:a/b.git", "git:[::1]/a/b"),
        ("git@server:srv/git/a.git", "git:server/srv/git/a"),
        ("ssh://server/srv/git/a.git", "git:server/srv/git/a"),
        ("git@192.168.1.7:a.git", "git:192.168.1.7/a"),
        ("https://münchen.example/a/b", "git:xn--mnchen-3ya.example/a/b"),
        ("https://xn--mnchen-3ya.example/a/b", "git:xn--mnchen-3ya.example/a/b"),
        ("https://h.example/U%CC%88ber/x", "git:h.example/über/x"),
        ("https://h.example/über/x", "git:h.example/über/x"),
        ("https://h.example/a%ffb/x", "git:h.example/a%ffb/x"),
        ("https://h.example/a/b.git.git", "git:h.example/a/b.git"),
        ("git@h.example:a/@scope/b", "git:h.example/a/@scope/b"),
    ],
)
def test_a_remote_gives_host_and_path(url: str, key: str) -> None:
    assert project_key_from_remote(url) == key


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "/srv/git/app.git",
        "../app",
        "./host:app",
        "~/app.git",
        "file:///srv/git/app.git",
        "FILE://host/srv/app.git",
        "C:\\work\\app",
        "c:work/app",
        "C:/work/app",
        "\\\\server\\share\\app",
        "https://",
        "https://github.com",
        "https://github.com/",
        "https://github.com/.git",
        "https:///you/app",
        "https://github.com:port/you/app",
        "https://-oProxyCommand=x/you/app",
        "-oProxyCommand=x:you/app",
        "git@-host:you/app",
        "https://github.com/you/../app",
        "https://github.com/you/app\nhttps://x/y",
        "https://github.com/you/a%0app",
        "https://git\x00hub.com/you/app",
        "https://host with blank/you/app",
        "https://[::zz]/a/b",
        "ext::ssh -p 22 %S host a/b",
        "codecommit::eu-west-1://app",
        "git@ssh.dev.azure.com:org/project/repo",
        "https://dev.azure.com/org/project/repo",
        f"https://github.com/{'x' * 2000}",
        f"https://me:12/{SECRET}@github.com/you/app",
        f"https://me:p#{SECRET}@github.com/you/app",
        f"https://me:12?{SECRET}@github.com/you/app",
        f"https://tok/{SECRET}@github.com/you/app",
        f"me:{SECRET}@github.com/you/app",
        f"me:{SECRET}?/x@github.com:you/app",
        f"https://me:{SECRET}@/you/app",
        f"https://me:{SECRET}@git hub/you/app",
    ],
)
def test_what_names_no_host_and_path_is_an_error_that_quotes_nothing(url: str) -> None:
    with pytest.raises(ProjectKeyError) as caught:
        project_key_from_remote(url)
    assert SECRET not in str(caught.value)
    assert "github" not in str(caught.value)


_WORD = st.text(st.sampled_from(string.ascii_letters + string.digits + "_-~ü😀 %"), min_size=1)
_NAME = _WORD.filter(lambda w: w not in (".", "..") and "%" not in w and w.strip() == w)


@given(
    st.lists(_NAME.filter(lambda w: not w.startswith("~")), min_size=2, max_size=6),
    st.text(st.sampled_from(string.ascii_letters + string.digits + ":@/?#%"), max_size=12),
)
def test_a_secret_reaches_neither_key_nor_error(parts: list[str], rest: str) -> None:
    secret = "Zq9" + rest
    path = "/".join(parts)
    for url in (
        f"https://user:{secret}@git.example.com/{path}",
        f"https://{secret}@git.example.com/{path}",
        f"user:{secret}@git.example.com:{path}",
        f"https://git.example.com/{path}?access_token={secret}",
        f"ssh://user:{secret}@git.example.com:22/{path}.git",
    ):
        try:
            said = project_key_from_remote(url)
        except ProjectKeyError as error:
            said = str(error)
        assert said == normal_key(f"git:git.example.com/{path}") or "zq9" not in said.lower()


@given(st.text(max_size=60))
def test_anything_is_a_key_or_an_error(text: str) -> None:
    for url in (text, f"https://{text}", f"git@host.example:{text}", f"ssh://{text}/a/b"):
        try:
            key = project_key_from_remote(url)
        except ProjectKeyError:
            continue
        assert is_project_key(key)
        assert key == unicodedata.normalize("NFC", key.lower())


def test_normalising_a_key_twice_changes_nothing() -> None:
    for number in range(sys.maxunicode + 1):
        once = normal_key("a" + chr(number) + "\u0307\u0345")
        assert normal_key(once) == once


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("git:github.com/you/app", True),
        ("git:github.com", False),
        ("git:github.com/", False),
        ("git:/x", False),
        ("git:host/../x", False),
        ("git:you:zq9@host/x", False),
        ("git:host/you@x", True),
        ("git:Host/x", False),
        ("name:app", True),
        ("name:~", True),
        ("name:", False),
        ("other:app", False),
        ("name:a\nb", False),
        ("name:\ud800", False),
        ("name:u\u0308", False),
        ("name:" + "x" * 1100, False),
    ],
)
def test_a_bundles_key_is_checked(text: str, good: bool) -> None:
    assert is_project_key(text) is good


# --- hosts of ssh's configuration --------------------------------------------------------------


def test_only_hosts_that_may_be_aliases_are_asked_for() -> None:
    asked: list[str] = []

    def resolve(alias: str) -> str:
        asked.append(alias)
        return "github.com"

    for url in (
        "https://server/a/b",
        "git@github.com:a/b",
        "git@git.corp.example:a/b",
        "git@10.0.0.1:a/b",
        "git@[::1]:a/b",
        "git@ssh.github.com:a/b",
    ):
        project_key_from_remote(url, resolve=resolve)
    assert asked == []
    for alias in ("work", "github.com-work", "work.github.com", "gitlab.com.work"):
        assert project_key_from_remote(f"git@{alias}:a/b", resolve=resolve) == "git:github.com/a/b"
    assert asked == ["work", "github.com-work", "work.github.com", "gitlab.com.work"]


@pytest.mark.parametrize(
    "said", ["work", "10.0.0.7", "::1", "fe80::1", "-x.y", "", "a b.c", "other"]
)
def test_what_ssh_says_counts_only_if_it_is_a_name_with_a_dot(said: str) -> None:
    assert project_key_from_remote("git@work:a/b", resolve=lambda _: said) == "git:work/a/b"


def test_a_subpath_that_not_every_system_can_have_is_cut() -> None:
    assert safe_subpath("a/b") == "a/b"
    assert safe_subpath("a/aux/b") == "a"
    assert safe_subpath("dot./b") == ""
    assert safe_subpath("/".join(["x" * 100] * 6)) == "/".join(["x" * 100] * 5)
    assert safe_subpath("a/\udcff") == "a"
