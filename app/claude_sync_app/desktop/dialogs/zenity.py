"""Questions through zenity, which GNOME and Xfce have: man 1 zenity. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync_app.desktop.dialogs.asking import DialogAnswer, DialogCommand, Row, numbers
from claude_sync_app.shown_text import one_line

_WIDTH = "--width=480"


class Zenity:
    """How zenity is asked. Values come after ``=``, so none of them can be an option."""

    def folder(self, title: str, start: str) -> DialogCommand:
        where = f"--filename={start.rstrip('/')}/"
        return DialogCommand(
            ("zenity", "--file-selection", "--directory", f"--title={one_line(title)}", where)
        )

    def text(self, title: str, question: str, initial: str) -> DialogCommand:
        # "_" marks the letter that a key press chooses; doubled it is itself.
        asked = _plain(question).replace("_", "__")
        return DialogCommand(
            (
                "zenity",
                "--entry",
                f"--title={one_line(title)}",
                _WIDTH,
                f"--text={asked}",
                f"--entry-text={initial}",
            )
        )

    def secret(self, title: str, question: str) -> DialogCommand:
        asked = self.text(title, question, "")
        return DialogCommand((*asked.arguments, "--hide-text"))

    def buttons(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand:
        others = [f"--extra-button={label}" for label in labels[1:]]
        return DialogCommand(
            (
                "zenity",
                "--question",
                "--no-markup",
                f"--title={one_line(title)}",
                _WIDTH,
                f"--text={text}",
                f"--ok-label={labels[0]}",
                "--cancel-label=Cancel",
                *others,
            )
        )

    def shown(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand:
        others = [f"--extra-button={label}" for label in labels[1:]]
        return DialogCommand(
            (
                "zenity",
                "--text-info",
                f"--title={one_line(title)}",
                "--width=640",
                "--height=320",
                f"--ok-label={labels[0]}",
                "--cancel-label=Cancel",
                *others,
            ),
            text=text,
        )

    def was_shown(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None:
        return self.pressed(answer, labels)

    def pressed(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None:
        if answer.status == 0:
            return 0
        return labels.index(answer.text) if answer.text in labels[1:] else None

    def rows(self, title: str, question: str, rows: Sequence[Row]) -> DialogCommand:
        # Over standard input, where a label that begins with a dash is a label.
        cells = [
            cell
            for number, row in enumerate(rows)
            for cell in ("TRUE" if row.checked else "FALSE", str(number), one_line(row.label))
        ]
        return DialogCommand(
            (
                "zenity",
                "--list",
                "--checklist",
                f"--title={one_line(title)}",
                _WIDTH,
                "--height=420",
                f"--text={_escaped(_plain(question))}",
                "--column=",
                "--column=number",
                "--column=name",
                "--hide-column=2",
                "--print-column=2",
                "--hide-header",
                "--separator=|",
            ),
            text="".join(f"{cell}\n" for cell in cells),
        )

    def chosen(self, answer: DialogAnswer, rows: Sequence[Row]) -> list[int]:
        del rows
        return numbers(answer.text.replace("|", "\n"))


def _plain(text: str) -> str:
    """zenity reads backslashes as C does, except with ``--no-markup``."""
    return text.replace("\\", "\\\\")


def _escaped(text: str) -> str:
    """The text above a list is always markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
