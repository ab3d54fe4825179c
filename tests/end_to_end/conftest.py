"""Two machines that meet in a folder; their paths and their remotes' spellings differ."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from end_to_end.machine import Machine

# Where there are no such terminals, signals, shells and hosts, there is nothing to look at.
collect_ignore = (
    []
    if hasattr(os, "openpty")
    else [
        "test_as_a_process.py",
        "test_doctor.py",
        "test_interrupts.py",
        "test_on_a_terminal.py",
        "test_over_ssh.py",
        "test_prompts.py",
    ]
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where sessions meet."""
    return tmp_path / "where sessions meet"


@pytest.fixture
def new_laptop(tmp_path: Path) -> Machine:
    """A machine on which claude-sync was never run."""
    return Machine(tmp_path / "laptop", "git@github.com:You/App.git")


@pytest.fixture
def new_desktop(tmp_path: Path) -> Machine:
    """Another one."""
    return Machine(
        tmp_path / "desktop", "https://somebody:hunter2@github.com/you/app/", "Projects/my app (2)"
    )


@pytest.fixture
def laptop(new_laptop: Machine, place: Path) -> Machine:
    """A machine that was set up."""
    new_laptop.does("init", place, "--name", "laptop")
    return new_laptop


@pytest.fixture
def desktop(new_desktop: Machine, place: Path) -> Machine:
    """Another one, that meets the first."""
    new_desktop.does("init", place, "--name", "desktop")
    return new_desktop
