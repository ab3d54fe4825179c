"""What may lie in a store in the place of a good bundle, through a real pull.

Whatever it is: it is passed over with a reason, what is good beside it arrives, nothing is written
outside the session's own place, and nothing in the store is touched.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from bundles import ABSENT, crafted, packed, sidecar_entry
from claude_sync.bundle.members import MAX_INTEGER
from claude_sync.disk.snapshot import stamp_of
from claude_sync.model import Outcome
from faults.strangers import ELSEWHERE, bundle, check_passed_over, pulled, put
from machines import KEY, KEY_FOLDER, OTHER, SESSION, PlayedMachine, World, contents, opened, said


@pytest.fixture
def desktop(world: World) -> PlayedMachine:
    """A machine whose store holds one good bundle of another, of the session `OTHER`."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(OTHER, said())
    laptop.push()
    return desktop


# --- damage ------------------------------------------------------------------------------------


def test_a_good_bundle_of_another_arrives(world: World, desktop: PlayedMachine) -> None:
    put(world, bundle())
    pulled(desktop)
    assert desktop.sessions() == [SESSION, OTHER]
    assert desktop.sidecar() == {"tool-results/b.txt": b"b"}


def test_a_bundle_cut_at_any_byte_is_still_arriving_and_taken_once_it_is_whole(
    world: World, desktop: PlayedMachine
) -> None:
    data = bundle()
    for size in range(len(data)):
        put(world, data[:size], f"cut-{size}.ccsync")
    wrong = check_passed_over(world, desktop)
    assert {result.outcome for result in wrong} == {Outcome.INCOMPLETE}
    assert len(wrong) == len(data)
    put(world, data, "cut-7.ccsync")
    pulled(desktop)
    assert desktop.read() == b'{"uuid":"1"}\n'


def test_a_bundle_whose_end_never_arrives_is_looked_at_again_each_time(
    world: World, desktop: PlayedMachine
) -> None:
    # A sync tool may reserve a file's size, and fill it later: neither size nor time changes.
    data = bundle()
    path = put(world, data[:-40] + bytes(40))
    status = path.stat()
    check_passed_over(world, desktop)
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    pulled(desktop)
    assert desktop.has(SESSION)


def test_a_flipped_bit_in_any_byte_is_refused(world: World, desktop: PlayedMachine) -> None:
    count = len(bundle(session_id=SESSION))
    for place in range(count):
        # A session of its own each, so that each is fetched and not only listed.
        data = bytearray(bundle(session_id=f"{place:08x}{SESSION[8:]}"))
        data[place] ^= 1 << place % 8
        put(world, bytes(data), f"flipped-{place}.ccsync")
    wrong = check_passed_over(world, desktop)
    assert len(wrong) == count


DEEP = b"[" * 10_000 + b"]" * 10_000
WRONG = {
    "a schema of tomorrow": bundle(schema=2),
    "a schema that is a string": bundle(schema="1"),
    "a wrong size": bundle(size=3),
    "a wrong hash": bundle(sha256="0" * 64),
    "a wrong sidecar digest": bundle(sidecar_sha256="0" * 64),
    "a wrong check": bundle(check="0" * 64),
    "a declared size of 2 GB": bundle(size=2 << 30, encoded_size=2 << 30),
    "no transcript": bundle(transcript=ABSENT),
    "no session id": bundle(session_id=ABSENT),
    "a transcript that is a list": bundle(transcript=[]),
    "a sidecar that is a string": bundle(sidecar="x"),
    "a revision that is a string": bundle(revision="1"),
    "a machine id that is none": bundle(machine_id="me"),
    "a key that is a path": bundle(project_key="/etc"),
    "a repeated member": bundle()[:-1] + b',"title":"x"}',
    "a title nested 10,000 deep": bundle().replace(b'"Mend the roof"', DEEP),
    "a sidecar nested 10,000 deep": bundle().replace(b'"sidecar":[', b'"sidecar":[' + DEEP + b","),
    "nesting 10,000 deep and no more": b'{"schema":' + b"[" * 10_000,
    "a list": b"[]",
    "nothing but white space": b" \n" * 3000,
    "another format": b"PK\x03\x04" + bytes(100),
    "the marker of a store": b'{"schema":1,"store_id":"00000000-0000-0000-0000-000000000000"}',
}
NAMES = (
    "..",
    "../x",
    "a/b",
    "a\\b",
    "/etc/passwd",
    "a\0b",
    "a\nb",
    "C:",
    "C:\\x",
    "memory",
    "Memory",
    "con",
    "NUL",
    "com1.txt",
    "trailing.",
    "-rf",
    "",
    "x" * 200,
)
PATHS = (
    "../x",
    "a/../../x",
    "/etc/x",
    "a\\x",
    "C:/x",
    "C:x",
    "a//x",
    "./x",
    "x/",
    "",
    "a\0x",
    "a\nx",
    "a/con",
    "aux.txt/x",
    "a./x",
    "a /x",
    "x" * 600,
)
OURS = (".ccsync-placing", "a/.ccsync-0123456789abcdef.tmp", ".CCSYNC-placing")
HOSTILE = (
    {f"session id {name!r:.20}": bundle(session_id=name) for name in NAMES}
    | {f"machine {name!r:.20}": bundle(machine=name) for name in NAMES if name.lower() != "memory"}
    | {f"subpath {path!r:.20}": bundle(subpath=path) for path in PATHS if path}
    | {f"sidecar {path!r:.20}": bundle(sidecar=[sidecar_entry(path)]) for path in PATHS + OURS}
    | {
        "sidecar files that differ by case": bundle(
            sidecar=[sidecar_entry("a/X.txt"), sidecar_entry("a/x.txt")]
        ),
        "sidecar files that differ by normalisation": bundle(
            sidecar=[sidecar_entry("a/e\u0301"), sidecar_entry("a/\u00e9")]
        ),
        "a sidecar file that is another's folder": bundle(
            sidecar=[sidecar_entry("a"), sidecar_entry("a/x")]
        ),
    }
)


