"""Questions through AppleScript on macOS: man 1 osascript. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync_app.desktop.dialogs.asking import DialogAnswer, DialogCommand, Row, numbers
from claude_sync_app.shown_text import one_line

# The first argument is ours, so that none of the others can begin the line as an option.
_FOLDER = (
    "set chosen to choose folder with prompt (item 2 of argv)"
    " default location (POSIX file (item 3 of argv))",
    "return POSIX path of chosen",
)
_TEXT = (
    "display dialog (item 3 of argv) with title (item 2 of argv) default answer (item 4 of argv)",
    "return text returned of result",
)
_HIDDEN_TEXT = (
    'display dialog (item 3 of argv) with title (item 2 of argv) default answer "" with hidden'
    " answer",
    "return text returned of result",
)
_BUTTONS = (
    "set labels to reverse of (items 4 thru -1 of argv)",
    'display dialog (item 3 of argv) with title (item 2 of argv) buttons ({"Cancel"} & labels)'
    ' default button (item 4 of argv) cancel button "Cancel"',
    "return button returned of result",
)
_ROWS = (
    "set amount to (item 4 of argv) as integer",
    "set labels to items 5 thru (4 + amount) of argv",
    "set marked to {}",
    "if (count of argv) > 4 + amount then set marked to items (5 + amount) thru -1 of argv",
    "set chosen to choose from list labels with title (item 2 of argv)"
    " with prompt (item 3 of argv) default items marked"
    " with multiple selections allowed and empty selection allowed",
    "if chosen is false then error number -128",
    "set AppleScript's text item delimiters to linefeed",
    "return chosen as text",
)

# AppleScript can't read its standard input; JavaScript can, by way of Foundation.
_SHOWN = """\
function run(argv) {
  ObjC.import('Foundation');
  const data = $.NSFileHandle.fileHandleWithStandardInput.readDataToEndOfFile;
  const text = $.NSString.alloc.initWithDataEncoding(data, $.NSUTF8StringEncoding).js;
  const app = Application.currentApplication();
  app.includeStandardAdditions = true;
  app.activate();
  const labels = argv.slice(2);
  return app.displayDialog(text, {
    withTitle: argv[1],
    buttons: ['Cancel', ...labels.slice().reverse()],
    defaultButton: labels[0],
    cancelButton: 'Cancel',
  }).buttonReturned;
}
"""


class Osascript:
    """How AppleScript is asked: texts are arguments, never script."""

    def folder(self, title: str, start: str) -> DialogCommand:
        return _command(_FOLDER, title, start)

    def text(self, title: str, question: str, initial: str) -> DialogCommand:
        return _command(_TEXT, title, question, initial)

    def secret(self, title: str, question: str) -> DialogCommand:
        return _command(_HIDDEN_TEXT, title, question)

    def buttons(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand:
        return _command(_BUTTONS, title, text, *labels)

    def shown(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand:
        script = ("osascript", "-l", "JavaScript", "-e", _SHOWN)
        return DialogCommand((*script, "claude-sync", title, *labels), text=text)

    def was_shown(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None:
        return self.pressed(answer, labels)

    def pressed(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None:
        return labels.index(answer.text) if answer.status == 0 and answer.text in labels else None

    def rows(self, title: str, question: str, rows: Sequence[Row]) -> DialogCommand:
        # Numbered, since two labels may be equal and the answer is a label.
        labels = [f"{number} · {one_line(row.label)}" for number, row in enumerate(rows)]
        marked = [label for label, row in zip(labels, rows, strict=True) if row.checked]
        return _command(_ROWS, title, question, str(len(rows)), *labels, *marked)

    def chosen(self, answer: DialogAnswer, rows: Sequence[Row]) -> list[int]:
        del rows
        return numbers("\n".join(line.partition(" ")[0] for line in answer.text.split("\n")))


def _command(script: Sequence[str], *values: str) -> DialogCommand:
    lines = ("on run argv", "activate", *script, "end run")
    statements = [part for line in lines for part in ("-e", line)]
    return DialogCommand(("osascript", *statements, "claude-sync", *values))
