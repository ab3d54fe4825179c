"""What is printed about a push or a pull, and its exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_sync.model import Outcome, Result
from claude_sync_app.cli.results import exit_status, print_results
from claude_sync_app.resume_line import resume_line
from machines import OTHER, SESSION

UNKNOWN = "no directory of {} is known on this machine: clone it"
LONG = "Older, with a title that is cut on a narrow terminal only"
SKIPPED = {
    Outcome.BEHIND,
    Outcome.OPEN,
    Outcome.GONE,
    Outcome.DECLINED,
    Outcome.UNPLACED,
    Outcome.INCOMPLETE,
}


@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_skipped_is_no_failure_unless_it_was_named(outcome: Outcome) -> None:
    bad = outcome in (Outcome.FAILED, Outcome.CONFLICT, Outcome.SHORTENED)
    assert exit_status([Result("s", outcome)], named=False) == bad
    assert exit_status([Result("s", outcome)], named=True) == (bad or outcome in SKIPPED)
    assert exit_status([Result("s", Outcome.PUSHED), Result("t", outcome)], named=False) == bad
    assert exit_status([], named=True) == 0


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_spoken_of_if_it_was_named(
    outcome: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(
        SESSION, outcome, "git:x/y", "laptop", directory=Path("/there"), title="Fix\x1b\u202e it"
    )
    print_results([result], "pull", "here", named=True)
    said = capsys.readouterr()
    assert f"“Fix it” ({SESSION[:8]})" in said.out + said.err
    assert bool(said.err) == (exit_status([result], named=True) != 0)


def test_a_session_that_changed_meanwhile_is_not_said_to_arrive(
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes = ["SessionChanging", "FileGone", "BundleIncomplete"]
    waiting = [Result(code, Outcome.INCOMPLETE, message="m", code=code) for code in codes]
    print_results([*waiting, Result("s", Outcome.PUSHED)], "pull", "here", named=False)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "1 pushed, 2 changed meanwhile, 1 still arriving."


def test_why_sessions_of_many_projects_are_skipped_is_printed_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys = ["git:x/y", "git:x/y/z", "git:x/y"]
    results = [
        Result(str(number), Outcome.UNPLACED, key, message=UNKNOWN.format(key))
        for number, key in enumerate(keys)
    ]
    print_results(results, "pull", "here", named=False)
    assert capsys.readouterr().out.splitlines() == [
        "Skipped 3 sessions of 2 projects: " + UNKNOWN.format("their project"),
        "  git:x/y (2)",
        "  git:x/y/z (1)",
        "Nothing to pull: 3 without a directory here.",
    ]
    print_results(results[:1], "pull", "here", named=False)
    assert capsys.readouterr().out.splitlines()[0] == (
        "Skipped 1 session: " + UNKNOWN.format("git:x/y")
    )


def test_what_was_done_stands_in_one_line_each_and_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = [
        Result("older", Outcome.IMPORTED, machine="desktop", mtime_ns=1, title=LONG),
        Result(SESSION, Outcome.IMPORTED, machine="laptop", directory=tmp_path, mtime_ns=2),
        Result("two", Outcome.UNCHANGED),
        Result("three", Outcome.FAILED, message="the disk is full (x): make room"),
        Result(
            OTHER, Outcome.CONFLICT, message=f"it diverged ({OTHER}): see `{OTHER}`", title="Fork"
        ),
    ]
    print_results(results, "pull", "here", named=False)
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"Imported {SESSION[:8]} from laptop",
        f"  {resume_line(tmp_path, SESSION)}",
        f"Imported “{LONG}” (older) from desktop",
        "2 imported, 1 up to date, 1 in conflict, 1 failed.",
    ]
    assert said.err.splitlines() == [
        "claude-sync: three: the disk is full (x): make room",
        f"claude-sync: “Fork” ({OTHER[:8]}) diverged: see `{OTHER}`",
    ]


def test_of_many_that_were_pulled_the_newest_get_a_line_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [f"{SESSION[:-1]}{number}" for number in range(5)]
    results = [
        Result(one, Outcome.IMPORTED, "k", "laptop", directory=tmp_path, mtime_ns=number)
        for number, one in enumerate(ids)
    ]
    print_results(results, "pull", "here", named=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("  ")] == [
        f"  {resume_line(tmp_path, session_id)}" for session_id in ids[:1:-1]
    ]
    assert lines[-2:] == ["… and 2 more: claude-sync sessions", "5 imported."]
    another = results[0]._replace(project_key="other")
    print_results([another, *results[1:]], "pull", "here", named=False)
    assert "… and 2 more: claude-sync sessions --all\n" in capsys.readouterr().out
    print_results(results[:3], "pull", "here", named=False)
    assert "more" not in capsys.readouterr().out
    print_results(results, "pull", "here", named=True)
    named = capsys.readouterr().out
    assert named.count("claude --resume") == 5, "whoever names sessions wants each"
    assert "more" not in named


def test_a_dry_run_speaks_of_what_would_be(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        Result("a", Outcome.IMPORTED, machine="laptop", title="One", directory=Path("/x")),
        Result("b", Outcome.IMPORTED, machine="laptop", title="Two"),
        Result("c", Outcome.REPLACED, machine="laptop", title="Three"),
        Result("d", Outcome.UNCHANGED),
    ]
    print_results(results, "pull", "here", named=False, dry_run=True)
    assert capsys.readouterr().out.splitlines() == [
        "Would import “One” (a) from laptop",
        "Would import “Two” (b) from laptop",
        "Would replace “Three” (c) with laptop's",
        "2 to import, 1 to replace, 1 up to date.",
    ]


def test_where_titles_are_not_for_everybody_ids_stand_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = Result(SESSION, Outcome.PUSHED, title="Secret")
    print_results([result], "push", "here", named=True, titles=False)
    assert capsys.readouterr().out == f"Pushed {SESSION[:8]} → here\n"
