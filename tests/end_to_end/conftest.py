"""Two machines with one shared folder; their paths and the spelling of their remotes differ."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from end_to_end.machine import Machine

# Without such terminals, signals, shells and hosts there is nothing to test.
collect_ignore = (
    []
    if hasattr(os, "openpty")
    else [
        "test_as_a_process.py",
        "test_by_rclone.py",
        "test_doctor.py",
        "test_interrupts.py",
        "test_on_a_terminal.py",
        "test_over_ssh.py",
        "test_prompts.py",
        "test_resuming.py",
        "test_upgrading.py",
    ]
)


@pytest.fixture
def shared_folder(tmp_path: Path) -> Path:
    """The shared folder."""
    return tmp_path / "shared folder"


@pytest.fixture
def new_laptop(tmp_path: Path) -> Machine:
    """A machine on which claude-sync was never run."""
    return Machine(tmp_path / "laptop", "git@github.com:You/App.git")


@pytest.fixture
def new_desktop(tmp_path: Path) -> Machine:
    """Another one."""
    return Machine(
        tmp_path / "desktop", "https://someone:hunter2@github.com/you/app/", "Projects/my app (2)"
    )


@pytest.fixture
def laptop(new_laptop: Machine, shared_folder: Path) -> Machine:
    """A machine that was set up."""
    new_laptop.does("init", shared_folder, "--name", "laptop")
    return new_laptop


@pytest.fixture
def desktop(new_desktop: Machine, shared_folder: Path) -> Machine:
    """Another one, with the same shared folder."""
    new_desktop.does("init", shared_folder, "--name", "desktop")
    return new_desktop
