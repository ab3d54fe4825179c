"""Questions through Windows' own dialogs, by PowerShell. Pure.

Their texts are passed in the environment, so none is ever read as script; and the scripts have no
double quotation marks, since Windows passes arguments as one line.
"""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync_app.desktop.dialogs.asking import (
    REFUSED,
    DialogAnswer,
    DialogCommand,
    Row,
    numbers,
)
from claude_sync_app.shown_text import one_line

# Company machines may keep scripts from all that dialogs are made of (Constrained Language Mode).
_BEGIN = f"""\
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {{ exit {REFUSED} }}
$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false
Add-Type -AssemblyName System.Windows.Forms, System.Drawing
[System.Windows.Forms.Application]::EnableVisualStyles()
"""
_UTF8_INPUT = "[Console]::InputEncoding = [System.Text.Encoding]::UTF8\n"
_FOLDER = """\
$dialog = New-Object System.Windows.Forms.FolderBrowserDialog
$dialog.Description = $env:CLAUDE_SYNC_TITLE
$dialog.SelectedPath = $env:CLAUDE_SYNC_START
$owner = New-Object System.Windows.Forms.Form
$owner.TopMost = $true
if ($dialog.ShowDialog($owner) -ne 'OK') { exit 1 }
[Console]::Out.Write($dialog.SelectedPath)
"""
_FORM = """\
$form = New-Object System.Windows.Forms.Form
$form.Text = $env:CLAUDE_SYNC_TITLE
$form.AutoSize = $true
$form.AutoSizeMode = 'GrowAndShrink'
$form.StartPosition = 'CenterScreen'
$form.FormBorderStyle = 'FixedDialog'
$form.MaximizeBox = $false
$form.TopMost = $true
$rows = New-Object System.Windows.Forms.FlowLayoutPanel
$rows.FlowDirection = 'TopDown'
$rows.AutoSize = $true
$rows.Padding = 12
$label = New-Object System.Windows.Forms.Label
$label.Text = $env:CLAUDE_SYNC_TEXT
$label.UseMnemonic = $false
$label.AutoSize = $true
$label.MaximumSize = New-Object System.Drawing.Size 460, 0
$rows.Controls.Add($label)
$form.Controls.Add($rows)
$script:answer = -1
function Add-Button($text, $answer) {
  $button = New-Object System.Windows.Forms.Button
  $button.Text = $text
  $button.UseMnemonic = $false
  $button.AutoSize = $true
  $button.Tag = $answer
  $button.Add_Click({ $script:answer = $this.Tag; $form.Close() })
  $buttons.Controls.Add($button)
}
$buttons = New-Object System.Windows.Forms.FlowLayoutPanel
$buttons.AutoSize = $true
"""
_BUTTONS = """\
$number = 0
foreach ($text in $env:CLAUDE_SYNC_LABELS.Split([char]10)) { Add-Button $text $number; $number++ }
Add-Button 'Cancel' -1
$rows.Controls.Add($buttons)
[void]$form.ShowDialog()
if ($script:answer -lt 0) { exit 1 }
[Console]::Out.Write($script:answer)
"""
_STDIN_AS_TEXT = """\
$label.Text = [Console]::In.ReadToEnd()
"""
_BOX = """\
$typed = New-Object System.Windows.Forms.TextBox
$typed.Width = 460
"""
_INITIAL = """\
$typed.Text = $env:CLAUDE_SYNC_START
"""
_HIDDEN = """\
$typed.UseSystemPasswordChar = $true
"""
_TYPED = """\
$rows.Controls.Add($typed)
Add-Button 'OK' 0
Add-Button 'Cancel' -1
$form.AcceptButton = $buttons.Controls[0]
$rows.Controls.Add($buttons)
[void]$form.ShowDialog()
if ($script:answer -lt 0) { exit 1 }
[Console]::Out.Write($typed.Text)
"""
_ROWS = """\
$list = New-Object System.Windows.Forms.CheckedListBox
$list.Size = New-Object System.Drawing.Size 460, 280
$list.CheckOnClick = $true
foreach ($line in [Console]::In.ReadToEnd().Trim().Split([char]10)) {
  [void]$list.Items.Add($line.Substring(1).TrimEnd(), $line.StartsWith('+'))
}
$rows.Controls.Add($list)
Add-Button 'OK' 0
Add-Button 'Cancel' -1
$rows.Controls.Add($buttons)
[void]$form.ShowDialog()
if ($script:answer -lt 0) { exit 1 }
foreach ($number in $list.CheckedIndices) { [Console]::Out.WriteLine($number) }
"""


class Powershell:
    """How PowerShell is asked."""

    def folder(self, title: str, start: str) -> DialogCommand:
        return _command(_BEGIN + _FOLDER, TITLE=title, START=start)

    def text(self, title: str, question: str, initial: str) -> DialogCommand:
        script = _BEGIN + _FORM + _BOX + _INITIAL + _TYPED
        return _command(script, TITLE=title, TEXT=question, START=initial)

    def secret(self, title: str, question: str) -> DialogCommand:
        return _command(_BEGIN + _FORM + _BOX + _HIDDEN + _TYPED, TITLE=title, TEXT=question)

    def buttons(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand:
        lines = "\n".join(one_line(label) for label in labels)
        return _command(_BEGIN + _FORM + _BUTTONS, TITLE=title, TEXT=text, LABELS=lines)

    def shown(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand:
        lines = "\n".join(one_line(label) for label in labels)
        script = _BEGIN + _UTF8_INPUT + _FORM + _STDIN_AS_TEXT + _BUTTONS
        return _command(script, text, TITLE=title, LABELS=lines)

    def was_shown(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None:
        return self.pressed(answer, labels)

    def pressed(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None:
        found = numbers(answer.text) if answer.status == 0 else []
        return found[0] if found and found[0] < len(labels) else None

    def rows(self, title: str, question: str, rows: Sequence[Row]) -> DialogCommand:
        lines = [("+" if row.checked else "-") + one_line(row.label) for row in rows]
        script = _UTF8_INPUT + _FORM + _ROWS
        return _command(_BEGIN + script, "\n".join(lines), TITLE=title, TEXT=question)

    def chosen(self, answer: DialogAnswer, rows: Sequence[Row]) -> list[int]:
        del rows
        return numbers(answer.text)


def _command(script: str, text: str = "", **values: str) -> DialogCommand:
    environment = {f"CLAUDE_SYNC_{name}": value for name, value in values.items()}
    options = ("-NoProfile", "-NonInteractive", "-Sta", "-Command")
    return DialogCommand(("powershell.exe", *options, script), environment, text)
