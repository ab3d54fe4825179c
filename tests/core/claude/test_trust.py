"""Whether the client will ask if a person trusts a directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capabilities import skip_where_missing
from claude_sync.claude.trust import is_new_to_client


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory where the client never ran."""
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    skip_where_missing(monkeypatch)
    return home


def trusting(file: Path, *directories: Path, answer: object = True) -> None:
    projects = {str(one): {"hasTrustDialogAccepted": answer} for one in directories}
    file.write_text(json.dumps({"projects": projects}))


def is_new(home: Path, directory: Path, **environ: str) -> bool:
    return is_new_to_client(home / ".claude", directory, environ)


def test_where_it_never_ran_every_directory_is_new(home: Path) -> None:
    assert is_new(home, home / "code")


def test_what_lies_below_a_trusted_directory_is_trusted(home: Path) -> None:
    trusting(home / ".claude.json", home / "code")
    assert not is_new(home, home / "code")
    assert not is_new(home, home / "code" / "app" / "src")
    assert is_new(home, home / "code-of-others")
    assert is_new(home, home)


@pytest.mark.parametrize("answer", [False, None, "yes", 1])
def test_only_a_yes_is_a_yes(home: Path, answer: object) -> None:
    trusting(home / ".claude.json", home / "code", answer=answer)
    assert is_new(home, home / "code")


def test_a_directory_is_known_however_its_name_is_spelled(home: Path) -> None:
    trusting(home / ".claude.json", home / "caf\u00e9")
    assert not is_new(home, home / "cafe\u0301")
    (home / "link").symlink_to(home / "caf\u00e9")
    assert not is_new(home, home / "link")


def test_a_folder_of_its_own_has_a_list_of_its_own(home: Path, tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.mkdir()
    trusting(home / ".claude.json", home / "code")
    trusting(named / ".claude.json", home / "other")
    environ = {"CLAUDE_CONFIG_DIR": str(named)}
    assert is_new_to_client(named, home / "code", environ)
    assert not is_new_to_client(named, home / "other", environ)
    assert not is_new_to_client(named, home / "other", {})
    trusting(home / ".claude" / ".config.json", home / "oldest")
    assert not is_new(home, home / "oldest")


def test_a_list_that_is_a_link_is_followed(home: Path) -> None:
    trusting(home / "dotfiles.json", home / "code")
    (home / ".claude.json").symlink_to(home / "dotfiles.json")
    assert not is_new(home, home / "code")


@pytest.mark.parametrize("text", ["", "{", "\xff", "[" * 100_000])
def test_of_a_list_that_cannot_be_read_nothing_is_said(home: Path, text: str) -> None:
    (home / ".claude.json").write_text(text, encoding="latin-1")
    assert not is_new(home, home / "code")
    (home / ".claude.json").unlink()
    (home / ".claude.json").mkdir()
    assert not is_new(home, home / "code")


@pytest.mark.parametrize("text", ["[]", "{}", '{"projects":[]}', '{"projects":{"/":[]}}'])
def test_a_list_without_an_answer_holds_none(home: Path, text: str) -> None:
    (home / ".claude.json").write_text(text)
    assert is_new(home, home / "code")
