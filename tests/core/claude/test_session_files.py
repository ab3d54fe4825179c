"""Which files belong to a session, where each lies, and which plan a transcript names."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as some

from claude_sync.claude import listed_files, slugs
from claude_sync.claude.home import ClaudeHome
from claude_sync.claude.session_files import (
    SessionFiles,
    belongs_to,
    is_session_file,
    is_slug,
    under_id,
)
from claude_sync.claude.slugs import last_slug
from claude_sync.model import LocalSession
from machines import OTHER, SESSION

HASH = "0123456789abcdef"
PLAN = b'{"type":"user","uuid":"u1","slug":"calm-otter","message":{}}\n'


@pytest.fixture
def claude(tmp_path: Path) -> ClaudeHome:
    return ClaudeHome(tmp_path)


def put(claude: ClaudeHome, relative: str, data: bytes = b"{}") -> Path:
    path = claude.path / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def found(claude: ClaudeHome, session_id: str = SESSION) -> LocalSession:
    """A session as a look at all and a look at it alone find it."""
    alone = claude.session_in("-p", session_id)
    (of_all,) = [one for one in claude.sessions() if one.session_id == session_id]
    assert alone == of_all
    return of_all


def paths(claude: ClaudeHome, session_id: str = SESSION) -> list[str]:
    return [path for path, _ in found(claude, session_id).sidecar]


# --- what belongs to a session -----------------------------------------------------------------


def test_every_file_of_a_session_is_found_and_nothing_else(claude: ClaudeHome) -> None:
    transcript = put(claude, f"projects/-p/{SESSION}.jsonl", PLAN)
    there = {
        f"@file-history/{HASH}@v1": put(claude, f"file-history/{SESSION}/{HASH}@v1"),
        "@plans/calm-otter.md": put(claude, "plans/calm-otter.md"),
        "@tasks/1.json": put(claude, f"tasks/{SESSION}/1.json"),
        "@tasks/20.json": put(claude, f"tasks/{SESSION}/20.json"),
        f"@todos/{SESSION}-agent-{SESSION}.json": put(
            claude, f"todos/{SESSION}-agent-{SESSION}.json"
        ),
        "subagents/agent-1.jsonl": put(claude, f"projects/-p/{SESSION}/subagents/agent-1.jsonl"),
    }
    for other in (
        f"tasks/{SESSION}/.lock",
        f"tasks/{SESSION}/1.json.tmp",
        f"tasks/{SESSION}/x.json",
        f"tasks/{SESSION}/deep/2.json",
        f"tasks/{OTHER}/1.json",
        "plans/other-otter.md",
        f"file-history/{SESSION}/{HASH}",
        f"file-history/{SESSION}/{HASH.upper()}@v1",
        f"file-history/{OTHER}/{HASH}@v1",
        f"todos/{SESSION}-agent-{OTHER}.json",
        f"todos/{OTHER}-agent-{OTHER}.json",
        f"session-env/{SESSION}/1.json",
    ):
        put(claude, other)
    assert paths(claude) == sorted(there)
    where = SessionFiles(transcript)
    assert {path: where.path_of(path) for path in there} == there


def test_a_session_is_found_with_what_is_called_as_it_is_spelled(claude: ClaudeHome) -> None:
    shouted = SESSION.upper()
    put(claude, f"projects/-p/{shouted}.jsonl")
    put(claude, f"tasks/{shouted}/1.json")
    assert paths(claude) == ["@tasks/1.json"]


@pytest.mark.parametrize("kind", ["tasks", "file-history", "plans", "todos"])
def test_links_are_never_followed(claude: ClaudeHome, tmp_path: Path, kind: str) -> None:
    put(claude, f"projects/-p/{SESSION}.jsonl", PLAN)
    put(claude, f"elsewhere/tasks/{SESSION}/1.json")
    put(claude, f"elsewhere/file-history/{SESSION}/{HASH}@v1")
    put(claude, "elsewhere/plans/calm-otter.md")
    put(claude, f"elsewhere/todos/{SESSION}-agent-{SESSION}.json")
    (tmp_path / kind).symlink_to(tmp_path / "elsewhere" / kind)
    assert paths(claude) == []
    ((path, problem, _),) = claude.look().unseen_companions
    assert (path, "link" in problem) == (tmp_path / kind, True)


def test_a_link_below_a_folder_is_not_followed_either(claude: ClaudeHome, tmp_path: Path) -> None:
    put(claude, f"projects/-p/{SESSION}.jsonl", PLAN)
    secret = put(claude, "secret/1.json")
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / SESSION).symlink_to(tmp_path / "secret")
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "calm-otter.md").symlink_to(secret)
    history = tmp_path / "file-history" / SESSION
    history.mkdir(parents=True)
    (history / f"{HASH}@v1").symlink_to(secret)
    os.mkfifo(history / f"{HASH}@v2")
    assert paths(claude) == []


def test_without_checkpoints_everything_else_is_found(claude: ClaudeHome) -> None:
    put(claude, f"projects/-p/{SESSION}.jsonl")
    put(claude, f"file-history/{SESSION}/{HASH}@v1")
    put(claude, f"tasks/{SESSION}/1.json")
    claude.checkpoints = False
    assert paths(claude) == ["@tasks/1.json"]


# --- bounds ------------------------------------------------------------------------------------


def test_of_too_many_bytes_of_checkpoints_the_newest_travel(
    claude: ClaudeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_files, "MAX_CHECKPOINT_BYTES", 250)
    put(claude, f"projects/-p/{SESSION}.jsonl")
    for number in range(1, 6):
        path = put(claude, f"file-history/{SESSION}/{HASH}@v{number}", b"x" * 100)
        os.utime(path, ns=(number * 10**9, number * 10**9))
    put(claude, f"tasks/{SESSION}/1.json", b"x" * 1000)
    local = found(claude)
    wanted = [f"@file-history/{HASH}@v4", f"@file-history/{HASH}@v5", "@tasks/1.json"]
    assert [path for path, _ in local.sidecar] == wanted
    assert (local.held_back, local.left_out) == (3, 0)


def test_of_more_files_than_a_bundle_holds_the_oldest_checkpoints_stay(
    claude: ClaudeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_files, "MAX_SIDECAR_FILES", 4)
    put(claude, f"projects/-p/{SESSION}.jsonl")
    for number in range(3):
        put(claude, f"tasks/{SESSION}/{number}.json")
        path = put(claude, f"file-history/{SESSION}/{HASH}@v{number}")
        os.utime(path, ns=(number * 10**9, number * 10**9))
    local = found(claude)
    tasks = [f"@tasks/{number}.json" for number in range(3)]
    assert [path for path, _ in local.sidecar] == [f"@file-history/{HASH}@v2", *tasks]
    assert (local.held_back, local.left_out) == (2, 0)
    for number in range(3, 9):
        put(claude, f"tasks/{SESSION}/{number}.json")
    local = found(claude)
    assert (len(local.sidecar), local.held_back, local.left_out) == (4, 3, 5)


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "@tasks/1.json",
        "@plans/calm-otter.md",
        f"@file-history/{HASH}@v12",
        f"@todos/{SESSION}-agent-{SESSION}.json",
        "tool-results/x.txt",
        "custom-title.json",
    ],
)
def test_these_paths_in_a_bundle_are_a_sessions(path: str) -> None:
    assert is_session_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "@tasks/.lock",
        "@tasks/1.json/x",
        "@tasks/../settings.json",
        "@tasks/١.json",
        "@tasks/1.json\n",
        "@tasks/1234567890.json",
        "@tasks",
        "@plans/../../CLAUDE.md",
        "@plans/Calm.md",
        "@plans/con.md",
        "@plans/a--b.md",
        f"@plans/{'a' * 101}.md",
        "@plans/.md",
        "@file-history/x@v1",
        f"@file-history/{HASH}@v",
        f"@file-history/{HASH}/x@v1",
        f"@todos/{SESSION}-agent-{OTHER}.json",
        f"@todos/{SESSION.upper()}-agent-{SESSION.upper()}.json",
        "@settings.json",
        "@hooks/x.json",
        "@/x",
        "@",
        "hooks/x",
        "tasks/1.json",
    ],
)
def test_these_are_not(path: str) -> None:
    assert not is_session_file(path)


def test_a_file_belongs_only_to_the_session_that_it_names() -> None:
    todos = f"@todos/{SESSION}-agent-{SESSION}.json"
    assert belongs_to(todos, SESSION.upper(), str)
    assert not belongs_to(todos, OTHER, str)
    assert belongs_to(under_id(todos, OTHER), OTHER, str)
    assert belongs_to("@plans/calm-otter.md", SESSION, lambda: "calm-otter")
    assert not belongs_to("@plans/calm-otter.md", SESSION, lambda: "calm")
    assert not belongs_to("@plans/calm-otter.md", SESSION, str)
    assert under_id("@tasks/1.json", OTHER) == "@tasks/1.json"


@given(some.text(max_size=120))
def test_whatever_is_a_slug_names_one_plain_file(text: str) -> None:
    if is_slug(text):
        assert Path(f"{text}.md").name == f"{text}.md"
        assert text.isascii()


@pytest.mark.parametrize(
    ("path", "session_id"),
    [
        (f"tasks/{SESSION}/1.json", SESSION),
        (f"tasks/{SESSION}", SESSION),
        (f"tasks/{SESSION}/.lock", None),
        ("tasks/readme", None),
        ("plans/calm-otter.md", ""),
        ("plans/Notes.md", None),
        (f"todos/{SESSION}-agent-{SESSION}.json", SESSION),
        (f"todos/{SESSION}-agent-{OTHER}.json", None),
        (f"file-history/{SESSION}/{HASH}@v1", None),
        ("settings.json", None),
    ],
)
def test_an_event_is_known_for_whose_companion_it_is_of(
    claude: ClaudeHome, path: str, session_id: str | None
) -> None:
    assert claude.session_of_companion(str(claude.path / path)) == session_id
    assert claude.session_of_companion(f"/elsewhere/{path}") is None


# --- which plan --------------------------------------------------------------------------------


def slug_of(transcript: bytes) -> str:
    return last_slug(io.BytesIO(transcript), len(transcript))


def line(**members: object) -> bytes:
    return json.dumps(members).encode() + b"\n"


@pytest.mark.parametrize(
    ("transcript", "slug"),
    [
        (b"", ""),
        (line(type="user"), ""),
        (line(slug="one") + line(slug="two") + line(type="user"), "two"),
        (line(slug="one") + line(message={"input": {"slug": "two"}}), "one"),
        (line(slug="one") + line(text='"slug":"two"'), "one"),
        (line(slug="one") + line(slug="../two"), ""),
        (line(slug="one") + line(slug=2), "one"),
        (line(slug="one") + line(slug=""), "one"),
        (line(slug="one") + b'{"slug":"two"', "one"),
        (line(slug="one") + b"[" * 100_000 + b'"slug"\n', "one"),
        (b'["slug"]\n', ""),
    ],
)
def test_the_last_slug_of_the_lines_themselves_counts(transcript: bytes, slug: str) -> None:
    assert slug_of(transcript) == slug


@pytest.mark.parametrize("block", [16, 64, 1 << 18])
def test_it_is_found_wherever_blocks_end(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(slugs, "BLOCK_SIZE", block)
    for size in range(0, 200, 7):
        transcript = line(text="x" * size) + line(slug="one") + line(text="y" * (200 - size))
        assert slug_of(transcript) == "one"
        for start in range(0, len(transcript), 11):
            wanted = "one" if start <= transcript.index(b"\n", transcript.index(b"slug")) else ""
            assert last_slug(io.BytesIO(transcript), len(transcript), start) == wanted


def test_a_transcript_that_goes_on_is_not_read_again(
    claude: ClaudeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = put(claude, f"projects/-p/{SESSION}.jsonl", PLAN + line(text="x" * 1000) * 1000)
    put(claude, "plans/calm-otter.md")
    put(claude, "plans/other-otter.md")
    assert paths(claude) == ["@plans/calm-otter.md"]
    read: list[int] = []
    exactly = slugs._exactly

    def noting(file: IO[bytes], size: int) -> bytes:
        read.append(size)
        return exactly(file, size)

    monkeypatch.setattr(slugs, "_exactly", noting)
    assert paths(claude) == ["@plans/calm-otter.md"]
    assert read == []
    with transcript.open("ab") as file:
        file.write(line(text="more"))
    assert paths(claude) == ["@plans/calm-otter.md"]
    assert sum(read) < 1000
    with transcript.open("ab") as file:
        file.write(line(slug="other-otter"))
    assert paths(claude) == ["@plans/other-otter.md"]
    transcript.write_bytes(PLAN)
    assert paths(claude) == ["@plans/calm-otter.md"]


def test_a_name_that_can_be_none_takes_the_plan_before_it_away(claude: ClaudeHome) -> None:
    transcript = put(claude, f"projects/-p/{SESSION}.jsonl", PLAN)
    put(claude, "plans/calm-otter.md")
    assert paths(claude) == ["@plans/calm-otter.md"]
    with transcript.open("ab") as file:
        file.write(line(slug="../calm-otter"))
    assert paths(claude) == []
    with transcript.open("ab") as file:
        file.write(line(text="more"))
    assert paths(claude) == []


def test_another_file_in_a_transcripts_place_is_read_from_its_beginning(claude: ClaudeHome) -> None:
    transcript = put(claude, f"projects/-p/{SESSION}.jsonl", PLAN + line(text="x" * 1000))
    put(claude, "plans/calm-otter.md")
    put(claude, "plans/other-otter.md")
    assert paths(claude) == ["@plans/calm-otter.md"]
    other = put(claude, "other", line(slug="other-otter") + line(text="x" * 2000))
    os.replace(other, transcript)
    assert paths(claude) == ["@plans/other-otter.md"]


def test_where_no_plan_lies_no_transcript_is_read(claude: ClaudeHome) -> None:
    transcript = put(claude, f"projects/-p/{SESSION}.jsonl", PLAN)
    transcript.chmod(0)
    put(claude, f"tasks/{SESSION}/1.json")
    assert paths(claude) == ["@tasks/1.json"]
    assert claude.slugs.learned == {}
