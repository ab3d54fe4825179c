"""Commands to type, as each system wants them quoted."""

from __future__ import annotations

import pytest

from claude_sync.doctor.fixes import (
    grant_command,
    move_command,
    remove_command,
)
from claude_sync.wording import quoted


@pytest.mark.parametrize(
    ("text", "posix", "windows"),
    [
        ("plain", "plain", "plain"),
        ("two words", "'two words'", '"two words"'),
        ("it's", "'it'\"'\"'s'", '"it\'s"'),
        ("a&b", "'a&b'", '"a&b"'),
        ("tick`tick", "PATH", "PATH"),
        ("line\nline", "PATH", "PATH"),
        ("bidi\u202e", "PATH", "PATH"),
        ("日本", "'日本'", "日本"),
    ],
)
def test_an_argument_is_quoted_as_the_system_types_it(text: str, posix: str, windows: str) -> None:
    assert quoted(text, "posix") == posix
    assert quoted(text, "nt") == windows


def test_commands_are_those_of_the_system() -> None:
    assert remove_command(["a", "b c"], "posix") == "`rm a 'b c'`"
    assert remove_command(["a", "b c"], "nt") == '`del a "b c"`'
    assert "`" not in remove_command(["a", "b`c"], "posix")
    many = remove_command([f"file{number}" for number in range(21)], "posix")
    assert many.endswith("file19`, then run the doctor again for the others")
    assert move_command("a", "b", "posix") == "`mv a b`"
    assert move_command("a", "b", "nt") == "`move a b`"
    assert grant_command("a", "posix") == "`chmod -R u+rwX a`"
    assert grant_command("a", "nt") == '`icacls a /grant "%USERNAME%":(OI)(CI)F /T`'
