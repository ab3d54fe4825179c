"""Questions through kdialog, which KDE has: https://develop.kde.org/docs/administration/kdialog.
Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from claude_sync_app.desktop.dialogs.asking import DialogAnswer, DialogCommand, Row, numbers
from claude_sync_app.shown_text import one_line


class Kdialog:
    """How kdialog is asked. What isn't an option's value comes after ``--``."""

    def folder(self, title: str, start: str) -> DialogCommand:
        return DialogCommand(("kdialog", "--title", title, "--getexistingdirectory", "--", start))

    def text(self, title: str, question: str, initial: str) -> DialogCommand:
        return DialogCommand(
            ("kdialog", "--title", title, "--inputbox", _rich(question), "--", initial)
        )

    def secret(self, title: str, question: str) -> DialogCommand:
        return DialogCommand(("kdialog", "--title", title, "--password", _rich(question)))

    def buttons(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand:
        first = labels[0]
        kind: tuple[str, ...]
        if len(labels) == 1:
            kind = ("--warningcontinuecancel", _rich(text), "--continue-label", first)
        else:
            kind = ("--yesnocancel", _rich(text), "--yes-label", first, "--no-label", labels[1])
        return DialogCommand(("kdialog", "--title", title, *kind, "--cancel-label", "Cancel"))

    def shown(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand:
        # It has one button of its own, which says that the text was read.
        del labels
        return DialogCommand(
            ("kdialog", "--title", title, "--textbox", "-", "640", "320"), text=text
        )

    def was_shown(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None:
        del labels
        return 0 if answer.status == 0 else None

    def pressed(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None:
        return answer.status if 0 <= answer.status < len(labels) else None

    def rows(self, title: str, question: str, rows: Sequence[Row]) -> DialogCommand:
        cells = [
            cell
            for number, row in enumerate(rows)
            for cell in (str(number), one_line(row.label), "on" if row.checked else "off")
        ]
        ask = ("--separate-output", "--checklist", _rich(question), "--", *cells)
        return DialogCommand(("kdialog", "--title", title, *ask))

    def chosen(self, answer: DialogAnswer, rows: Sequence[Row]) -> list[int]:
        del rows
        return numbers(answer.text)


def _rich(text: str) -> str:
    """Escaped and declared as markup, since Qt takes for markup whatever looks like it.

    kdialog also interprets backslashes, so none may be left.
    """
    escaped = escape(text, quote=False).replace("\\", "&#92;")
    return "<qt>" + escaped.replace("\n", "<br>") + "</qt>"
