"""What the papers say of the tests is so."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent
README = TESTS.parent / "README.md"


def test_every_promise_of_the_readme_has_tests_that_are_there() -> None:
    _, _, after = README.read_text(encoding="utf-8").partition("## What is promised\n")
    promised = re.findall(r"^(\d+)\. ", after.partition("\n## ")[0], re.MULTILINE)
    rows = re.findall(r"^\| (\d+) .*", (TESTS / "README.md").read_text(encoding="utf-8"), re.M)
    assert rows == promised
    assert len(promised) >= 8


def test_every_test_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:[a-z_]+/)*test_[a-z_]+\.py)`", (TESTS / "README.md").read_text())
    assert len(named) >= 8
    assert [name for name in named if not (TESTS / name).is_file()] == []
