"""Directories, their repositories and what git says of them become keys."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from capabilities import require_posix
from claude_sync.errors import ProjectKeyError
from claude_sync.model import ProjectKey
from claude_sync.names import is_project_key
from claude_sync.projects.key import project_key, project_key_from_remote
from claude_sync.projects.repository import Finder
from repositories import commit, git, program, repository

SECRET = "s3cr3t-t0k3n"


@pytest.fixture
def wrappers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wrappers"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


# --- directories -------------------------------------------------------------------------------


def test_a_directory_in_a_repository_has_its_key_and_a_subpath(tmp_path: Path) -> None:
    root = repository(tmp_path / "here", "https://github.com/you/app.git")
    (root / "Docs" / "ünï").mkdir(parents=True)
    assert project_key(root) == ProjectKey("git:github.com/you/app")
    assert project_key(root / "Docs" / "ünï") == ProjectKey("git:github.com/you/app", "Docs/ünï")


def test_the_inside_of_a_git_folder_belongs_to_the_working_tree(tmp_path: Path) -> None:
    root = repository(tmp_path / "here", "https://github.com/you/app.git")
    assert project_key(root / ".git" / "hooks") == ProjectKey(
        "git:github.com/you/app", ".git/hooks"
    )


def test_a_directory_that_is_gone_belongs_to_the_repository_above_it(tmp_path: Path) -> None:
    root = repository(tmp_path / "here", "https://github.com/you/app.git")
    assert project_key(root / "not" / "there").subpath == "not/there"
    assert project_key(tmp_path / "gone" / "App").key == "name:app"


def test_a_clone_has_the_key_of_its_origin_and_not_of_other_remotes(tmp_path: Path) -> None:
    root = repository(tmp_path / "here", "https://github.com/you/app.git")
    git(root, "remote", "add", "aaa", "https://github.com/other/fork")
    assert project_key(root).key == "git:github.com/you/app"


def test_without_an_origin_the_branch_then_the_name_chooses_the_remote(tmp_path: Path) -> None:
    root = repository(tmp_path / "here")
    git(root, "remote", "add", "zzz", "https://h.example/z")
    assert project_key(root).key == "git:h.example/z"
    git(root, "remote", "add", "mmm", "https://h.example/m")
    assert project_key(root).key == "git:h.example/m"
    git(root, "config", "branch.main.remote", "zzz")
    assert project_key(root).key == "git:h.example/z"
    git(root, "config", "branch.main.remote", ".")
    assert project_key(root).key == "git:h.example/m"
    commit(root)
    git(root, "checkout", "-q", "--detach")
    assert project_key(root).key == "git:h.example/m"


def test_a_remote_name_that_looks_like_an_option_or_has_dots_is_only_a_name(tmp_path: Path) -> None:
    root = repository(tmp_path / "here")
    git(root, "config", "remote.--all.x y.url", "work:you/app")
    git(root, "config", "url.https://github.com/.insteadOf", "work:")
    assert project_key(root).key == "git:github.com/you/app"


def test_rewritten_urls_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "here", "gh:you/app")
    assert project_key_from_remote("gh:you/app") == "git:gh/you/app"
    configuration = tmp_path / "global"
    configuration.write_text('[url "git@github.com:"]\n\tinsteadOf = gh:\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    assert project_key(root).key == "git:github.com/you/app"


@pytest.mark.parametrize("remote", [None, "/srv/git/app.git", "../other", "file:///srv/app"])
def test_without_a_remote_that_others_could_have_the_name_is_the_key(
    tmp_path: Path, remote: str | None
) -> None:
    root = repository(tmp_path / "My App", remote)
    (root / "sub").mkdir()
    assert project_key(root) == ProjectKey("name:my app")
    assert project_key(root / "sub") == ProjectKey("name:my app", "sub")


def test_a_plain_directory_has_its_name_as_key(tmp_path: Path) -> None:
    require_posix("names that are no text")
    for name, key in (
        ("Notes", "name:notes"),
        ("e\u0301", "name:é"),
        ("~", "name:%7e"),
        ("two\nlines", "name:two%0alines"),
        (os.fsdecode(b"caf\xe9"), "name:caf%e9"),
    ):
        (tmp_path / name).mkdir()
        assert project_key(tmp_path / name) == ProjectKey(key)
        assert is_project_key(key)


def test_a_worktree_has_the_key_of_its_repository(tmp_path: Path) -> None:
    for name, remote, key in (
        ("app", "https://github.com/you/app", "git:github.com/you/app"),
        ("plain", None, "name:plain"),
    ):
        root = repository(tmp_path / name, remote)
        commit(root)
        git(root, "worktree", "add", "-q", str(tmp_path / f"{name}-feature"))
        (tmp_path / f"{name}-feature" / "sub").mkdir()
        assert project_key(tmp_path / f"{name}-feature" / "sub") == ProjectKey(key, "sub")
        found = Finder().find(str(tmp_path / f"{name}-feature"))
        assert found is not None
        assert found.repository.linked
        main = Finder().find(str(root))
        assert main is not None
        assert not main.repository.linked
        assert main.repository.common_dir == found.repository.common_dir


def test_a_worktrees_own_configuration_counts(tmp_path: Path) -> None:
    root = repository(tmp_path / "app", "https://github.com/you/app")
    commit(root)
    tree = tmp_path / "tree"
    git(root, "worktree", "add", "-q", str(tree))
    git(root, "config", "extensions.worktreeConfig", "true")
    git(tree, "config", "--worktree", "url.https://h.example/.insteadOf", "https://github.com/")
    assert project_key(tree).key == "git:h.example/you/app"
    assert project_key(root).key == "git:github.com/you/app"


def test_the_worktrees_of_a_bare_clone_and_the_clone_itself_share_a_key(tmp_path: Path) -> None:
    source = repository(tmp_path / "source")
    commit(source)
    holder = tmp_path / "holder"
    holder.mkdir()
    git(tmp_path, "clone", "-q", "--bare", str(source), str(holder / ".bare"))
    git(holder / ".bare", "remote", "set-url", "origin", "https://github.com/you/app")
    (holder / ".git").write_text("gitdir: ./.bare\n")
    git(holder, "worktree", "add", "-q", str(holder / "tree"))
    for directory, subpath in ((holder, ""), (holder / "tree", ""), (holder / ".bare", "")):
        assert project_key(directory) == ProjectKey("git:github.com/you/app", subpath)
    assert project_key(holder / ".bare" / "refs").key == "git:github.com/you/app"


def test_a_submodule_has_its_own_key(tmp_path: Path) -> None:
    library = repository(tmp_path / "library")
    commit(library)
    root = repository(tmp_path / "app", "https://github.com/you/app")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    git(root / "lib", "remote", "set-url", "origin", "git@github.com:you/lib.git")
    (root / "lib" / "x").mkdir()
    assert project_key(root / "lib" / "x") == ProjectKey("git:github.com/you/lib", "x")
    found = Finder().find(str(root / "lib"))
    assert found is not None
    assert not found.repository.linked


def test_the_home_directory_is_a_project_of_its_own(home: Path) -> None:
    (home / "notes").mkdir()
    assert project_key(home) == ProjectKey("name:~")
    assert project_key(home / "notes") == ProjectKey("name:notes")


def test_a_repository_at_home_counts_for_the_home_directory_only(home: Path) -> None:
    repository(home, "https://github.com/me/dotfiles")
    (home / "notes").mkdir()
    app = repository(home / "app", "https://github.com/you/app")
    assert project_key(home).key == "git:github.com/me/dotfiles"
    assert project_key(home / "notes") == ProjectKey("name:notes")
    assert project_key(app).key == "git:github.com/you/app"


def test_a_repository_above_the_home_counts_for_nothing_in_it(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "https://github.com/me/system")
    home = root / "home" / "me"
    (home / "notes").mkdir(parents=True)
    assert project_key(home, home=home) == ProjectKey("name:~")
    assert project_key(home / "notes", home=home) == ProjectKey("name:notes")
    assert project_key(root / "home", home=home).key == "git:github.com/me/system"


def test_a_link_to_a_directory_in_a_repository_leads_there(tmp_path: Path) -> None:
    root = repository(tmp_path / "app", "https://github.com/you/app")
    (root / "sub").mkdir()
    (tmp_path / "link").symlink_to(root / "sub")
    (tmp_path / "whole").symlink_to(root)
    assert project_key(tmp_path / "link") == ProjectKey("git:github.com/you/app", "sub")
    assert project_key(tmp_path / "whole" / "sub") == ProjectKey("git:github.com/you/app", "sub")


# --- what can't be asked -----------------------------------------------------------------------


def test_a_missing_git_is_an_error_in_a_repository_and_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path / "app", "https://github.com/you/app")
    (tmp_path / "plain").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert project_key(tmp_path / "plain").key == "name:plain"
    with pytest.raises(ProjectKeyError, match="install git"):
        project_key(root)


def test_a_git_in_the_current_directory_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path / "app", "https://github.com/you/app")
    program(root, "git", "touch ran; exit 1")
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", f"{os.pathsep}.{os.pathsep}{os.environ['PATH']}")
    assert project_key(root).key == "git:github.com/you/app"
    assert not (root / "ran").exists()


def test_a_repository_that_git_refuses_is_an_error(tmp_path: Path, wrappers: Path) -> None:
    root = repository(tmp_path / "app", "https://github.com/you/app")
    program(wrappers, "git", 'GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec "$REAL" "$@"')
    with pytest.raises(ProjectKeyError, match=r"safe\.directory"):
        project_key(root)


def test_a_git_that_hangs_is_ended(
    tmp_path: Path, wrappers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path / "app", "https://github.com/you/app")
    program(wrappers, "git", "exec sleep 60")
    monkeypatch.setattr("claude_sync.projects.git._PATIENCE_SECONDS", 0.1)
    with pytest.raises(ProjectKeyError, match="doesn't answer") as caught:
        project_key(root)
    assert caught.value.passing


def test_a_broken_configuration_is_an_error_that_quotes_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "app", f"https://me:{SECRET}@github.com/you/app")
    with (root / ".git" / "config").open("a") as file:
        file.write(f"[{SECRET}\n")
    with pytest.raises(ProjectKeyError) as caught:
        project_key(root)
    assert SECRET not in str(caught.value)


def test_a_broken_repository_is_not_taken_for_the_one_above(tmp_path: Path) -> None:
    repository(tmp_path / "outer", "https://github.com/you/outer")
    inner = repository(tmp_path / "outer" / "inner", "https://github.com/you/inner")
    (inner / ".git" / "HEAD").write_text("nonsense\n")
    with pytest.raises(ProjectKeyError):
        project_key(inner)
    shutil.rmtree(inner / ".git")
    (inner / ".git").mkdir()
    assert project_key(inner) == ProjectKey("git:github.com/you/outer", "inner")


@pytest.mark.parametrize("content", ["gitdir: /not/there\n", "nonsense", "", "gitdir: \0\n"])
def test_a_git_file_that_leads_nowhere_is_an_error(tmp_path: Path, content: str) -> None:
    repository(tmp_path / "outer", "https://github.com/you/outer")
    (tmp_path / "outer" / "tree").mkdir()
    (tmp_path / "outer" / "tree" / ".git").write_text(content)
    with pytest.raises(ProjectKeyError):
        project_key(tmp_path / "outer" / "tree")


def test_a_fifo_called_git_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    os.mkfifo(tmp_path / "app" / ".git")
    assert stat.S_ISFIFO(os.stat(tmp_path / "app" / ".git").st_mode)
    assert project_key(tmp_path / "app").key == "name:app"


def test_gits_variables_point_to_no_other_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path / "app", "https://github.com/you/app")
    other = repository(tmp_path / "other", "https://github.com/you/other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "remote.origin.url")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/you/evil")
    assert project_key(root).key == "git:github.com/you/app"


def test_a_hostile_remote_is_no_program_and_no_key(tmp_path: Path) -> None:
    for number, url in enumerate(
        (
            "ext::sh -c touch% ran",
            "-oProxyCommand=touch ran:a/b",
            "ssh://-oProxyCommand=touch%20ran/a/b",
            "$(touch ran)",
            "https://github.com/a\nb/c",
            "https://github.com/a\x1b[2Jb/c",
        )
    ):
        root = repository(tmp_path / f"r{number}")
        git(root, "config", "remote.origin.url", url)
        assert project_key(root).key == f"name:r{number}"
        assert not list(tmp_path.rglob("ran"))


def test_a_directory_that_cannot_be_named_is_none(tmp_path: Path) -> None:
    assert project_key(tmp_path / "a\0b").key == "name:a%00b"
    assert project_key(tmp_path / ("x" * 300)).key.startswith("name:xxx")


# --- ssh ---------------------------------------------------------------------------------------


def test_an_alias_is_resolved_by_the_real_ssh(tmp_path: Path, wrappers: Path, home: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(
        "Host work\n  HostName ssh.github.com\n  Port 443\nHost lan\n  HostName 10.0.0.1\n"
    )
    program(wrappers, "ssh", f'exec "$REAL" -F "{config}" "$@"')
    assert project_key(repository(tmp_path / "a", "git@work:you/app.git")).key == (
        "git:github.com/you/app"
    )
    assert project_key(repository(tmp_path / "b", "git@lan:you/app.git")).key == "git:lan/you/app"


@pytest.mark.parametrize("script", ["exit 255", "kill -9 $$"])
def test_ssh_that_fails_is_an_error_and_not_another_key(
    tmp_path: Path, wrappers: Path, script: str
) -> None:
    program(wrappers, "ssh", script)
    with pytest.raises(ProjectKeyError, match="ssh"):
        project_key(repository(tmp_path / "a", "git@work:you/app.git"))


# --- what must not change a key ----------------------------------------------------------------


def test_a_bare_repository_inside_a_working_tree_is_a_part_of_that(tmp_path: Path) -> None:
    root = repository(tmp_path / "here", "https://h.example/mine")
    inner = root / "fixtures" / "evil.git"
    inner.mkdir(parents=True)
    git(inner, "init", "-q", "--bare")
    git(inner, "remote", "add", "origin", "https://h.example/evil")
    assert project_key(inner) == ProjectKey("git:h.example/mine", "fixtures/evil.git")
    assert project_key(inner / "hooks").key == "git:h.example/mine"


def test_a_worktree_that_was_removed_before_anybody_looked_belongs_to_the_root(
    tmp_path: Path,
) -> None:
    root = repository(tmp_path / "here", "https://h.example/mine")
    for gone, subpath in (
        (root / ".claude" / "worktrees" / "x", ""),
        (root / ".claude" / "worktrees" / "x" / "src" / "a", "src/a"),
        (root / "sub" / ".claude" / "worktrees" / "y", "sub"),
        (root / ".claude" / "worktrees", ".claude/worktrees"),
        (root / "my.claude" / "worktrees" / "x", "my.claude/worktrees/x"),
    ):
        assert project_key(gone) == ProjectKey("git:h.example/mine", subpath)


@pytest.mark.parametrize("around", [" {} ", "\t{}", "{}\n", "\r\n {}\u00a0"])
def test_white_space_around_a_remotes_address_is_nothing(around: str) -> None:
    assert project_key_from_remote(around.format("https://h.example/you/app")) == (
        "git:h.example/you/app"
    )


def test_a_configuration_that_cannot_be_read_is_not_one_without_a_remote(
    tmp_path: Path, wrappers: Path
) -> None:
    root = repository(tmp_path / "here", "https://h.example/mine")
    # Git warns of a configuration that it can't read, and ends with 0.
    blind = tmp_path / "blind"
    blind.touch()
    script = f'[ "$1" = config ] && [ -e {blind} ] && exit 0\nexec "$REAL" "$@"'
    program(wrappers, "git", script)
    with pytest.raises(ProjectKeyError, match="can't be read"):
        project_key(root)
    blind.unlink()
    assert project_key(root).key == "git:h.example/mine"
    git(root, "remote", "remove", "origin")
    assert project_key(root).key == "name:here"
    (root / ".git" / "config").unlink()
    assert project_key(root).key == "name:here", "git itself needs none"
