"""The registry of verbs: what is asked for is handled, what handles is asked for."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from claude_sync_app.tray import actions
from claude_sync_app.tray.dispatch import handler_of
from claude_sync_app.tray.verbs import Verb

APP = Path(actions.__file__).parents[2]
ACTIONS = "claude_sync_app.tray.actions"


@pytest.mark.parametrize("verb", Verb)
def test_every_verb_is_handled(verb: Verb) -> None:
    assert list(_annotations(handler_of(verb)))[:2] == ["TrayContext", "Action"]


def test_every_handler_is_of_a_verb() -> None:
    handlers = set()
    for module in iter_modules(actions.__path__):
        for name, function in inspect.getmembers(import_module(f"{ACTIONS}.{module.name}")):
            if (
                inspect.isfunction(function)
                and not name.startswith("_")
                and function.__module__ == f"{ACTIONS}.{module.name}"
                and list(_annotations(function)) == ["TrayContext", "Action"]
            ):
                handlers.add(f"{module.name}.{name}")
    assert handlers == {verb.handler for verb in Verb}


def test_whatever_is_asked_for_is_a_verb_and_every_verb_is_asked_for() -> None:
    assert {name for _, name in _asked_for()} == set(Verb.__members__)
    unknown = [where for where, name in _asked_for() if name not in Verb.__members__]
    assert unknown == []


def test_what_waits_is_imported_by_the_click_that_needs_it() -> None:
    source = (
        "import sys, claude_sync_app.tray.application\n"
        f"print(*(name for name in sys.modules if name.startswith('{ACTIONS}.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [f"{ACTIONS}.immediate"]
    for verb in Verb:
        assert verb.in_loop == verb.handler.startswith("immediate.")


def _annotations(function: object) -> Iterator[object]:
    return (one.annotation for one in inspect.signature(function).parameters.values())  # type: ignore[arg-type]


def _asked_for() -> Iterator[tuple[str, str]]:
    """Each verb that the front ends name outside its registry, and where."""
    for path in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "Verb"
            ):
                yield f"{path}:{node.lineno}", node.attr
