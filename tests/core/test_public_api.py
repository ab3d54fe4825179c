"""The public face: what may be relied on, found, read about, and costs nothing until it is used."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import claude_sync

CONTRACT = """
Arrival Attached Bundle BundleError BundleHead ClaudeHome ClaudeSyncError Conflict ConflictView
Context EarlierVersion Event Excerpt Finding FolderTransport Found IndexProgress Level LocalSession
LockBusy Machine MachineCopy MarkedLine MemoryTransport Message NotSetUp Outcome Paths Preferences
Progress ProjectKey ProjectKeyError Question Restorable Result Resumption SearchAnswer SearchHit
Service SessionError SessionHeader SessionReader SessionState SetUp Side SideView Standing State
Status Stopped Subagent Subagents TextPart ToolCall Transport TransportError Turn TurnPage
UsageError Version as_html as_json as_markdown as_text bundle_file_name bundles_of_machine
bundles_of_sessions bundles_of_this_machine bundles_older_than decode default_location
earlier_versions encode encode_directory encoded_key examine forget open_context pack paths
prepare_resume project_key project_key_from_remote pull push read_conflict read_head read_session
rename_machine resolve restorable restore save_document search_sessions set_up set_up_default
show_conflict states undo unpack update_index
"""
"""What stands here may be used by others: it changes only with a greater version."""

FUNCTIONS = [name for name in claude_sync.__all__ if inspect.isroutine(getattr(claude_sync, name))]
CLASSES = [name for name in claude_sync.__all__ if inspect.isclass(getattr(claude_sync, name))]


def test_the_contract_is_kept() -> None:
    assert set(claude_sync.__all__) == set(CONTRACT.split())
    assert list(claude_sync.__all__) == sorted(claude_sync.__all__)
    assert sorted([*FUNCTIONS, *CLASSES]) == list(claude_sync.__all__)
    assert set(claude_sync.__all__) <= set(dir(claude_sync))


def test_type_checkers_see_what_a_program_gets() -> None:
    source = Path(claude_sync.__file__).read_text(encoding="utf-8")
    seen = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("claude_sync."):
            seen.update({alias.name: node.module for alias in node.names})
    assert set(seen) == set(claude_sync.__all__)
    for name, module in seen.items():
        assert getattr(sys.modules[str(module)], name) is getattr(claude_sync, name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_does_with_what(name: str) -> None:
    function = getattr(claude_sync, name)
    said = inspect.getdoc(function) or ""
    assert re.match(r"[A-Z`].*[.,:]$", said.splitlines()[0]), said
    signature = inspect.signature(function)
    for parameter in signature.parameters:
        assert re.search(rf"\b{parameter}\b", said), f"{name} doesn't speak of {parameter}"
    assert signature.return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_says_what_it_is_and_holds(name: str) -> None:
    kind = getattr(claude_sync, name)
    said = kind.__dict__.get("__doc__") or ""
    assert said
    assert not said.startswith(f"{name}(")  # what Python makes up
    held = [field.name for field in fields(kind)] if is_dataclass(kind) else []
    held += getattr(kind, "_fields", ())
    missing = [field for field in held if not re.search(rf"\b{field}\b", said)]
    assert missing == []
    for member, value in vars(kind).items():
        told = hasattr(claude_sync.Transport, member)  # at the protocol that it fulfils
        if inspect.isfunction(value) and not member.startswith("_") and not told:
            assert inspect.getdoc(value), f"{name}.{member} says nothing"


def test_an_import_costs_nothing_until_something_is_used() -> None:
    script = "import sys, claude_sync; print(*[n for n in sys.modules if 'claude_sync.' in n])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.split() == []


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = claude_sync.nothing
