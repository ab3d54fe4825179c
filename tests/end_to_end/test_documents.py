"""What ``--json`` prints, by its shape: programs depend on every name in it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from end_to_end.machine import OTHER, SESSION, Machine, outcomes

_RESULT = {
    "session_id": str,
    "project_key": str,
    "outcome": str,
    "machine": str,
    "bundle": str,
    "path": (str, type(None)),
    "bytes": int,
    "message": str,
}
_SESSION = {
    "session_id": str,
    "title": str,
    "project_key": str,
    "directory": (str, type(None)),
    "path": (str, type(None)),
    "size": int,
    "modified": (str, type(None)),
    "state": str,
    "open": bool,
    "replaces": int,
    "shortened": bool,
    "machines": list,
}
_SIDE = {
    "machine": str,
    "here": bool,
    "size": int,
    "sha256": str,
    "lines": int,
    "modified": str,
    "offered": bool,
    "pushed_from_here": bool,
}
_FINDING = {"code": str, "level": str, "title": str, "detail": str, "fix": str}
_PROJECT = {
    "project_key": str,
    "directory": str,
    "exists": bool,
    "linked": bool,
    "added": bool,
    "pinned": bool,
    "problem": str,
}
_STATUS = {
    "location": (str, type(None)),
    "machine": str,
    "push": list,
    "held": list,
    "pull": list,
    "conflicts": list,
    "unplaced": list,
    "incomplete": list,
    "unknown": list,
    "findings": list,
}
_INIT = {
    "location": str,
    "machine": str,
    "machine_id": str,
    "machines": list,
    "encrypted": bool,
}


def has_shape(value: Any, shape: dict[str, Any]) -> None:
    """Every member there, in its order, of its type, and no other."""
    assert list(value) == list(shape)
    for name, kind in shape.items():
        assert isinstance(value[name], kind), (name, value[name])
        assert kind is not int or not isinstance(value[name], bool), name


def check_results(document: Any) -> None:
    """The document of a push, a pull and their like."""
    assert list(document) == ["results", "summary"]
    counts: dict[str, int] = {}
    for result in document["results"]:
        has_shape(result, _RESULT)
        counts[result["outcome"]] = counts.get(result["outcome"], 0) + 1
    assert document["summary"] == counts


@pytest.fixture
def busy(laptop: Machine, desktop: Machine) -> tuple[Machine, Machine]:
    """Two machines with a conflict, and a session that only the laptop has."""
    laptop.says("Fix the login bug 😀")
    laptop.does("push")
    desktop.does("pull")
    laptop.says("here")
    desktop.says("there")
    laptop.says("Refactor", OTHER)
    return laptop, desktop


def test_results(busy: tuple[Machine, Machine]) -> None:
    laptop, desktop = busy
    pushed = laptop.document("push")
    check_results(pushed)
    (of_session,) = [one for one in pushed["results"] if one["session_id"] == SESSION]
    assert of_session["project_key"] == "git:github.com/you/app"
    assert of_session["machine"] == "laptop"
    assert of_session["bundle"] == f"git+github.com+you+app/{SESSION}-laptop.ccsync"
    assert of_session["path"] == str(laptop.path())
    assert 0 < of_session["bytes"] < 4096
    check_results(laptop.document("push"))
    pulled = desktop.run("pull", "--json")
    assert (pulled.status, pulled.err) == (1, "")
    check_results(pulled.document)
    assert outcomes(pulled.document) == {SESSION: "conflict", OTHER: "imported"}
    check_results(desktop.document("resolve", SESSION, "--keep", "theirs"))
    check_results(desktop.document("undo", SESSION))
    check_results(desktop.document("pull", "--dry-run", "--all"))
    packed = desktop.document("pack", OTHER)
    has_shape(packed, {"file": str, "bytes": int})
    check_results(laptop.document("unpack", packed["file"]))


def test_sessions(busy: tuple[Machine, Machine]) -> None:
    laptop, desktop = busy
    laptop.does("push")
    listed = desktop.document("sessions", "--all")
    assert list(listed) == ["sessions"]
    by_id = {one["session_id"]: one for one in listed["sessions"]}
    for one in by_id.values():
        has_shape(one, _SESSION)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["modified"])
    assert (by_id[OTHER]["state"], by_id[OTHER]["path"]) == ("waiting", None)
    assert by_id[OTHER]["directory"] == str(desktop.project.resolve())
    assert by_id[OTHER]["machines"] == ["laptop"]
    assert by_id[SESSION]["state"] == "conflict"
    assert by_id[SESSION]["title"] == "Fix the login bug 😀"
    assert by_id[SESSION]["size"] == len(desktop.read())
    assert len(desktop.document("sessions", "--limit", "1")["sessions"]) == 1
    assert desktop.document("sessions", "--limit", "0") == {"sessions": []}
    desktop.open()
    assert [one["open"] for one in desktop.document("sessions")["sessions"]] == [
        one["session_id"] == SESSION for one in desktop.document("sessions")["sessions"]
    ]


def test_status(busy: tuple[Machine, Machine]) -> None:
    laptop, desktop = busy
    laptop.does("push")
    status = desktop.document("status")
    has_shape(status, _STATUS)
    assert [one["session_id"] for one in status["pull"]] == [OTHER]
    (conflict,) = status["conflicts"]
    has_shape(conflict, {**_SESSION, "sides": list})
    for side in conflict["sides"]:
        has_shape(side, _SIDE)
    assert "conflict" in [one["code"] for one in status["findings"]]
    for finding in status["findings"]:
        has_shape(finding, _FINDING)
        assert finding["level"] in ("warning", "error")


def test_the_rest(laptop: Machine) -> None:
    laptop.says("hello")
    has_shape(laptop.document("init", laptop.home / "another place"), _INIT)
    (project,) = laptop.document("projects")["projects"]
    has_shape(project, _PROJECT)
    added = laptop.document("projects", "add", laptop.project)
    has_shape(added, {"project_key": str, "subpath": str})
    has_shape(laptop.document("projects", "remove", laptop.project), {"removed": bool})
    has_shape(laptop.document("forget", "--older-than", "1", "--yes"), {"removed": int})
    has_shape(laptop.document("config", "path"), {"path": str})
    assert laptop.document("config")["quiet_seconds"] == 3


def test_an_error_leaves_stdout_empty(new_laptop: Machine) -> None:
    for command in (["push", "zz"], ["pull", "zz"], ["undo", "zz"], ["pack", "zz"]):
        done = new_laptop.run(*command, "--json")
        assert (done.status, done.out) == (1, ""), done
