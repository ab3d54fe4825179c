"""FORMAT.md and the code that cites it keep step."""

from __future__ import annotations

import re
from pathlib import Path

from claude_sync.bundle.file_names import bundle_file_name, encoded_key
from claude_sync.bundle.head import HEAD_SIZE, TAIL_SIZE
from claude_sync.bundle.members import MEMBERS
from claude_sync.model import MAX_SIDECAR_FILES, MAX_SUPERSEDES
from claude_sync.store.marker import read_marker
from claude_sync.transports.base import MARKER_NAME

CORE = Path(__file__).parents[3] / "core"
PAGE = (CORE / "FORMAT.md").read_text(encoding="utf-8")


def _cited(what: str) -> set[str]:
    sources = [file.read_text(encoding="utf-8") for file in (CORE / "claude_sync").rglob("*.py")]
    return {found for source in sources for found in re.findall(what, source)}


def test_the_members_stand_in_the_order_of_the_page() -> None:
    _, table = PAGE.split("| member | type | meaning |", 1)
    rows = re.findall(r"^\| (`.*?) \|", table.split("\n\n", 1)[0], re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(rows)) == list(MEMBERS)


def test_every_rule_and_section_that_the_code_cites_is_there() -> None:
    rules = set(re.findall(r"^\*\*Rule (\d)", PAGE, re.MULTILINE))
    assert rules == set("12345678")
    cited = _cited(r"FORMAT\.md, rules? (\d)")
    assert cited, "the code cites rules"
    assert cited <= rules
    sections = set(re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE))
    named = _cited(r'FORMAT\.md,\s+"([^"]+)"')
    assert {"The marker", "Names", "The bundle", "Check"} <= named
    assert named <= sections


def test_what_the_page_gives_as_examples_is_so() -> None:
    example = re.search(r"`(git:[^`]+)` becomes `([^`]+)`", PAGE)
    assert example is not None
    assert encoded_key(example[1]) == example[2]
    marker = re.search(r'^\{"schema":1,"store_id":.*\}$', PAGE, re.MULTILINE)
    assert marker is not None
    read = read_marker(marker[0].encode())
    assert read is not None
    assert read.store_id in marker[0]
    assert f"`{MARKER_NAME}`" in PAGE
    assert bundle_file_name("<session id>", "<machine>") in PAGE


def test_the_limits_are_those_of_the_page() -> None:
    assert f"first {HEAD_SIZE >> 10} KiB and last {TAIL_SIZE >> 10} KiB" in PAGE
    assert f"at most {MAX_SIDECAR_FILES:,}" in PAGE
    assert f"at most {MAX_SUPERSEDES}, the newest last" in PAGE
