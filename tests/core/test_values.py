"""Values are what `typing.NamedTuple` makes of the same class, but for the time that it takes."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import typing
from collections.abc import Callable
from typing import Any

import pytest

from claude_sync.values import NamedTuple


class Point(NamedTuple):
    """A place on a map."""

    x: int
    y: int
    label: str = ""
    tags: tuple[str, ...] = ()

    @property
    def mirrored(self) -> Point:
        return Point(self.y, self.x)

    def __str__(self) -> str:
        return f"{self.x}/{self.y}"


class Typed(typing.NamedTuple):
    x: int
    y: int
    label: str = ""
    tags: tuple[str, ...] = ()


class Place(NamedTuple):
    """Of as many fields as a point, with other names and one other default."""

    north: int
    east: int
    height: int
    name: str = "sea"


def outcome(make: Callable[[], object]) -> object:
    """What a call returns as a plain tuple, or the error that it raises."""
    try:
        made = make()
    except Exception as error:  # noqa: BLE001 -- whichever it is, the other one raises it too
        return type(error)
    return tuple(made) if isinstance(made, tuple) else made


USES: dict[str, Callable[[Any], object]] = {
    "by position": lambda kind: kind(1, 2, "a", ("b",)),
    "by name": lambda kind: kind(y=2, x=1),
    "by both": lambda kind: kind(1, y=2, tags=("b",)),
    "with one too few": lambda kind: kind(1),
    "with one too many": lambda kind: kind(1, 2, "", (), 5),
    "with one twice": lambda kind: kind(1, 2, x=1),
    "with an unknown one": lambda kind: kind(1, 2, z=3),
    "from a row": lambda kind: kind._make(["1", "2", "3", "4"]),
    "from a short row": lambda kind: kind._make(["1", "2"]),
    "with one replaced": lambda kind: kind(1, 2)._replace(label="c"),
    "with an unknown one replaced": lambda kind: kind(1, 2)._replace(z="c"),
    "as a dictionary": lambda kind: kind(1, 2)._asdict(),
    "its fields": lambda kind: kind._fields,
    "its defaults": lambda kind: kind._field_defaults,
    "one field": lambda kind: kind(1, 2).y,
    "a field set": lambda kind: setattr(kind(1, 2), "x", 3),
    "something else set": lambda kind: setattr(kind(1, 2), "z", 3),
    "a field of the class": lambda kind: kind(1, 2).missing,
    "equal to a tuple": lambda kind: kind(1, 2) == (1, 2, "", ()),
    "its hash": lambda kind: hash(kind(1, 2)),
    "in order": lambda kind: kind(1, 2) < kind(1, 3),
    "copied": lambda kind: copy.copy(kind(1, 2)),
    "pickled": lambda kind: pickle.loads(pickle.dumps(kind(1, 2))),
    "its parameters": lambda kind: list(inspect.signature(kind).parameters),
}


@pytest.mark.parametrize("use", USES)
def test_a_value_is_what_typing_would_make_of_it(use: str) -> None:
    assert outcome(lambda: USES[use](Point)) == outcome(lambda: USES[use](Typed))


def test_a_value_copied_or_pickled_is_of_its_own_class() -> None:
    assert type(copy.copy(Point(1, 2))) is Point
    assert type(pickle.loads(pickle.dumps(Point(1, 2)))) is Point
    assert type(Point(1, 2)._replace(x=3)) is Point


def test_classes_with_as_many_fields_have_names_and_defaults_of_their_own() -> None:
    assert repr(Point(1, 2)) == "Point(x=1, y=2, label='', tags=())"
    assert repr(Place(1, 2, 3)) == "Place(north=1, east=2, height=3, name='sea')"
    assert Place(1, 2, height=7).height == 7
    assert not hasattr(Place(1, 2, 3), "x")


def test_a_value_has_the_methods_of_its_class() -> None:
    assert str(Point(1, 2)) == "1/2"
    assert Point(1, 2).mirrored == Point(2, 1)
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_an_error_names_the_class_and_its_fields() -> None:
    with pytest.raises(TypeError, match=r"Point\.__new__\(\) missing .* 'y'"):
        Point(1)  # type: ignore[call-arg]


def test_a_field_without_a_default_cannot_follow_one_that_has_one() -> None:
    fields = {"__annotations__": {"a": int, "b": int}, "a": 1}
    make: Any = type(NamedTuple)
    with pytest.raises(TypeError, match="defaults aren't the last"):
        make("Wrong", (NamedTuple,), fields)


def compiled_by(program: str) -> int:
    command = [sys.executable, "-c", program]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


MAKING = """
import sys, {module}
compiled = []
class First({module}.NamedTuple):
    x: "int"
    y: "int"
sys.addaudithook(lambda event, _: compiled.append(event) if event in ("compile", "exec") else None)
class Second({module}.NamedTuple):
    north: "int"
    east: "int"
print(len(compiled))
"""


def test_a_class_with_as_many_fields_as_another_compiles_nothing() -> None:
    made = {
        module: compiled_by(MAKING.format(module=module))
        for module in ("claude_sync.values", "typing")
    }
    assert made["claude_sync.values"] == 0
    assert made["typing"] > 0  # what is counted can be seen
