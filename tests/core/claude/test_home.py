"""Claude Code's folders, as the real client lays them out."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import require_names_that_differ_in_case, require_posix
from claude_sync.claude import listed_files
from claude_sync.claude.home import (
    ClaudeHome,
    encode_directory,
    folder_matches,
)
from claude_sync.claude.listed_files import NO_FILES, sidecar_stamps
from claude_sync.claude.session_files import SessionFiles
from claude_sync.disk.snapshot import stamp_of
from claude_sync.errors import ClaudeHomeError, UsageError
from faults.disks import ordinary_permissions
from machines import DAY_NS

SESSION = "0f4c1d9e-1111-4222-8333-444455556666"
LONG = "/home/me/" + 100 * "a" + "/"

# Seen on the client itself, version 2.1.330.
ENCODED = {
    "/home/me/code/my app.v1_x": "-home-me-code-my-app-v1-x",
    "/home/me/emoji-😀-x": "-home-me-emoji----x",
    "/home/me/UPPER_lower.dot+plus@at~tilde": "-home-me-UPPER-lower-dot-plus-at-tilde",
    "/home/me/ünïcode dir/my-app": "-home-me--n-code-dir-my-app",
    "/home/me/e\u0301-nfd": "-home-me-e--nfd",
    "C:\\Users\\me\\my app": "C--Users-me-my-app",
    LONG + 90 * "b": "-home-me-" + 100 * "a" + "-" + 90 * "b",
    LONG + 150 * "b": "-home-me-" + 100 * "a" + "-" + 90 * "b" + "-hl3eah",
    LONG + 151 * "b": "-home-me-" + 100 * "a" + "-" + 90 * "b" + "-n2z4pj",
    LONG + 150 * "c": "-home-me-" + 100 * "a" + "-" + 90 * "c" + "-d8z2wp",
}


@pytest.fixture
def claude(tmp_path: Path) -> ClaudeHome:
    (tmp_path / "projects").mkdir()
    return ClaudeHome(tmp_path)


def put(claude: ClaudeHome, name: str, data: bytes = b"{}\n") -> Path:
    path = claude.projects / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("directory", "name"), ENCODED.items(), ids=lambda text: text[:24])
def test_a_directory_is_encoded_as_the_client_does(directory: str, name: str) -> None:
    assert encode_directory(directory) == name
    assert folder_matches(name, directory)


def test_an_editor_and_a_terminal_may_spell_one_directory_differently() -> None:
    for system, same in (("win32", True), ("darwin", True), ("linux", False)):
        assert folder_matches("c--users-me-Code", "C:\\Users\\me\\code", system) is same


def test_where_case_does_not_count_a_session_goes_into_the_folder_that_there_is(
    tmp_path: Path,
) -> None:
    work = tmp_path / "Work"
    there = tmp_path / "projects" / encode_directory(str(work)).lower()
    there.mkdir(parents=True)
    assert ClaudeHome(tmp_path, "win32").folder_for(work).name == there.name
    elsewhere = ClaudeHome(tmp_path / "elsewhere", "win32")
    assert elsewhere.folder_for(work).name == encode_directory(str(work))
    assert ClaudeHome(tmp_path, "linux").folder_for(work).name == encode_directory(str(work))
    exact = there.with_name(encode_directory(str(work)))
    if not exact.exists():
        exact.mkdir()
        assert ClaudeHome(tmp_path, "win32").folder_for(work).name == exact.name


def test_what_is_200_long_bears_no_hash_and_what_is_longer_does() -> None:
    assert len(encode_directory(LONG + 90 * "b")) == 200
    assert len(encode_directory(LONG + 91 * "b")) > 201


def test_the_hash_of_a_long_name_is_not_compared() -> None:
    name = encode_directory(LONG + 150 * "b")
    assert folder_matches(name[:200] + "-another", LONG + 150 * "b")
    assert not folder_matches(name[:200] + "another", LONG + 150 * "b")
    assert not folder_matches("-home-me", "/home/you")


def test_a_folder_that_is_there_is_preferred_for_a_long_name(
    claude: ClaudeHome, tmp_path: Path
) -> None:
    directory = tmp_path / (120 * "a") / (120 * "b")
    computed = claude.folder_for(directory)
    assert computed.name == encode_directory(os.path.realpath(directory))
    there = claude.projects / (computed.name[:200] + "-oldhash")
    there.mkdir()
    assert claude.folder_for(directory) == there
    computed.mkdir()
    assert claude.folder_for(directory) == computed


def test_a_directory_is_encoded_with_its_links_resolved(claude: ClaudeHome, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert claude.folder_for(tmp_path / "link" / "sub") == claude.folder_for(
        tmp_path / "real" / "sub"
    )


# --- the home ----------------------------------------------------------------------------------


def test_the_home_is_the_variables_else_the_remembered_else_the_users(home: Path) -> None:
    assert ClaudeHome.locate({}).path == home / ".claude"
    remembered, other = str(home / "remembered"), home / "named"
    assert ClaudeHome.locate({}, remembered=remembered).path == home / "remembered"
    named = {"CLAUDE_CONFIG_DIR": str(other)}
    assert ClaudeHome.locate(named, remembered=remembered).path == other
    assert ClaudeHome.locate({"CLAUDE_CONFIG_DIR": "~/x"}).path == home / "x"


def test_a_relative_one_is_told_from_no_home_where_its_directory_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_posix("a current directory that can go")
    named = {"CLAUDE_CONFIG_DIR": "relative"}
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    assert ClaudeHome.locate(named).path == gone / "relative"
    gone.rmdir()
    with pytest.raises(UsageError, match="CLAUDE_CONFIG_DIR"):
        ClaudeHome.locate(named)
    assert ClaudeHome.locate({"CLAUDE_CONFIG_DIR": "/named"}).path == Path("/named")


# --- sessions ----------------------------------------------------------------------------------


def test_sessions_are_regular_files_of_a_fitting_name(claude: ClaudeHome, tmp_path: Path) -> None:
    put(claude, f"-p/{SESSION}.jsonl", b"four")
    put(claude, "-p/memory.jsonl")
    put(claude, "-p/memory/MEMORY.md")
    put(claude, "-p/.hidden.jsonl")
    put(claude, "-p/a b.jsonl")
    put(claude, "-p/con.jsonl")
    put(claude, "-p/notes.txt")
    put(claude, "stray.jsonl")
    (claude.projects / "-p" / "link.jsonl").symlink_to(claude.projects / "stray.jsonl")
    (claude.projects / "-p" / "folder.jsonl").mkdir()
    (claude.projects / "-linked").symlink_to(claude.projects / "-p")
    (found,) = claude.sessions()
    assert (found.session_id, found.folder, found.stamp.size) == (SESSION, "-p", 4)
    assert claude.session_in("-p", SESSION) == found
    assert claude.find(SESSION) == [found]
    assert claude.session_in("-p", "link") is None
    assert claude.session_in("-p", "none") is None


def test_without_a_tree_there_are_no_sessions(tmp_path: Path) -> None:
    assert ClaudeHome(tmp_path / "nothing").sessions() == []


def test_what_is_no_folder_says_nothing_of_sessions(tmp_path: Path) -> None:
    (tmp_path / "projects").write_bytes(b"")
    with pytest.raises(ClaudeHomeError, match=r"can't be read \(.+\)"):
        ClaudeHome(tmp_path).sessions()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_tree_that_may_not_be_read_is_said(claude: ClaudeHome) -> None:
    put(claude, f"-p/{SESSION}.jsonl")
    claude.projects.chmod(0)
    try:
        with ordinary_permissions(), pytest.raises(ClaudeHomeError):
            claude.sessions()
    finally:
        claude.projects.chmod(0o700)


# --- sidecars ----------------------------------------------------------------------------------


def test_a_sidecar_is_the_regular_files_whose_names_travel(
    claude: ClaudeHome, tmp_path: Path
) -> None:
    require_posix("names that Windows refuses")
    transcript = put(claude, f"-p/{SESSION}.jsonl")
    put(claude, f"-p/{SESSION}/tool-results/b.txt")
    put(claude, f"-p/{SESSION}/custom-title.json")
    put(claude, f"-p/{SESSION}/tool-results/.ccsync-0.tmp")
    put(claude, f"-p/{SESSION}/.hidden/a.txt")
    put(claude, f"-p/{SESSION}/tool-results/.hidden")
    put(claude, f"-p/{SESSION}/tool-results/nul.txt")
    put(claude, f"-p/{SESSION}/tool-results/new\nline")
    put(claude, f"-p/{SESSION}/tool-results/trailing.")
    folder = SessionFiles(transcript).folder
    assert folder == claude.projects / "-p" / SESSION
    (folder / "link.txt").symlink_to(folder / "custom-title.json")
    (folder / "links").symlink_to(tmp_path)
    os.mkfifo(folder / "fifo")
    found = sidecar_stamps(folder)
    assert [path for path, _ in found.stamps] == ["custom-title.json", "tool-results/b.txt"]
    assert found.left_out == 3, "neither links nor what is hidden, as our temporaries are"


def test_of_names_that_are_one_elsewhere_one_travels(claude: ClaudeHome) -> None:
    require_names_that_differ_in_case(claude.path)
    put(claude, f"-p/{SESSION}/tool-results/x.txt")
    put(claude, f"-p/{SESSION}/tool-results/X.TXT")
    found = sidecar_stamps(claude.projects / "-p" / SESSION)
    assert (len(found.stamps), found.left_out) == (1, 1)


def test_of_more_than_a_bundle_holds_it_is_told_how_many_stay(
    claude: ClaudeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_files, "MAX_SIDECAR_FILES", 20)
    transcript = put(claude, f"-p/{SESSION}.jsonl")
    (SessionFiles(transcript).folder / "subagents").mkdir(parents=True)
    for number in range(23):
        (SessionFiles(transcript).folder / "subagents" / f"{number:05d}").touch()
    for local in (claude.session_in("-p", SESSION), *claude.sessions()):
        assert local is not None
        assert (len(local.sidecar), local.left_out) == (20, 3)


def test_a_folder_that_is_a_link_or_nothing_is_no_sidecar(
    claude: ClaudeHome, tmp_path: Path
) -> None:
    put(claude, "-p/real/a.txt")
    (claude.projects / "-p" / "link").symlink_to(claude.projects / "-p" / "real")
    assert sidecar_stamps(claude.projects / "-p" / "link") == NO_FILES
    assert sidecar_stamps(claude.projects / "-p" / "none") == NO_FILES


# --- clean-up ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        ('{"cleanupPeriodDays": 90}', 90),
        ('{"cleanupPeriodDays": 0}', 0),
        ("{}", 30),
        ('{"cleanupPeriodDays": "90"}', 30),
        ('{"cleanupPeriodDays": -1}', 30),
        ('{"cleanupPeriodDays": true}', 30),
        ("[]", 30),
        ("not JSON", 30),
        ("[" * 100_000, 30),
    ],
)
def test_the_clean_up_period_is_the_settings_or_thirty_days(
    claude: ClaudeHome, settings: str, days: int
) -> None:
    assert claude.cleanup_days() == 30
    (claude.path / "settings.json").write_text(settings)
    assert claude.cleanup_days() == days


@pytest.mark.parametrize(("age", "restored"), [(0, 0), (26, 26), (27.5, 23), (900, 23), (-4, 0)])
def test_a_restored_time_is_neither_too_old_nor_in_the_future(
    claude: ClaudeHome, age: float, restored: float
) -> None:
    now = time.time_ns()
    found = claude.mtime_to_restore(now - int(age * DAY_NS), now)
    assert (now - found) / DAY_NS == pytest.approx(restored)


# --- what isn't a session, and what can't be seen ----------------------------------------------

OTHER = "1a2b3c4d-1111-4222-8333-444455556666"


@pytest.mark.parametrize(
    "name",
    [
        f"-p/{OTHER}.sync-conflict-20261128-101112-ABCDEFG.jsonl",
        f"-p/{OTHER} (Anna's conflicted copy 2026-11-28).jsonl",
        f"-p/{OTHER}-DESKTOP-1A2B3C.jsonl",
        f"-p/{OTHER}.jsonl.bak",
        "-p/agent-0f4c1d9e.jsonl",
        "-p/sessions-index.jsonl",
        f"-p/sub/{OTHER}.jsonl",
        f"ssh-{OTHER}/{OTHER}.jsonl",
        f"{OTHER}.jsonl",
    ],
)
def test_what_only_looks_like_a_session_is_none(claude: ClaudeHome, name: str) -> None:
    put(claude, f"-p/{SESSION}.jsonl")
    path = put(claude, name)
    tree = claude.look()
    assert [session.session_id for session in tree.sessions] == [SESSION]
    assert tree.unseen == ()
    is_copy = any(word in name for word in ("sync-conflict", "conflicted copy", "DESKTOP"))
    assert (path in tree.conflict_copies) == is_copy


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o000, 0o600, 0o300])
def test_a_folder_that_cannot_be_read_costs_itself(claude: ClaudeHome, mode: int) -> None:
    put(claude, f"-p/{SESSION}.jsonl")
    hidden = put(claude, f"-q/{OTHER}.jsonl").parent
    hidden.chmod(mode)
    try:
        with ordinary_permissions():
            tree = claude.look()
    finally:
        hidden.chmod(0o700)
    assert [session.session_id for session in tree.sessions] == [SESSION]
    (unseen,) = tree.unseen
    assert hidden in (unseen.path, unseen.path.parent)
    assert unseen.problem == "Permission denied"


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither")
def test_what_lies_in_a_transcripts_place_and_is_none_is_unseen(claude: ClaudeHome) -> None:
    put(claude, f"-p/{SESSION}.jsonl")
    os.mkfifo(claude.projects / "-p" / f"{OTHER}.jsonl")
    folder = claude.projects / "-q"
    folder.mkdir()
    (folder / f"{OTHER}.jsonl").symlink_to(claude.projects / "-p" / f"{SESSION}.jsonl")
    tree = claude.look()
    assert [session.session_id for session in tree.sessions] == [SESSION]
    assert {(one.session_id, one.problem) for one in tree.unseen} == {
        (OTHER, "not a regular file"),
        (OTHER, "a link"),
    }


def test_a_linked_project_is_followed_once_and_bears_all_its_names(
    claude: ClaudeHome, tmp_path: Path
) -> None:
    outside = tmp_path / "dotfiles"
    outside.mkdir()
    (outside / f"{SESSION}.jsonl").write_bytes(b"{}\n")
    for name in ("-b", "-a", "-c"):
        (claude.projects / name).symlink_to(outside)
    (claude.projects / "-loop").symlink_to(claude.projects / "-loop")
    (claude.projects / "-up").symlink_to(claude.projects)
    (claude.projects / "-gone").symlink_to(tmp_path / "unmounted")
    tree = claude.look()
    assert [(one.session_id, one.folder) for one in tree.sessions] == [(SESSION, "-a")]
    assert tree.names == {"-a": ("-b", "-c")}
    assert {one.path.name for one in tree.unseen} == {"-loop", "-gone"}
    assert claude.find(SESSION) == list(tree.sessions)


def test_a_time_past_2262_and_a_number_of_128_bits_fit_what_keeps_them(
    claude: ClaudeHome,
) -> None:
    path = put(claude, f"-p/{SESSION}.jsonl")
    os.utime(path, (10**10, 10**10))
    (found,) = claude.sessions()
    assert 0 < found.stamp.mtime_ns < 1 << 63

    class Status:
        st_size, st_mtime_ns, st_ino = 1, -(10**30), 1 << 127 | 12345

    stamp = stamp_of(Status())  # type: ignore[arg-type]
    assert stamp.mtime_ns > -(1 << 63)
    assert 0 <= stamp.inode < 1 << 63
    Status.st_ino += 1
    assert stamp_of(Status()) != stamp  # type: ignore[arg-type]


# Whatever lies in the tree, each thing costs itself.
DEBRIS = ["file", "folder", "fifo", "link", "dangling", "loop", "shut", "odd time", "empty"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither FIFOs nor modes")
@given(st.data())
def test_any_debris_leaves_the_sessions_beside_it_as_they_are(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, ordinary_permissions():
        claude = ClaudeHome(Path(folder))
        put(claude, f"-p/{SESSION}.jsonl", b"four")
        names = st.sampled_from(
            [f"-p/{OTHER}.jsonl", f"-p/{OTHER}", "-q", "-p/x\n.jsonl", f"-p/{SESSION}/subagents",
             f"-q/{OTHER}.jsonl", "ssh-x", f"-p/{SESSION} (copy).jsonl", "-p/memory"]
        )  # fmt: skip
        debris = data.draw(st.dictionaries(names, st.sampled_from(DEBRIS), max_size=6))
        for name, kind in sorted(debris.items()):
            make_debris(claude.projects / name, kind, claude.projects)
        tree = claude.look()
        found = {session.session_id: session for session in tree.sessions}
        hidden = {one.session_id for one in tree.unseen}
        assert SESSION in found or SESSION in hidden
        assert found.keys() <= {SESSION, OTHER}
        for path in claude.projects.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o700)


def make_debris(path: Path, kind: str, projects: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            path.mkdir()
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind in ("link", "dangling", "loop"):
            target = {"link": projects / "-p", "dangling": projects / "none", "loop": path}[kind]
            path.symlink_to(target)
        else:
            path.write_bytes(b"" if kind == "empty" else b"{}\n")
        if kind == "shut":
            path.chmod(0)
        if kind == "odd time":
            os.utime(path, (10**10, 10**10))
    except OSError:
        pass  # Something else lies where that would go.
