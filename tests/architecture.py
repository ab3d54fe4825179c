"""Reads what imports what, and what writes files, from the sources alone. Nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Tree = Mapping[str, "Source"]
"""Modules by their dotted names."""


class Import(NamedTuple):
    """One import. ``lazy``: not run when the module is imported, or for type checkers only."""

    target: str
    line: int
    lazy: bool


class Source(NamedTuple):
    """A module's file and what it imports."""

    path: Path
    syntax: ast.Module
    imports: tuple[Import, ...]


def read_tree(*roots: Path) -> Tree:
    """Every module below directories that stand on the import path."""
    paths = {_name(path, root): path for root in roots for path in sorted(root.rglob("*.py"))}
    tree = {}
    for name, path in paths.items():
        syntax = ast.parse(path.read_text(encoding="utf-8"), str(path))
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        tree[name] = Source(path, syntax, tuple(_imports(syntax, package, paths)))
    return tree


def _name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(syntax: ast.Module, package: str, known: Mapping[str, Path]) -> Iterator[Import]:
    for node, lazy in _statements(syntax, False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, lazy)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                above = ".".join(parents[: len(parents) - node.level + 1])
                base = f"{above}.{base}" if base else above
            for alias in node.names:
                member = f"{base}.{alias.name}"
                yield Import(member if member in known else base, node.lineno, lazy)


