"""The log: small, private, and never the reason why anything fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from claude_sync.disk.log import Log, trail_of

WHEN = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ ")


def lines_of(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(WHEN.match(line) for line in lines)
    return [WHEN.sub("", line) for line in lines]


def test_a_line_bears_the_time_and_stands_at_the_end(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    assert log.write(["pushed one", "pushed two"])
    assert log.write(["pulled three"])
    assert lines_of(log.path) == ["pushed one", "pushed two", "pulled three"]


def test_nobody_else_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log = Log(tmp_path / "state" / "claude-sync" / "log")
        log.write(["x"])
    finally:
        os.umask(before)
    if os.name == "posix":
        assert log.path.stat().st_mode & 0o777 == 0o600
        assert log.path.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_to_say_makes_no_file(tmp_path: Path) -> None:
    assert Log(tmp_path / "log").write([])
    assert not (tmp_path / "log").exists()


def test_a_line_cannot_pretend_to_be_two(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.write(["a\nb\x1b[2Jc\u202ed\udcff\x85e"])
    assert lines_of(log.path) == ["a?b?[2Jc?d??e"]


def test_a_very_long_line_is_cut_between_characters(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.write(["é" * 5000])
    assert log.path.stat().st_size < 2_100
    assert lines_of(log.path)[0].endswith("é…")


def test_at_its_limit_it_begins_anew_and_keeps_the_old_one(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", limit=1_000)
    for number in range(100):
        log.write([f"line {number:03}"])
    assert log.path.stat().st_size <= 1_000
    assert log.old.stat().st_size <= 1_000
    kept = lines_of(log.old) + lines_of(log.path)
    assert kept == [f"line {number:03}" for number in range(100 - len(kept), 100)]
    assert sorted(os.listdir(tmp_path)) == ["log", "log.1"]


def test_what_several_processes_write_at_once_stays_whole(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from claude_sync.disk.log import Log\n"
        "log = Log(Path(sys.argv[1]))\n"
        "for n in range(300): log.write([f'{sys.argv[2]} {n}'])"
    )
    path = tmp_path / "log"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("a", "b", "c")
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    expected = {f"{name} {number}" for name in "abc" for number in range(300)}
    assert set(lines_of(path)) == expected
    assert len(lines_of(path)) == len(expected)


@pytest.mark.parametrize("obstacle", ["directory", "file above", "link", "fifo"])
def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, obstacle: str) -> None:
    path = tmp_path / "log"
    if obstacle == "directory":
        path.mkdir()
    elif obstacle == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif obstacle == "fifo" and hasattr(os, "mkfifo"):
        os.mkfifo(path)
    else:
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "log"
    assert not Log(path).write(["x"])
    assert not (tmp_path / "elsewhere").exists()


def test_where_an_error_showed_is_told_by_names_and_lines_only() -> None:
    def innermost() -> None:
        raise ValueError("words of a transcript")

    with pytest.raises(ValueError, match="transcript") as caught:
        innermost()
    assert re.fullmatch(r"test_log\.py:(\d+) < test_log\.py:(\d+)", trail_of(caught.value))
    assert trail_of(ValueError("never raised")) == ""
