"""What a person sees, on a real terminal as wide as theirs, and what they answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from end_to_end.machine import OTHER, SESSION, Machine, called, outcomes
from end_to_end.terminal import Screen, on_terminal


@pytest.mark.parametrize("columns", [30, 60, 80, 200])
def test_a_table_fits(laptop: Machine, columns: int) -> None:
    laptop.says("Fix the login bug that keeps everybody from working since the release 😀 " * 3)
    laptop.says("日本語のタイトルはとても長いので、ここで切られるはずです、たぶん", OTHER)
    seen = on_terminal(laptop, "sessions", "--all", columns=columns)
    assert seen.status == 0
    head, *rows = [line.rstrip() for line in seen.lines]
    assert head.startswith("session ")
    assert len(rows) == 2
    assert max(cell_len(line) for line in [head, *rows]) <= columns
    assert {row.split()[0] for row in rows} == {SESSION[:8], OTHER[:8]}
    assert all(row.endswith("changed") for row in rows)
    assert ("you/app" in rows[0]) == (columns >= 80)
    assert ("last used" in head) == (columns >= 60)


def test_sentences_are_broken_between_words_and_lines_to_type_stay_whole(
    laptop: Machine, desktop: Machine
) -> None:
    laptop.says("Fix the login bug that keeps everybody from working since the release " * 3)
    laptop.does("push")
    seen = on_terminal(desktop, "pull", columns=60)
    imported, typed = seen.lines
    assert cell_len(imported) <= 60
    assert imported.startswith("Imported “Fix the login")
    assert imported.endswith(f"({SESSION[:8]}) from laptop")
    assert typed.endswith(f"claude --resume {SESSION}")
    desktop.says("there")
    laptop.says("here")
    laptop.does("push")
    seen = on_terminal(desktop, "pull", columns=60)
    assert f"`claude-sync resolve {SESSION}`" in seen.lines
    assert max(map(cell_len, seen.lines)) <= 60


def test_the_short_ids_of_a_table_can_be_typed(laptop: Machine) -> None:
    near = SESSION[:-1] + "9"
    laptop.says("one")
    laptop.says("two", near)
    seen = on_terminal(laptop, "sessions", columns=120)
    shown = {line.split()[0] for line in seen.lines[1:]}
    assert shown == {SESSION, near}
    laptop.says("three", OTHER)
    assert OTHER[:8] in on_terminal(laptop, "sessions").text
    assert outcomes(laptop.document("push", OTHER[:8])) == {OTHER: "pushed"}


def test_a_long_list_shows_the_newest_and_says_so(laptop: Machine) -> None:
    for number in range(25):
        laptop.says("x", f"{number:08d}-0000-4000-8000-000000000000")
    seen = on_terminal(laptop, "sessions")
    assert len(seen.lines) == 22
    assert seen.lines[-1] == "(5 more: --limit 25)"
    assert len(on_terminal(laptop, "sessions", "--limit", "25").lines) == 26


def test_the_log_names_what_was_removed_and_not_what_stayed(
    laptop: Machine, desktop: Machine, shared_folder: Path
) -> None:
    for session in (SESSION, OTHER):
        laptop.says("hello", session)
    laptop.does("push")

    def slow_answer() -> str:
        laptop.says("more", OTHER)
        laptop.does("push")
        return "y\n"

    typed = ("forget", "--machine", "laptop")
    seen = on_terminal(desktop, *typed, answers=[("[y/N]", slow_answer)], columns=200)
    assert seen.lines[-2:] == [
        f"Removed 1 bundle from {shared_folder}.",
        "1 bundle changed meanwhile and stayed: run this again to remove them.",
    ]
    assert f"forget {SESSION} laptop" in desktop.log()
    assert OTHER not in desktop.log()


def test_forgetting_asks_first(laptop: Machine, shared_folder: Path) -> None:
    laptop.says("hello")
    laptop.does("push")

    def forget(answer: str) -> Screen:
        return on_terminal(laptop, "forget", SESSION, answers=[("[y/N]", answer)], columns=200)

    refused = forget("\n")
    assert f"Remove laptop's bundle of {called('hello')} (" in refused.text
    assert refused.lines[-1] == "Nothing was removed."
    assert refused.status == 1
    assert forget("\x03").status == 130
    assert len(list(shared_folder.glob("*/*.ccsync"))) == 1
    assert forget("y\n").lines[-1] == f"Removed 1 bundle from {shared_folder}."
    assert list(shared_folder.glob("*/*.ccsync")) == []


def test_resolving_shows_the_sides_and_asks(laptop: Machine, desktop: Machine) -> None:
    laptop.says("hello")
    laptop.does("push")
    desktop.does("pull")
    laptop.says("here")
    laptop.says("and here")
    of_desktop = desktop.says("there")
    laptop.does("push")

    def resolve(*answers: str) -> Screen:
        typed = [("[nothing]", answer) for answer in answers]
        return on_terminal(desktop, "resolve", "3f2a", answers=typed, columns=200)

    left = resolve("\n")
    assert left.status == 1
    assert left.lines[0] == f"“hello” ({SESSION[:8]}) diverged:"
    assert left.lines[1].startswith("  mine (this machine, desktop): 1 turn more (1 line), last ")
    assert left.lines[2].startswith("  laptop: 2 turns more (2 lines), last used ")
    assert left.lines[-1] == "Nothing was changed."
    assert resolve("\x03").status == 130
    assert desktop.read() == of_desktop
    settled = resolve("nobody\n", "laptop\n")
    assert "there is no side 'nobody': type mine, laptop, both, or nothing" in settled.text
    assert settled.status == 0
    assert desktop.read() == laptop.read()


def test_what_would_be_replaced_or_was_shortened_is_resolved_too(
    laptop: Machine, desktop: Machine
) -> None:
    laptop.says("hello")
    laptop.does("push")
    desktop.does("pull")
    mine = laptop.says("here")
    desktop.says("there")
    laptop.does("push")
    desktop.does("resolve", SESSION, "--keep", "mine")

    def resolve(answer: str) -> Screen:
        answers = [("[nothing]", answer)]
        return on_terminal(laptop, "resolve", "3f2a", answers=answers, columns=200)

    asked = f"“hello” ({SESSION[:8]}) would be replaced by what was chosen elsewhere:"
    assert resolve("\n").lines[0] == asked
    assert resolve("mine\n").status == 0
    assert laptop.read() == mine
    laptop.path().write_bytes(mine.splitlines(keepends=True)[0])
    lost = resolve("laptop\n")
    assert lost.lines[0].startswith(f"“hello” ({SESSION[:8]}) was shortened: a turn that was here")
    assert laptop.read() == mine


def test_a_side_that_changes_while_one_thinks_is_shown_again(
    laptop: Machine, desktop: Machine
) -> None:
    laptop.says("hello")
    laptop.does("push")
    desktop.does("pull")
    laptop.says("here")
    desktop.says("there")
    laptop.does("push")

    def slow_answer() -> str:
        laptop.says("meanwhile")
        laptop.does("push")
        return "laptop\n"

    seen = on_terminal(
        desktop,
        "resolve",
        "3f2a",
        columns=200,
        answers=[("[nothing]", slow_answer), ("[nothing]", "laptop\n")],
    )
    assert (
        "a side of the conflict has changed since it was shown: here are the sides again"
        in seen.text
    )
    assert "laptop: 2 turns more" in seen.text
    assert seen.status == 0
    assert desktop.read() == laptop.read()


def test_long_work_shows_how_far_it_is_and_leaves_no_trace(laptop: Machine) -> None:
    text = b'{"type":"progress","text":"' + b"x" * 1000 + b'"}\n'
    for number in range(300):
        path = laptop.path(f"{number:08d}-0000-4000-8000-000000000000")
        laptop.says("x", path.stem)
        with path.open("ab") as file:
            file.write(text * 600)
    seen = on_terminal(laptop, "push", "--all")
    assert seen.status == 0
    assert seen.lines[-1] == "300 pushed."
