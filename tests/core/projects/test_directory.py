"""Where sessions from elsewhere go, and what is learnt, removed and listed."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_sync.claude.home import encode_directory
from claude_sync.errors import (
    SessionUnplaced,
)
from claude_sync.model import ProjectKey
from claude_sync.projects.directory import directory_below
from claude_sync.projects.registry import Registry
from repositories import APP, clone, commit, git


def folder(directory: Path) -> str:
    return encode_directory(str(directory))


# --- where a session from elsewhere goes -------------------------------------------------------


def test_a_project_that_is_not_here_says_what_to_do(registry: Registry) -> None:
    with pytest.raises(SessionUnplaced, match="clone it"):
        registry.placement(APP)
    with pytest.raises(SessionUnplaced):
        registry.placement("git:Nonsense\x1b")


def test_the_main_working_tree_comes_first_then_the_last_used(
    tmp_path: Path, registry: Registry
) -> None:
    first, second = clone(tmp_path / "a"), clone(tmp_path / "b")
    commit(second)
    git(second, "worktree", "add", "-q", str(tmp_path / "tree"))
    (second / "sub").mkdir()
    for directory in (first, second, tmp_path / "tree", second / "sub"):
        registry.learn(directory)
    registry.refresh({folder(tmp_path / "tree"): 900, folder(first): 500, folder(second): 400})
    assert registry.placement(APP).directory == first
    registry.refresh({folder(first): 500, folder(second / "sub"): 600})
    assert registry.placement(APP).directory == second
    shutil.rmtree(first)
    shutil.rmtree(second / "sub")
    registry.refresh({folder(tmp_path / "tree"): 900})
    assert registry.placement(APP).directory == second
    here = [one for one in registry.projects() if one.exists]
    assert [(one.path, one.linked) for one in here] == [
        (second, False),
        (tmp_path / "tree", True),
    ]


@pytest.mark.parametrize(
    "subpath",
    ["..", "../x", "a/../..", "/etc", "a//b", ".", "C:/x", "a\\b", "a\0b", "nul", "out/x"],
)
def test_no_subpath_leads_out_of_the_project(
    tmp_path: Path, app: Path, registry: Registry, subpath: str
) -> None:
    (app / "out").symlink_to(tmp_path)
    registry.add(app)
    place = registry.placement(APP, subpath)
    assert place.directory == app
    assert place.reason


@pytest.mark.parametrize("target", ["../app2", "/", "..", "../app/../app2", "loop"])
def test_a_link_out_of_the_project_is_never_followed(
    tmp_path: Path, app: Path, registry: Registry, target: str
) -> None:
    (tmp_path / "app2").mkdir()
    (app / "loop").symlink_to("loop")
    (app / "link").symlink_to(target)
    registry.add(app)
    for _ in ("not known", "worked in, as it seems"):
        assert registry.placement(APP, "link").directory == app
        registry.learn(app / "link")


def test_a_link_inside_the_project_leads_where_the_client_would_be(
    tmp_path: Path, app: Path, registry: Registry
) -> None:
    (app / "real" / "x").mkdir(parents=True)
    (app / "link").symlink_to("real")
    (tmp_path / "short").symlink_to(app)
    assert registry.add(tmp_path / "short") == ProjectKey(APP)
    registry.learn(app / "real" / "x")
    assert registry.placement(APP, "link/x").directory == app / "real" / "x"


def test_a_file_in_the_way_is_said(app: Path, registry: Registry) -> None:
    (app / "file").write_text("")
    registry.add(app)
    for subpath in ("file", "file/x"):
        assert registry.placement(APP, subpath) == (app, "a file is where its directory should be")


def test_the_disks_own_spelling_of_a_name_is_taken(tmp_path: Path) -> None:
    composed, decomposed = "é", unicodedata.normalize("NFD", "é")
    (tmp_path / decomposed).mkdir()
    assert directory_below(str(tmp_path), composed) == tmp_path / decomposed
    (tmp_path / composed).mkdir()
    assert directory_below(str(tmp_path), composed) == tmp_path / composed


def test_of_two_spellings_on_the_disk_neither_is_guessed(tmp_path: Path) -> None:
    composed = "\u01d6"  # u with a diaeresis and a macron: a letter in one, two or three characters
    spellings = ["\u00fc\u0304", unicodedata.normalize("NFD", composed)]
    for name in spellings:
        (tmp_path / name).mkdir(exist_ok=True)
    if len(list(tmp_path.iterdir())) < len(spellings):
        pytest.skip("this disk makes one name of them")
    assert directory_below(str(tmp_path), composed) == tmp_path / composed


@given(st.text(st.sampled_from("ab./\\:~é\0 -link"), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_bundle_says_the_place_is_in_the_root(tmp_path: Path, subpath: str) -> None:
    root = tmp_path / "root"
    if not root.exists():
        root.mkdir()
        for name in ("a", "l", "link"):
            (root / name).symlink_to("..")
    try:
        place = directory_below(str(root), subpath)
    except SessionUnplaced:
        return
    assert root in (place, *place.parents)
    assert ".." not in place.parts


def test_a_name_matches_only_where_one_directory_has_it(tmp_path: Path, registry: Registry) -> None:
    one, other = tmp_path / "x" / "notes", tmp_path / "y" / "Notes"
    for directory in (one, other):
        directory.mkdir(parents=True)
    registry.learn(one)
    assert registry.placement("name:notes").directory == one
    registry.learn(other)
    with pytest.raises(SessionUnplaced, match="2 directories"):
        registry.placement("name:notes")
    registry.add(other, "name:notes")
    assert registry.placement("name:notes").directory == other
    registry.add(one, "name:notes")
    with pytest.raises(SessionUnplaced):
        registry.placement("name:notes")
    shutil.rmtree(one)
    registry.refresh()
    assert registry.placement("name:notes").directory == other


def test_the_worktrees_of_one_repository_share_a_name(tmp_path: Path, registry: Registry) -> None:
    app = clone(tmp_path / "app", None)
    commit(app)
    git(app, "worktree", "add", "-q", str(tmp_path / "tree"))
    registry.learn(tmp_path / "tree")
    registry.learn(app)
    assert registry.placement("name:app").directory == app


def test_home_is_home_on_every_machine(home: Path, registry: Registry) -> None:
    assert registry.placement("name:~").directory == home
    clone(home, "https://github.com/me/dotfiles")
    registry.refresh()
    assert registry.directory_of(folder(home), [str(home)]) == home
    assert registry.key_of(home).key == "git:github.com/me/dotfiles"
    assert registry.placement("git:github.com/me/dotfiles").directory == home


# --- what is learnt, removed, listed -----------------------------------------------------------


def test_what_was_removed_is_not_learnt_again(
    tmp_path: Path, app: Path, projects_file: Path
) -> None:
    (app / "sub").mkdir()
    registry = Registry(projects_file)
    registry.directory_of(folder(app / "sub"), [str(app / "sub")])
    assert registry.placement(APP).directory == app
    assert registry.remove(app)
    assert not registry.remove(app)
    registry.save()
    registry = Registry(projects_file, roots=[tmp_path])
    (app / "new").mkdir()
    for directory in (app, app / "sub", app / "new"):
        assert registry.directory_of(folder(directory), [str(directory)]) == directory
        assert not registry.learn(directory)
    assert registry.projects() == ()
    with pytest.raises(SessionUnplaced):
        registry.placement(APP)
    registry.add(app)
    assert registry.placement(APP).directory == app
    assert registry.directory_of(folder(app / "sub"), []) == app / "sub"


def test_removing_a_stranger_says_so(tmp_path: Path, registry: Registry) -> None:
    assert not registry.remove(tmp_path)
    assert not registry.save()


def test_standing_in_a_repository_registers_it_and_elsewhere_for_the_moment(
    tmp_path: Path, projects_file: Path
) -> None:
    app, plain = clone(tmp_path / "app"), tmp_path / "notes"
    plain.mkdir()
    (app / "sub").mkdir()
    registry = Registry(projects_file)
    assert registry.stand(app / "sub") == ProjectKey(APP, "sub")
    assert registry.stand(plain) == ProjectKey("name:notes")
    assert registry.placement("name:notes").directory == plain
    registry.refresh()
    assert registry.placement("name:notes").directory == plain
    registry.save()
    assert [one.key for one in Registry(projects_file).projects()] == [APP]
    assert Registry(projects_file).placement(APP).directory == app


def test_who_stands_in_a_removed_directory_means_it(app: Path, registry: Registry) -> None:
    registry.add(app)
    registry.remove(app)
    registry.stand(app)
    assert registry.placement(APP).directory == app


def test_a_session_placed_in_a_missing_directory_is_found_again(
    app: Path, registry: Registry
) -> None:
    registry.add(app)
    place = app / "sub"
    assert not registry.learn(place)
    assert registry.learn(place, installed=True)
    assert registry.directory_of(folder(place), ["/elsewhere/app/sub"]) == place
    assert registry.key_of(place) == ProjectKey(APP, "sub")


def test_the_list_names_each_root_once_with_all_that_is_known(
    tmp_path: Path, registry: Registry
) -> None:
    app, pinned = clone(tmp_path / "app"), tmp_path / "pinned"
    (app / "sub").mkdir()
    pinned.mkdir()
    registry.learn(app)
    registry.learn(app / "sub")
    registry.add(pinned, "git:h.example/x/y")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / ".git").write_text("gitdir: /gone\n")
    registry.learn(tmp_path / "broken")
    registry.refresh({folder(app / "sub"): 7, folder(app): 3})
    broken, first, second = registry.projects()
    assert (broken.key, broken.path) == ("", tmp_path / "broken")
    assert ".git" in broken.problem
    assert (first.key, first.path, first.last_used_ns, first.added) == (APP, app, 7, False)
    assert (second.key, second.path, second.added, second.pinned) == (
        "git:h.example/x/y",
        pinned,
        True,
        True,
    )
    app.rename(tmp_path / "moved")
    registry.refresh()
    assert [one.exists for one in registry.projects()] == [True, False, True]