@pytest.mark.parametrize("data", (WRONG | HOSTILE).values(), ids=(WRONG | HOSTILE).keys())
def test_what_is_wrong_or_hostile_is_passed_over_with_a_reason(
    world: World, desktop: PlayedMachine, data: bytes
) -> None:
    put(world, data)
    assert len(check_passed_over(world, desktop)) == 1


def test_every_reason_is_one_line_without_what_the_file_says(
    world: World, desktop: PlayedMachine
) -> None:
    put(world, bundle(title="a secret", session_id="../secret\n"))
    (wrong,) = check_passed_over(world, desktop)
    assert "secret" not in wrong.message
    assert "\n" not in wrong.message


# --- what is no file ---------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs and devices are POSIX'")
@pytest.mark.parametrize("kind", ["link", "dangling link", "FIFO", "socket", "device", "directory"])
def test_what_is_no_regular_file_is_neither_opened_nor_taken(
    world: World,
    desktop: PlayedMachine,
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = world.store / KEY_FOLDER / "tablet.ccsync"
    if kind == "link":
        (tmp_path / "real").write_bytes(bundle())
        path.symlink_to(tmp_path / "real")
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(path.parent)  # its address would be too long
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
    elif kind == "device":
        try:
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
        except PermissionError:
            path.symlink_to("/dev/zero")
    else:
        path.mkdir()
        (path / "x.ccsync").write_bytes(bundle())
    assert check_passed_over(world, desktop) == []


def test_a_project_folder_that_is_a_link_is_passed_over(
    world: World, desktop: PlayedMachine, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "tablet.ccsync").write_bytes(bundle())
    (world.store / "git+example.org+you+linked").symlink_to(tmp_path / "elsewhere")
    assert check_passed_over(world, desktop) == []


# --- what lies here ----------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["the folder itself", "a folder in it", "the file"])
def test_a_sidecar_path_never_leads_through_a_link_that_lies_here(
    world: World, desktop: PlayedMachine, place: str, tmp_path: Path
) -> None:
    desktop.write(SESSION, b'{"uuid":"0"}\n')
    desktop.grow_old()
    desktop.push(SESSION)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "tool-results").mkdir(parents=True)
    (elsewhere / "tool-results" / "b.txt").write_bytes(b"precious")
    folder = desktop.folder / SESSION
    if place == "the folder itself":
        folder.symlink_to(elsewhere)
    elif place == "a folder in it":
        folder.mkdir()
        (folder / "tool-results").symlink_to(elsewhere / "tool-results")
    else:
        (folder / "tool-results").mkdir(parents=True)
        (folder / "tool-results" / "b.txt").symlink_to(elsewhere / "tool-results" / "b.txt")
    good, _ = packed(
        b'{"uuid":"0"}\n{"uuid":"1"}\n',
        {"tool-results/b.txt": b"hostile"},
        session_id=SESSION,
        project_key=KEY,
        machine="tablet",
        machine_id=ELSEWHERE,
    )
    put(world, good)
    (wrong,) = [result for result in pulled(desktop) if result.session_id == SESSION]
    assert wrong.outcome is Outcome.FAILED
    assert desktop.read() == b'{"uuid":"0"}\n'
    assert contents(elsewhere) == [b"precious"]


