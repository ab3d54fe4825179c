"""Frozen values with named fields: `typing.NamedTuple`, made in a tenth of the time.

Every start pays for making the classes of its values, and typing compiles a function for each class
and an expression for each of its fields. Here one namedtuple is made for each number of fields; a
class of as many takes its parts over, under the names of its own fields.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeVar

    _V = TypeVar("_V", bound="_Value")  # at run time its bound would be compiled, too


class _Parts:
    """What classes with the same number of fields have in common."""

    def __init__(self, count: int) -> None:
        names = [f"field_{number}" for number in range(count)]
        alike: Any = namedtuple("alike", names)  # type: ignore[misc]
        self.code = alike.__new__.__code__
        self.globals = alike.__new__.__globals__
        self.getters = [vars(alike)[name] for name in names]

    def constructor(self, name: str, fields: tuple[str, ...], defaults: Mapping[str, Any]) -> Any:
        """A function that takes these fields, by position or by name, and makes the value."""
        code = self.code.replace(co_varnames=("_cls", *fields))
        made = FunctionType(code, self.globals, "__new__", tuple(defaults.values()))
        made.__qualname__ = f"{name}.__new__"
        return made


_parts = lru_cache(maxsize=None)(_Parts)


class _ValueType(type):
    """Makes a class of values from its annotations."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _ValueType:
        if bases == (tuple,):  # `_Value` itself
            return super().__new__(cls, name, bases, namespace)
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace[field] for field in fields if field in namespace}
        if fields[len(fields) - len(defaults) :] != tuple(defaults):
            raise TypeError(f"of {name}'s fields, those with defaults aren't the last")
        parts = _parts(len(fields))
        namespace.update(zip(fields, parts.getters, strict=True))
        namespace["__new__"] = parts.constructor(name, fields, defaults)
        namespace["__slots__"] = ()
        namespace["__match_args__"] = namespace["_fields"] = fields
        namespace["_field_defaults"] = defaults
        return super().__new__(cls, name, bases, namespace)


class _Value(tuple[Any, ...], metaclass=_ValueType):
    """What all values can do, as typing's and the collections' can."""

    __slots__ = ()

    _fields: tuple[str, ...]

    @classmethod
    def _make(cls: type[_V], values: Iterable[Any]) -> _V:
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"{cls.__name__} has {len(cls._fields)} fields, not {len(made)}")
        return made

    def _replace(self: _V, **changes: Any) -> _V:
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"{type(self).__name__} has no fields {list(changes)}")
        return made

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        fields = ", ".join(
            f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True)
        )
        return f"{type(self).__name__}({fields})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    NamedTuple = _Value
