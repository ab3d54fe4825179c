"""Which room may know which, read from the sources. See the table of each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from architecture import Tree, arrows_up, cycles, read_tree, who_imports, writings

ROOT = Path(__file__).resolve().parents[2]

# A module imports only from lower floors, or from what stands left of an arrow on its own.
FLOORS = (
    "errors model",
    "names hashing → snapshot → files log"
    " → locks json_object places preference_kinds codec repository → git → project_key",
    "transcript utterance claude_home live_sessions preferences machine transports.base"
    " members → json_reader comparison → bundle pack unpack → assembly packing → fetching outgoing",
    "database placing project_roots registry_file vault_entry → key_lookup records cache vault"
    " → registry",
    "transports.location transports.folder_errors transports.ssh_answers"
    " transports.ssh_pipes transports.ssh_script transports.ssh_script_parts"
    " → transports.ssh_command transports.ssh_errors → transports.ssh_session"
    " → transports.folder_writing transports.ssh_reading transports.ssh_writing"
    " → transports.folder transports.memory transports.metered transports.ssh → transports",
    "marker → store planner schedule status",
    "sync.context sync.reading sync.last_moment → sync.identity sync.keeping sync.merging"
    " sync.local_rows → sync.survey sync.relations sync.place"
    " → sync.conflict sync.growth sync.naming → sync.packing_ahead"
    " → sync.parting sync.give sync.take"
    " → sync.push sync.pull"
    " → sync.resolve sync.undo sync.forget sync.portable sync.setup sync.states → sync",
    "doctor.wording doctor.access doctor.login → doctor.examination doctor.aside → doctor.place"
    " → doctor.bundles doctor.claude doctor.deep doctor.keeping doctor.programs doctor.projects"
    " doctor.sessions doctor.settings → doctor",
    "watch → engine.mailbox engine.changes engine.arrivals engine.journal engine.timetable"
    " engine.circumstances"
    " → engine.picture → engine.worker → engine.equipment → engine.rounds → engine.duties"
    " → engine.runner → engine",
    "service",
    "__init__",
)

# What a start pays for, though most starts don't need it: imported where it is used.
HEAVY = (
    "asyncio concurrent ctypes email http importlib.metadata logging multiprocessing platformdirs "
    "psutil rich shutil socket sqlite3 ssl subprocess tempfile urllib uuid watchdog xml"
)
MAY_START_HEAVY = {
    "claude_sync.database",  # whoever opens the records needs SQLite
    "claude_sync.engine.mailbox",  # nothing imports these that doesn't watch
    "claude_sync.engine.runner",
    "claude_sync.service",
    "claude_sync.transports.ssh_pipes",  # nothing imports it that doesn't start ssh
}
SCREENS = "pystray PIL desktop_notifier dbus_fast gi tkinter Xlib AppKit Foundation rich"
SHELLS = "argparse click getpass optparse"
PURE_ROOMS = (
    "comparison_page failure_texts findings keeping menu menu_model menu_preferences menu_sessions"
    " naming notice_memory notice_parts notice_texts notices offers readable sentences"
)
PURE = {
    "claude_sync.planner",
    "claude_sync.schedule",
    "claude_sync.utterance",
    *(f"claude_sync_app.tray.{room}" for room in PURE_ROOMS.split()),
}
IMPURE = (
    "asyncio io logging os random shutil socket sqlite3 subprocess tempfile threading time "
    "claude_sync.files claude_sync.locks claude_sync.snapshot claude_sync.transports"
)
MAY_WRITE = {
    "claude_sync.files",
    "claude_sync.log",
    "claude_sync_app.cli.output",  # only into the null device, what nobody reads any more
}
TOP_LEVEL = {"app", "assets", "core", "packaging", "tests"} | {
    "LICENSE",
    "README.md",
    "pyproject.toml",
}
IGNORED_BY_GIT = {"build", "dist", "__pycache__"}
LONGEST_FILE = 400
LONGEST_TEST = 600  # mostly tables of cases


@pytest.fixture(scope="module")
def tree() -> Tree:
    return read_tree(ROOT / "core", ROOT / "app")


def test_every_import_in_core_leads_to_a_lower_floor(tree: Tree) -> None:
    assert arrows_up(tree, "claude_sync", FLOORS) == []


def test_no_module_imports_itself_by_way_of_others(tree: Tree) -> None:
    assert cycles(tree) == []


def test_core_knows_neither_the_app_nor_screens_nor_command_lines(tree: Tree) -> None:
    foreign = ["claude_sync_app", *SCREENS.split(), *SHELLS.split()]
    assert who_imports(tree, foreign, within="claude_sync") == {}


def test_core_imports_what_is_heavy_only_where_it_is_used(tree: Tree) -> None:
    found = who_imports(tree, HEAVY.split(), within="claude_sync", eager_only=True)
    assert {name: what for name, what in found.items() if name not in MAY_START_HEAVY} == {}


def test_only_the_tray_and_the_desktop_know_screens(tree: Tree) -> None:
    screens = [name for name in SCREENS.split() if name != "rich"]
    found = who_imports(tree, screens, within="claude_sync_app")
    rooms = ("claude_sync_app.tray", "claude_sync_app.desktop")
    assert {name for name in found if not name.startswith(rooms)} == set()


def test_only_the_backends_know_pystray(tree: Tree) -> None:
    found = who_imports(tree, ["pystray"])
    assert {name for name in found if not name.startswith("claude_sync_app.tray.backends")} == set()


def test_only_the_tray_command_knows_the_tray_and_only_when_it_runs(tree: Tree) -> None:
    commands = "claude_sync_app.cli"
    known = set(who_imports(tree, ["claude_sync_app.tray"], within=commands))
    assert known <= {"claude_sync_app.cli.tray"}
    screens = ["claude_sync_app.tray", "claude_sync_app.desktop"]
    assert who_imports(tree, screens, within=commands, eager_only=True) == {}


def test_what_decides_neither_reads_nor_writes_nor_looks_at_a_clock(tree: Tree) -> None:
    found = who_imports(tree, IMPURE.split())
    assert {name: what for name, what in found.items() if name in PURE} == {}


def test_one_room_writes(tree: Tree) -> None:
    found = [line for name in tree if name not in MAY_WRITE for line in writings(tree[name])]
    assert found == []


def test_no_file_is_longer_than_a_sitting() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for top in sorted(TOP_LEVEL)
        for path in (ROOT / top).rglob("*.py")
        if (lines := path.read_text(encoding="utf-8").count("\n"))
        > (LONGEST_TEST if top == "tests" else LONGEST_FILE)
    ]
    assert too_long == []


def test_the_top_of_the_tree_stays_tidy() -> None:
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert names - IGNORED_BY_GIT <= TOP_LEVEL


# --- the rules can be broken -------------------------------------------------------------------


def tree_of(root: Path, **modules: str) -> Tree:
    for name, text in modules.items():
        path = root / "house" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "house" / "__init__.py").write_text("")
    return read_tree(root)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("from house.cellar import coal", True),
        ("from house.stairs import step", True),
        ("from house.attic import dust", False),
        ("import house.attic", False),
        ("from house import attic", False),
        ("from . import attic", False),
        ("from .attic import dust", False),
        ("def f():\n    from house.attic import dust", False),
        ("from house.neighbour import sugar", False),
        ("import os", True),
    ],
)
def test_an_arrow_up_or_sideways_is_seen(tmp_path: Path, text: str, allowed: bool) -> None:
    rooms = {"cellar": "", "stairs": "", "neighbour": "", "attic": ""}
    tree = tree_of(tmp_path, **rooms, kitchen=text)
    floors = ("cellar", "stairs → kitchen neighbour", "attic", "__init__")
    assert (arrows_up(tree, "house", floors) == []) is allowed


def test_a_room_without_a_floor_is_seen(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, cellar="", wing__room="")
    assert arrows_up(tree, "house", ("cellar", "__init__")) == [
        "house.wing.room stands on no floor yet: give it one"
    ]


def test_a_cycle_is_seen(tmp_path: Path) -> None:
    tree = tree_of(
        tmp_path, a="import house.b", b="from house import c", c="from .a import x", d="import os"
    )
    assert cycles(tree) == ["house.a", "house.b", "house.c"]


@pytest.mark.parametrize(
    ("text", "eager"),
    [
        ("import sqlite3", True),
        ("from sqlite3 import connect", True),
        ("import sqlite3.dbapi2", True),
        ("try:\n    import sqlite3\nexcept ImportError:\n    pass", True),
        ("class A:\n    import sqlite3", True),
        ("def f():\n    import sqlite3", False),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sqlite3", False),
    ],
)
def test_what_is_imported_at_the_start_is_told_from_what_is_not(
    tmp_path: Path, text: str, eager: bool
) -> None:
    tree = tree_of(tmp_path, room=text)
    assert bool(who_imports(tree, ["sqlite3"], eager_only=True)) is eager
    assert who_imports(tree, ["sqlite3"])
    assert not who_imports(tree, ["sqlite"])


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("open(p)", False),
        ("open(p, 'rb')", False),
        ("open(p, 'wb')", True),
        ("open(p, mode='a')", True),
        ("p.open('r+')", True),
        ("p.open()", False),
        ("p.write_text('')", True),
        ("os.open(p, os.O_RDONLY)", False),
        ("os.open(p, os.O_WRONLY | os.O_CREAT)", True),
        ("os.fdopen(d, 'wb')", True),
        ("os.fdopen(d, 'rb')", False),
        ("io.open(p, 'x')", True),
        ("os.replace(a, b)", True),
        ("text.replace('a', 'b')", False),
        ("shutil.copyfile(a, b)", True),
        ("tempfile.mkstemp()", True),
    ],
)
def test_writing_is_told_from_reading(tmp_path: Path, text: str, writes: bool) -> None:
    source = tree_of(tmp_path, room=text)["house.room"]
    assert bool(writings(source)) is writes
