from __future__ import annotations

import pytest

from claude_sync.doctor.fixes import (
    ago,
    amount,
    as_sentence,
    counted,
    grant_command,
    listed,
    move_command,
    quoted,
    remove_command,
)


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
    assert many.endswith("file19`, then look again for the others")
    assert move_command("a", "b", "posix") == "`mv a b`"
    assert move_command("a", "b", "nt") == "`move a b`"
    assert grant_command("a", "posix") == "`chmod -R u+rwX a`"
    assert grant_command("a", "nt") == '`icacls a /grant "%USERNAME%":(OI)(CI)F /T`'


def test_numbers_as_people_say_them() -> None:
    assert [counted(n, "bundle") for n in (0, 1, 2, 1234)] == [
        "0 bundles",
        "1 bundle",
        "2 bundles",
        "1,234 bundles",
    ]
    assert counted(2, "preference is", "preferences are") == "2 preferences are"
    assert [amount(n) for n in (999, 1500, 2_000_000, 31e8)] == [
        "999 bytes",
        "2 KB",
        "2 MB",
        "3.1 GB",
    ]
    assert [ago(seconds) for seconds in (-5, 59, 60, 7200, 86_400 * 91)] == [
        "just now",
        "just now",
        "1 minute ago",
        "2 hours ago",
        "91 days ago",
    ]


def test_the_first_few_of_many() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefg"), 3) == "a, b and 5 more"
    assert as_sentence("it rains") == "It rains."
    assert as_sentence("It rains.") == "It rains."