def test_a_new_sessions_sidecar_folder_never_is_a_link(
    world: World, desktop: PlayedMachine, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    desktop.folder.mkdir(parents=True)
    (desktop.folder / SESSION).symlink_to(tmp_path / "elsewhere")
    put(world, bundle())
    (wrong,) = [result for result in pulled(desktop) if result.session_id == SESSION]
    assert wrong.outcome is Outcome.FAILED
    assert contents(tmp_path / "elsewhere") == []
    assert not desktop.has()


def test_a_folder_without_its_transcript_is_never_written_into(
    world: World, desktop: PlayedMachine
) -> None:
    desktop.write_sidecar(SESSION, "tool-results/mine.txt", b"mine")
    put(world, bundle())
    (wrong,) = [result for result in pulled(desktop) if result.session_id == SESSION]
    assert wrong.outcome is Outcome.FAILED
    assert desktop.sidecar() == {"tool-results/mine.txt": b"mine"}
    assert not desktop.has()


SLUG = b'{"uuid":"1","slug":"calm-otter"}\n'


@pytest.mark.parametrize(
    "path",
    [
        "@plans/other.md",
        "@plans/CLAUDE.md",
        f"@todos/{OTHER}-agent-{OTHER}.json",
        f"@todos/{SESSION}-agent-{OTHER}.json",
        "@tasks/.lock",
        "@tasks/x.sh",
        f"@tasks/{OTHER}/1.json",
        "@file-history/secrets",
        "@settings.json",
        "@commands/x.md",
        "@projects/x.jsonl",
        "plans/calm-otter.md",
    ],
)
def test_a_companion_that_is_none_of_this_sessions_is_never_placed(
    world: World, desktop: PlayedMachine, path: str
) -> None:
    desktop.write_companion("plans/other.md", b"mine")
    desktop.write_companion(f"todos/{OTHER}-agent-{OTHER}.json", b"mine")
    before = {str(one): one.read_bytes() for one in desktop.claude.rglob("*") if one.is_file()}
    good = {"@plans/calm-otter.md": b"plan", "@tasks/1.json": b"task"}
    data, _ = packed(
        SLUG,
        {**good, path: b"hostile"},
        session_id=SESSION,
        project_key=KEY,
        machine="tablet",
        machine_id=ELSEWHERE,
    )
    put(world, data)
    desktop.pull(SESSION)
    after = {str(one): one.read_bytes() for one in desktop.claude.rglob("*") if one.is_file()}
    assert set(after) - set(before) == {
        str(desktop.path()),
        str(desktop.claude / "plans/calm-otter.md"),
        str(desktop.claude / f"tasks/{SESSION}/1.json"),
    }
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("path", ["@tasks/../../x.json", "@plans/../x.md", "@tasks//1.json"])
def test_a_companion_whose_path_leads_elsewhere_makes_the_bundle_unsafe(
    world: World, desktop: PlayedMachine, path: str
) -> None:
    base = json.loads(bundle())
    put(world, crafted(json.dumps(base).encode(), sidecar=[sidecar_entry(path)]))
    (wrong,) = check_passed_over(world, desktop)
    assert wrong.outcome is Outcome.FAILED
    assert desktop.companions() == {}


def test_a_plan_counts_only_where_the_transcript_of_the_same_bundle_names_it_last(
    world: World, desktop: PlayedMachine
) -> None:
    named_before = b'{"uuid":"0","slug":"calm-otter"}\n{"uuid":"1","slug":"other"}\n'
    data, _ = packed(
        named_before,
        {"@plans/calm-otter.md": b"plan"},
        session_id=SESSION,
        project_key=KEY,
        machine="tablet",
        machine_id=ELSEWHERE,
    )
    put(world, data)
    desktop.pull(SESSION)
    assert desktop.has()
    assert desktop.companions() == {}


def test_a_bundle_is_known_by_what_it_says_and_not_by_its_name(
    world: World, desktop: PlayedMachine
) -> None:
    put(world, bundle(), "anything at all (conflicted copy 2026-11-22).ccsync")
    pulled(desktop)
    assert desktop.has()


def test_what_a_bundle_holds_besides_is_passed_over_however_deep_it_is(
    world: World, desktop: PlayedMachine
) -> None:
    put(world, bundle()[:-1] + b',"news":' + DEEP + b"}")
    pulled(desktop)
    assert desktop.has()


def test_the_greatest_numbers_that_a_bundle_may_bear_stop_neither_a_push_nor_a_resolve(
    world: World, desktop: PlayedMachine
) -> None:
    desktop.write(SESSION, said("here"))
    desktop.push()
    desktop.bundle().write_bytes(crafted(desktop.bundle().read_bytes(), revision=MAX_INTEGER))
    mine = desktop.write(SESSION, said("more"))
    assert desktop.push()[SESSION].outcome is Outcome.PUSHED
    put(world, bundle(decision=MAX_INTEGER))
    assert desktop.pull()[SESSION].outcome is Outcome.CONFLICT
    desktop.resolve(SESSION, "mine")
    assert opened(desktop.bundle()).head.decision == MAX_INTEGER
    laptop, _ = world.known
    laptop.pull()
    assert laptop.read() == mine


def test_a_bundle_that_went_through_another_program_is_taken(
    world: World, desktop: PlayedMachine
) -> None:
    put(world, json.dumps(json.loads(bundle()), indent=2, sort_keys=True).encode())
    pulled(desktop)
    assert desktop.read() == b'{"uuid":"1"}\n'


# --- a bundle that isn't the one that was seen --------------------------------------------------


def test_another_bundle_that_looks_just_as_the_one_that_was_seen_is_not_taken_for_it(
    world: World, desktop: PlayedMachine
) -> None:
    path = put(world, bundle())
    assert SESSION in desktop.states()
    seen = path.stat()
    path.write_bytes(bundle(b'{"uuid":"2"}\n'))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert stamp_of(path.stat()) == stamp_of(seen)
    (wrong,) = check_passed_over(world, desktop)
    assert wrong.outcome is Outcome.INCOMPLETE
