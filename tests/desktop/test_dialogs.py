"""Questions in zenity's windows, answered by keys; other systems' as far as commands go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from claude_sync_app.desktop import dialogs
from claude_sync_app.desktop.dialogs import Dialogs, Row
from claude_sync_app.desktop.dialogs.asking import DialogAnswer, DialogCommand, DialogProgram
from claude_sync_app.desktop.dialogs.kdialog import Kdialog
from claude_sync_app.desktop.dialogs.osascript import Osascript
from claude_sync_app.desktop.dialogs.powershell import Powershell
from claude_sync_app.desktop.dialogs.zenity import Zenity
from desktop.programs import Programs
from desktop.windows import answer, await_window
from waiting import PATIENCE_SECONDS, until

T = TypeVar("T")
NASTY = "-a'b\"c;$(touch x)&<b>_%s\\n"
ROWS = [Row("git:a", "-first <b>", True), Row("git:b", "same", False), Row("git:c", "same", True)]


@pytest.fixture
def asked(programs: Programs, display: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dialogs]:
    monkeypatch.setenv("NO_AT_BRIDGE", "1")
    programs.start(["openbox"])
    found = dialogs.choose()
    assert found is not None
    yield found
    found.close()


def _answered(ask: Callable[[], T], *keys: str) -> T:
    """What a question returns once its window was there and these keys were pressed."""
    answers: list[T] = []
    thread = threading.Thread(target=lambda: answers.append(ask()), name="asking")
    thread.start()
    answer("", *keys)
    thread.join(PATIENCE_SECONDS)
    return answers[0]


def test_a_text_is_asked_for(asked: Dialogs) -> None:
    initial = "--nas:/srv _x\\n"
    assert _answered(lambda: asked.ask_text("Title", NASTY, initial), "Return") == initial
    assert _answered(lambda: asked.ask_text("Title", "Which?"), "a", "b", "Return") == "ab"
    assert _answered(lambda: asked.ask_text("Title", "Which?"), "Escape") is None


def test_a_secret_is_asked_for(asked: Dialogs) -> None:
    keys = ("s", "e", "c", "Return")
    assert _answered(lambda: asked.ask_secret(NASTY, NASTY), *keys) == "sec"
    assert _answered(lambda: asked.ask_secret("Title", "Text"), "Escape") is None


def test_a_button_is_asked_for(asked: Dialogs) -> None:
    labels = ["Share", "Choose projects…"]
    assert _answered(lambda: asked.choose_button(NASTY, NASTY, labels), "Return") == 0
    assert _answered(lambda: asked.choose_button("Title", "Text", labels), "Escape") is None


def test_a_secret_is_shown_until_it_is_there_and_no_argument_has_it(asked: Dialogs) -> None:
    labels = ["I have it", "Copy"]
    seen: list[str] = []

    def look() -> int | None:
        return asked.show_secret("Title", "ccs1-SECRET\n<b>", labels)

    answers: list[int | None] = []
    thread = threading.Thread(target=lambda: answers.append(look()))
    thread.start()
    await_window("Title")
    for process in asked._asking:
        for what in ("cmdline", "environ"):
            seen.append(Path(f"/proc/{process.pid}/{what}").read_bytes().decode("utf-8", "replace"))
    answer("Title", "Escape")
    thread.join(PATIENCE_SECONDS)
    assert answers == [None]
    assert _answered(look, "Return") == 0
    assert len(seen) == 2
    assert not [one for one in seen if "SECRET" in one]


@pytest.mark.parametrize("dialect", [Zenity(), Kdialog(), Osascript(), Powershell()])
def test_a_secret_is_only_in_standard_input(
    dialect: Zenity | Kdialog | Osascript | Powershell,
) -> None:
    command = dialect.shown("Title", "ccs1-SECRET", ["I have it", "Copy"])
    assert "SECRET" in command.text
    assert dialect.was_shown(DialogAnswer(1, ""), ["I have it", "Copy"]) is None
    assert not [one for one in command.arguments if "SECRET" in one]
    assert not [one for one in command.environment.values() if "SECRET" in one]


def test_rows_are_asked_for(asked: Dialogs) -> None:
    assert _answered(lambda: asked.choose_rows("Title", NASTY, ROWS), "Tab", "Tab", "Return") == [
        "git:a",
        "git:c",
    ]
    assert _answered(lambda: asked.choose_rows("Title", "Which?", ROWS), "Escape") is None


def test_a_folder_is_asked_for(asked: Dialogs, tmp_path: Path) -> None:
    folder = tmp_path / "a b;$(touch x)"
    folder.mkdir()
    assert _answered(lambda: asked.choose_folder("Title", folder), "Escape") is None
    assert _answered(lambda: asked.choose_folder("Title", folder), "Return") == folder


def test_closing_takes_a_question_away_as_if_it_were_cancelled(asked: Dialogs) -> None:
    answers: list[str | None] = []
    thread = threading.Thread(target=lambda: answers.append(asked.ask_text("Title", "Which?")))
    thread.start()
    until(lambda: asked._asking)
    asked.close()
    thread.join(PATIENCE_SECONDS)
    assert answers == [None]


def test_without_a_display_there_are_no_dialogs() -> None:
    assert dialogs.choose() is None


# --- other systems: nothing that is shown is ever script ---------------------------------------


@pytest.mark.parametrize("dialect", [Zenity(), Kdialog(), Osascript(), Powershell()])
def test_what_is_shown_never_becomes_an_option_or_script(
    dialect: Zenity | Kdialog | Osascript | Powershell,
) -> None:
    def commands(text: str) -> list[DialogCommand]:
        return [
            dialect.folder(text, f"/{text}"),
            dialect.text(text, text, text),
            dialect.secret(text, text),
            dialect.buttons(text, text, [text, text]),
            dialect.rows(text, text, [Row("key", text)]),
        ]

    plain = [command.arguments for command in commands("plain")]
    for command, harmless in zip(commands(NASTY), plain, strict=True):
        assert len(command.arguments) == len(harmless)
        for given, usual in zip(command.arguments, harmless, strict=True):
            if "plain" not in usual:
                assert given == usual, "what it says changed what it does"
    if isinstance(dialect, Powershell):
        assert all("plain" not in argument for arguments in plain for argument in arguments)
        assert all('"' not in argument for arguments in plain for argument in arguments)


def test_each_program_says_its_answer_in_its_own_way() -> None:
    labels = ["Share", "Choose"]
    cases: list[tuple[Zenity | Kdialog | Osascript | Powershell, list[DialogAnswer]]] = [
        (Zenity(), [DialogAnswer(0, ""), DialogAnswer(1, "Choose"), DialogAnswer(1, "")]),
        (Kdialog(), [DialogAnswer(0, ""), DialogAnswer(1, ""), DialogAnswer(2, "")]),
        (Osascript(), [DialogAnswer(0, "Share"), DialogAnswer(0, "Choose"), DialogAnswer(1, "")]),
        (Powershell(), [DialogAnswer(0, "0"), DialogAnswer(0, "1"), DialogAnswer(1, "")]),
    ]
    for dialect, given in cases:
        assert [dialect.pressed(one, labels) for one in given] == [0, 1, None]
    chosen: list[tuple[DialogProgram, str]] = [
        (Zenity(), "0|2"),
        (Kdialog(), "0\n2"),
        (Powershell(), "0\n2"),
    ]
    for other, text in chosen:
        assert other.chosen(DialogAnswer(0, text), ROWS) == [0, 2]
    assert Osascript().chosen(DialogAnswer(0, "0 · -first <b>\n2 · same"), ROWS) == [0, 2]
    assert Zenity().chosen(DialogAnswer(0, ""), ROWS) == []