def _statements(node: ast.AST, lazy: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        inner = lazy or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            inner = True
        yield child, inner
        yield from _statements(child, inner)


# --- rooms -------------------------------------------------------------------------------------

REST = "*"
"""In a table of floors: every room that stands on no other floor."""


def arrows_up(tree: Tree, package: str, floors: Sequence[str]) -> list[str]:
    """Imports between the rooms of a package that don't lead down, and rooms on no floor.

    Args:
        tree: what imports what.
        package: whose rooms; a room is a module or a package right inside it.
        floors: names of rooms, a line each floor, the lowest first. Rooms on one floor may not
            know each other; `REST` stands for all that are on no other, which may.
    """
    floor_of = {room: floor for floor, line in enumerate(floors) for room in line.split()}
    found = []
    for name, source in tree.items():
        if not _is_in(name, package):
            continue
        room = _room(name, package, floor_of)
        if room not in floor_of:
            found.append(f"{name} is in no room yet: give {room} a floor")
            continue
        for target, line, _ in source.imports:
            there = _room(target, package, floor_of) if _is_in(target, package) else room
            if there != room and floor_of.get(there, len(floors)) >= floor_of[room]:
                found.append(f"{source.path}:{line}: {name} may not import {target}")
    return found


def outsiders(tree: Tree, package: str, target: str, rooms: Iterable[str]) -> list[str]:
    """Modules of a package that import a target, or what is in it, though their room may not.

    Args:
        tree: what imports what.
        package: whose rooms.
        target: what only some may import.
        rooms: names of those.
    """
    found = who_imports(tree, [target], within=package)
    return [name for name in found if _room(name, package, {}) not in rooms]


def _room(name: str, package: str, floor_of: Mapping[str, int]) -> str:
    room = name[len(package) + 1 :].partition(".")[0] or "__init__"
    return REST if room not in floor_of and REST in floor_of else room


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def cycles(tree: Tree) -> list[str]:
    """Modules that import themselves by way of others, when they are imported."""
    now = {
        name: [item.target for item in source.imports if item.target in tree and not item.lazy]
        for name, source in tree.items()
    }
    found = []
    for start in now:
        seen: set[str] = set()
        ahead = list(now[start])
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                ahead += now[name]
        if start in seen:
            found.append(start)
    return found


def who_imports(
    tree: Tree, targets: Iterable[str], *, within: str = "", eager_only: bool = False
) -> dict[str, set[str]]:
    """Which modules, of those within a package, import any of the targets or what is in them."""
    found: dict[str, set[str]] = {}
    for name, source in tree.items():
        if within and not _is_in(name, within):
            continue
        for item in source.imports:
            hit = any(_is_in(item.target, target) for target in targets)
            if hit and not (eager_only and item.lazy):
                found.setdefault(name, set()).add(item.target)
    return found


def takes(source: Source, name: str, module: str) -> bool:
    """Whether a module imports one name from another module, wherever that is said."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == module
        and name in {alias.name for alias in node.names}
        for node in ast.walk(source.syntax)
    )


# --- writing -----------------------------------------------------------------------------------

_OPENERS = {"open", "fdopen"}
_WRITING_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"}
_WRITING_METHODS = {"write_text", "write_bytes", "touch", "hardlink_to", "symlink_to"}
_WRITING_CALLS = {
    "os": {"rename", "replace", "link", "symlink", "truncate", "renames"},
    "shutil": {"copy", "copy2", "copyfile", "copytree", "move", "copyfileobj"},
    "tempfile": {
        "NamedTemporaryFile",
        "TemporaryFile",
        "mkstemp",
        "mktemp",
        "SpooledTemporaryFile",
    },
}


def writings(source: Source) -> list[str]:
    """Where a module opens a file for writing, or gives one a name."""
    found = []
    for node in ast.walk(source.syntax):
        if isinstance(node, ast.Attribute) and node.attr in _WRITING_FLAGS:
            found.append(f"{source.path}:{node.lineno}: os.{node.attr}")
        elif isinstance(node, ast.Call) and (name := _writes(node)):
            found.append(f"{source.path}:{node.lineno}: {name}")
    return found


def calls(source: Source, owner: str, methods: Iterable[str]) -> list[str]:
    """Where a module calls methods of a value of that name, or of an attribute of that name."""
    found = []
    for node in ast.walk(source.syntax):
        if not isinstance(node, ast.Attribute) or node.attr not in methods:
            continue
        value = node.value
        name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
        if name.lstrip("_") == owner:
            found.append(f"{source.path}:{node.lineno}: {owner}.{node.attr}")
    return found


def _writes(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id if function.id == "open" and _mode_writes(call, 1) else ""
    if not isinstance(function, ast.Attribute):
        return ""
    owner = function.value.id if isinstance(function.value, ast.Name) else ""
    if function.attr in _WRITING_CALLS.get(owner, ()) or function.attr in _WRITING_METHODS:
        return f"{owner}.{function.attr}"
    if function.attr in _OPENERS and owner not in ("os", "io"):
        return f"{owner}.{function.attr}" if _mode_writes(call, 0) else ""
    if function.attr in _OPENERS and not (owner == "os" and function.attr == "open"):
        return f"{owner}.{function.attr}" if _mode_writes(call, 1) else ""
    return ""


def _mode_writes(call: ast.Call, position: int) -> bool:
    modes = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    modes += call.args[position : position + 1]
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and set(mode.value) & set("wax+")
        for mode in modes
    )


# --- starting programs -------------------------------------------------------------------------

_STARTERS = {
    "subprocess": {"run", "Popen", "call", "check_call", "check_output", "getoutput"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
    "os": {"system", "popen", "execv", "execve", "execvp", "execvpe", "execl", "execlp", "spawnv"},
    "shutil": {"which"},
    "webbrowser": {"open", "open_new", "open_new_tab", "get"},
}


def starts(source: Source) -> list[str]:
    """Where a module starts, or looks for, a program whose whole path `full_command` didn't find.

    Our own interpreter's is known.
    """
    found = []
    for node in ast.walk(source.syntax):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        if node.func.attr in _STARTERS.get(owner, ()) and not _is_found(node):
            found.append(f"{source.path}:{node.lineno}: {owner}.{node.func.attr}")
    return found


def _is_found(call: ast.Call) -> bool:
    command = ast.unparse(call.args[0]).removeprefix("*") if call.args else ""
    return command.startswith("full_command(") or command == "sys.executable"
