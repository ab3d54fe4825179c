"""The doctor as people meet it: on a terminal, in a pipe, as a document, by its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from end_to_end.machine import OTHER, SESSION, Machine
from end_to_end.terminal import Screen, on_terminal


@pytest.fixture
def healthy(laptop: Machine, desktop: Machine) -> Machine:
    """A machine with nothing to fix: both have pushed and pulled."""
    desktop.says("hello")
    desktop.does("push")
    laptop.does("pull")
    laptop.says("of this machine", OTHER)
    laptop.does("push", "--all")
    return laptop


@pytest.fixture
def ailing(healthy: Machine, shared_folder: Path) -> Machine:
    """One with five things wrong."""
    preferences = healthy.home / ".config" / "claude-sync" / "preferences.json"
    chosen = json.loads(preferences.read_text())
    preferences.write_text(json.dumps({**chosen, "quiet_seconds": "x", "odd": 1}))
    second = healthy.home / "code" / "again"
    second.mkdir()
    healthy.does("projects", "add", second, "--key", "git:github.com/you/app")
    second.rmdir()
    (healthy.claude / "sessions" / "1.json").write_text("{")
    shared_folder.rename(shared_folder.with_name("away"))
    return healthy


def _marks(seen: Screen) -> list[str]:
    return [line[0] for line in seen.lines if line[:1] in tuple("✗!·✓")]


def test_a_healthy_machine_is_told_so_at_a_glance(healthy: Machine) -> None:
    seen = on_terminal(healthy, "doctor")
    assert seen.status == 0
    assert set(_marks(seen)) == {"✓"}
    assert all(line[0] in "✓ " for line in seen.lines[:-2])
    assert seen.lines[-1] == "Nothing is wrong."


def test_a_fresh_machine_is_told_how_to_begin(new_laptop: Machine) -> None:
    seen = on_terminal(new_laptop, "doctor")
    assert seen.status == 0
    assert "claude-sync init FOLDER" in seen.text
    assert not (new_laptop.home / ".local").exists()
    assert not (new_laptop.home / ".config").exists()


def test_the_worst_comes_first_and_every_line_fits(ailing: Machine) -> None:
    for columns in (40, 80, 200):
        seen = on_terminal(ailing, "doctor", columns=columns)
        assert seen.status == 1
        marks = _marks(seen)
        assert marks == sorted(marks, key="✗!·✓".index)
        assert {"✗", "!", "·", "✓"} == set(marks)
        assert max(cell_len(line.rstrip()) for line in seen.lines) <= columns
        assert seen.lines[-1] == "1 error and 3 warnings."
        assert "…" not in seen.text, "nothing is cut"
        wrong = marks.count("✗") + marks.count("!")
        assert " ".join(line.strip() for line in seen.lines).count("Fix: ") >= wrong


def test_a_document_and_rows_for_programs(ailing: Machine) -> None:
    done = ailing.run("doctor", "--json")
    assert (done.status, done.err) == (1, "")
    findings = done.document["findings"]
    assert all(list(one) == ["code", "level", "title", "detail", "fix"] for one in findings)
    assert {one["level"] for one in findings} == {"error", "warning", "info", "ok"}
    assert findings[0]["code"] == "store-missing"
    done = ailing.run("doctor")
    assert (done.status, done.err) == (1, "")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert [row[1] for row in rows] == [one["code"] for one in findings]
    assert all(len(row) == 5 for row in rows)
    assert rows[0][0] == "error"


def test_looking_deep_shows_no_trace_of_it_afterwards(
    healthy: Machine, shared_folder: Path
) -> None:
    before = sorted(shared_folder.rglob("*"))
    seen = on_terminal(healthy, "doctor", "--deep")
    assert seen.status == 0
    assert "checked" in seen.text
    assert sorted(shared_folder.rglob("*")) == before


def test_a_terminal_that_knows_few_characters(
    healthy: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("PYTHONUTF8", "0")
    seen = on_terminal(healthy, "doctor")
    assert seen.lines[0].startswith("+ ")


def test_names_from_elsewhere_cannot_play_with_the_terminal(
    healthy: Machine, shared_folder: Path
) -> None:
    folder = next(shared_folder.glob("git*"))
    (folder / "bad\u202e\u2066name-x.ccsync").write_bytes(b"{}")
    seen = on_terminal(healthy, "doctor")
    assert "\u202e" not in seen.text
    assert "badname-x.ccsync" in seen.text.replace("\n", "").replace("  ", "")


def test_sessions_are_called_by_their_titles_on_a_terminal_only(laptop: Machine) -> None:
    laptop.says("Fix the login bug")
    kept = laptop.path().read_bytes()
    laptop.says("and this gets lost")
    laptop.does("push")
    laptop.path().write_bytes(kept)
    said = "“Fix the login bug” (3f2a91c4) has lost something"
    assert said in on_terminal(laptop, "doctor", columns=200).text
    assert said in laptop.run("status").out
    piped = laptop.run("doctor").out
    assert f"Session {SESSION} has lost something" in piped
    assert "login bug" not in piped, "it is pasted into reports"
    assert "login bug" not in laptop.run("doctor", "--json").out
