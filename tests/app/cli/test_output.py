"""What goes into a stream that lacks characters, and what becomes of words without a stream."""

from __future__ import annotations

import io
import sys

import pytest

from claude_sync_app.cli import output
from claude_sync_app.cli.commands import tray


def _stream(encoding: str, *, terminal: bool = False) -> io.TextIOWrapper:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    if terminal:
        stream.isatty = lambda: True  # type: ignore[method-assign]
    return stream


def _written(stream: io.TextIOWrapper, system: str) -> bytes:
    output.replace_unencodable([stream, None], system)
    stream.write("ü → \udcff")
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()


def test_into_a_pipe_of_windows_goes_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    assert _written(_stream("cp1252"), "win32") == "ü → ?".encode()
    assert _written(_stream("cp1252", terminal=True), "win32") == b"\xfc ? ?"
    assert _written(_stream("latin-1"), "linux") == b"\xfc ? ?"
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    assert _written(_stream("cp1252"), "win32") == b"\xfc ? ?"


def test_what_nobody_could_see_is_known_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "argv", ["claude-sync-tray", "--surely-not"])
    shown: list[str] = []
    monkeypatch.setattr(
        "claude_sync_app.desktop.message_box.show", lambda title, text: shown.append(text)
    )
    with pytest.raises(SystemExit):
        raise SystemExit(tray.main())
    assert len(shown) == 1
    assert "--surely-not" in shown[0]
    assert output.take_unheard() == ""
    for number in range(1000):
        output.print_note(f"line {number}")
    assert output.take_unheard().splitlines()[-1] == "line 999"
