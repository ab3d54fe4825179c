"""Which room may know which, read from the sources. See the table of each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from architecture import (
    REST,
    Tree,
    arrows_up,
    calls,
    cycles,
    outsiders,
    read_tree,
    starts,
    takes,
    who_imports,
    writings,
)

ROOT = Path(__file__).resolve().parents[2]

# A room imports only rooms on the lines above its own.
ROOMS = (
    "spelling",
    "errors values",
    "model",
    "names wording",
    "disk",
    "sealed",
    "bundle claude state transports",
    "projects store",
    "sync",
    "doctor search",
    "service",
    "__init__",
)
ROOMS_OF_SYNC = (
    "__init__ recorder",
    "context rivals",
    "planner",
    "crowd",
    "survey",
    "judge tree bundles",
    REST,
)

# Inside `sync`, what writes Claude's tree lies in `tree`, what writes our bundles in `bundles`.
ONLY_IN_SYNC = {
    "claude_sync.disk.files": "tree bundles context",  # `context` for what is only staged
    "claude_sync.store.packing": "bundles",
    "claude_sync.sync.tree.install": "tree",
    "claude_sync.sync.tree.last_moment": "tree",
    "claude_sync.sync.tree.merge": "tree",
}
WRITES_THE_STORE = ("send", "remove")

# What a start pays for, though most starts don't need it: imported where it is used.
HEAVY = (
    "asyncio backports.zstd compression concurrent cryptography ctypes email http "
    "importlib.metadata logging multiprocessing platformdirs "
    "psutil rich shutil socket sqlite3 ssl subprocess tempfile urllib uuid watchdog xml"
)
MAY_START_HEAVY = {
    "claude_sync.state.activity",  # nothing imports it where nothing was done
    "claude_sync.state.database",  # whoever opens the records needs SQLite
    "claude_sync.state.layout",
    "claude_sync.search.index",  # nothing imports it that doesn't search
    "claude_sync.service.inlet",
    "claude_sync.service.mailbox",  # nothing imports these that doesn't watch
    "claude_sync.service.thread",
    "claude_sync.service.service",
    "claude_sync.transports.rclone.calls",  # nothing imports these that asks no cloud
    "claude_sync.transports.rclone.guardian",
    "claude_sync.transports.rclone.reading",
    "claude_sync.transports.rclone.remotes",
    "claude_sync.sealed.compression",  # nothing imports it that doesn't seal
    "claude_sync.transports.ssh.pipes",  # nothing imports it that doesn't start ssh
}
SCREENS = "pystray PIL desktop_notifier dbus_fast gi tkinter Xlib AppKit Foundation rich"
SHELLS = "argparse click getpass optparse"
PURE = (
    "claude_sync.claude.message",
    "claude_sync.claude.turns",
    "claude_sync.search.marked_line",
    "claude_sync.search.words",
    "claude_sync.sealed.cuts",
    "claude_sync.service.outage",
    "claude_sync.service.schedule",
    "claude_sync.sync.crowd",
    "claude_sync.sync.planner",
    "claude_sync.sync.rivals",
    "claude_sync_app.tray.conflict_choice",
    "claude_sync_app.tray.sharing_summary",
    "claude_sync_app.tray.labels",
    "claude_sync_app.tray.menu",
    "claude_sync_app.tray.notices",
    "claude_sync_app.tray.offers",
    "claude_sync_app.tray.status_line",
    "claude_sync_app.tray.finding_filter",
)
IMPURE = (
    "asyncio io logging os random shutil socket sqlite3 subprocess tempfile threading time "
    "claude_sync.disk.files claude_sync.disk.locks claude_sync.disk.snapshot claude_sync.transports"
)
MAY_WRITE = {
    "claude_sync.disk.files",
    "claude_sync.disk.log",
    "claude_sync_app.cli.output",  # only into the null device, what nobody reads any more
}
# A process of its own that imports nothing of ours: the path was found by who starts it.
TOLD_WHAT_TO_START = "claude_sync.transports.rclone.guardian"
TOP_LEVEL = {"app", "assets", "core", "packaging", "tests"} | {
    "LICENSE",
    "README.md",
    "pyproject.toml",
}
IGNORED_BY_GIT = {"build", "dist", "__pycache__"}
LONGEST_FILE = 600


@pytest.fixture(scope="module")
def tree() -> Tree:
    return read_tree(ROOT / "core", ROOT / "app")


def test_every_import_between_rooms_leads_down(tree: Tree) -> None:
    assert arrows_up(tree, "claude_sync", ROOMS) == []
    assert arrows_up(tree, "claude_sync.sync", ROOMS_OF_SYNC) == []


def test_no_module_imports_itself_by_way_of_others(tree: Tree) -> None:
    assert cycles(tree) == []


def test_core_knows_neither_the_app_nor_screens_nor_command_lines(tree: Tree) -> None:
    foreign = ["claude_sync_app", *SCREENS.split(), *SHELLS.split()]
    assert who_imports(tree, foreign, within="claude_sync") == {}


def test_core_imports_what_is_heavy_only_where_it_is_used(tree: Tree) -> None:
    found = who_imports(tree, HEAVY.split(), within="claude_sync", eager_only=True)
    assert {name: what for name, what in found.items() if name not in MAY_START_HEAVY} == {}


def test_the_classes_of_values_are_made_the_quick_way(tree: Tree) -> None:
    found = {name for name in tree if takes(tree[name], "NamedTuple", "typing")}
    assert found == {"claude_sync.values"}


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
    assert known <= {"claude_sync_app.cli.commands.tray"}
    screens = ["claude_sync_app.tray", "claude_sync_app.desktop"]
    assert who_imports(tree, screens, within=commands, eager_only=True) == {}


def test_what_decides_neither_reads_nor_writes_nor_looks_at_a_clock(tree: Tree) -> None:
    for room in PURE:
        assert who_imports(tree, IMPURE.split(), within=room) == {}


def test_one_room_writes(tree: Tree) -> None:
    found = [line for name in tree if name not in MAY_WRITE for line in writings(tree[name])]
    assert found == []


def test_every_process_starts_with_a_programs_whole_path(tree: Tree) -> None:
    found = [line for name in tree if name != TOLD_WHAT_TO_START for line in starts(tree[name])]
    assert found == []


def test_inside_sync_one_room_writes_the_tree_and_one_the_bundles(tree: Tree) -> None:
    for target, rooms in ONLY_IN_SYNC.items():
        assert outsiders(tree, "claude_sync.sync", target, rooms.split()) == []
    verbs = [name for name in tree if name.startswith("claude_sync.sync.")]
    found = {name for name in verbs if calls(tree[name], "store", WRITES_THE_STORE)}
    assert found
    assert all(name.startswith("claude_sync.sync.bundles.") for name in found)


def test_no_file_is_longer_than_a_sitting() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for top in sorted(TOP_LEVEL)
        for path in (ROOT / top).rglob("*.py")
        if (lines := path.read_text(encoding="utf-8").count("\n")) > LONGEST_FILE
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
        ("from house.cellar.shelf import jam", True),
        ("from house.kitchen.stove import heat", True),
        ("from house.attic import dust", False),
        ("import house.attic", False),
        ("from house import attic", False),
        ("from .. import attic", False),
        ("from ..attic import dust", False),
        ("def f():\n    from house.attic import dust", False),
        ("from house.neighbour import sugar", False),
        ("import os", True),
    ],
)
def test_an_arrow_up_or_sideways_is_seen(tmp_path: Path, text: str, allowed: bool) -> None:
    rooms = {"cellar": "", "neighbour": "", "attic": "", "kitchen__stove": ""}
    tree = tree_of(tmp_path, **rooms, kitchen__table=text)
    floors = ("cellar", "kitchen neighbour", "attic", "__init__")
    assert (arrows_up(tree, "house", floors) == []) is allowed


def test_rooms_that_are_not_named_share_a_floor(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, cellar="", hall="from house import porch", porch="import house.cellar")
    assert arrows_up(tree, "house", ("cellar __init__", REST)) == []
    tree = tree_of(tmp_path, cellar="import house.hall")
    assert len(arrows_up(tree, "house", ("cellar __init__", REST))) == 1


def test_a_room_without_a_floor_is_seen(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, cellar="", wing__room="")
    assert arrows_up(tree, "house", ("cellar", "__init__")) == [
        "house.wing.room is in no room yet: give wing a floor"
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


@pytest.mark.parametrize(
    ("text", "unchecked"),
    [
        ("subprocess.run(['git', 'x'])", True),
        ("subprocess.Popen(command)", True),
        ("subprocess.Popen(list(command))", True),
        ("asyncio.create_subprocess_exec(*command)", True),
        ("asyncio.create_subprocess_shell(line)", True),
        ("os.system(line)", True),
        ("shutil.which('git')", True),
        ("webbrowser.open(page)", True),
        ("subprocess.run(full_command(['git', 'x']), check=False)", False),
        ("asyncio.create_subprocess_exec(*full_command(command))", False),
        ("os.execv(sys.executable, program)", False),
    ],
)
def test_a_start_of_what_was_not_found_is_seen(tmp_path: Path, text: str, unchecked: bool) -> None:
    assert bool(starts(tree_of(tmp_path, room=text)["house.room"])) is unchecked


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from house.cellar import spade", ["house.attic.den"]),
        ("from house.cellar.spade import dig", ["house.attic.den"]),
        ("def f():\n    import house.cellar.spade", ["house.attic.den"]),
        ("from house.cellar import jam", []),
    ],
)
def test_a_room_that_takes_what_only_another_may_is_seen(
    tmp_path: Path, text: str, found: list[str]
) -> None:
    cellar = {"cellar__spade": "", "cellar__jam": "", "garden": "import house.cellar.spade"}
    tree = tree_of(tmp_path, **cellar, attic__den=text)
    assert outsiders(tree, "house", "house.cellar.spade", ["garden", "cellar"]) == found


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("store.remove(names)", True),
        ("self._store.send(made)", True),
        ("context.store.remove(names)", True),
        ("later = context.store.send", True),
        ("context.store.listing()", False),
        ("files.remove(path)", False),
        ("send(transport)", False),
    ],
)
def test_a_call_that_writes_the_store_is_seen(tmp_path: Path, text: str, called: bool) -> None:
    source = tree_of(tmp_path, room=text)["house.room"]
    assert bool(calls(source, "store", WRITES_THE_STORE)) is called
