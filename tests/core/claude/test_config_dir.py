"""The variable that names Claude Code's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from claude_sync.claude.config_dir import VARIABLE, make_absolute, named_folder


def test_once_made_absolute_it_is_the_same_folder_for_programs_that_start_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "relative")
    make_absolute()
    monkeypatch.chdir("/")
    assert os.environ[VARIABLE] == str(tmp_path / "relative")
    assert named_folder() == tmp_path / "relative"


@pytest.mark.parametrize("value", ["", None])
def test_where_it_names_nothing_it_stays_so(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    make_absolute()
    assert os.environ.get(VARIABLE) == value
    assert named_folder() is None
