"""Interning: equal nodes are one object, so that equality is identity and hashing costs nothing.

A class with the metaclass `Interned` keeps a weak table from the values *and types* of its fields (1, True and 1.0 are
equal in Python) to the only instance with these fields. Trees of such nodes are therefore shared graphs from the
start: emission may build the same subformula a thousand times and owns it once (hash-consing; Ershov 1958).
"""

from __future__ import annotations

import dataclasses
import weakref
from typing import Any


class _Entry(weakref.ref[Any]):
    """A weak reference that knows its key in the table."""

    __slots__ = ("key",)
    key: tuple[object, ...]


class Interned(type):
    """The metaclass of interned dataclasses: calling the class returns the existing instance if there is one."""

    _table: dict[tuple[object, ...], _Entry]
    _fields: tuple[dataclasses.Field[Any], ...] | None
    _forget: staticmethod[[Any], None]

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(name, bases, namespace, **kwargs)
        table: dict[tuple[object, ...], _Entry] = {}

        def forget(dead: Any) -> None:
            key = dead.key
            if table.get(key) is dead:
                del table[key]

        cls._table, cls._forget = table, staticmethod(forget)
        cls._fields = None

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        fields = cls._fields
        if fields is None:
            fields = cls._fields = tuple(field for field in dataclasses.fields(cls) if field.init)  # type: ignore[arg-type]
        if kwargs or len(args) != len(fields):
            args = _complete(cls, fields, args, kwargs)
        key = (*args, *map(type, args))
        table = cls._table
        entry = table.get(key)
        if entry is not None and (known := entry()) is not None:
            return known
        made = super().__call__(*args)
        object.__setattr__(made, "free", made._free())
        fresh = _Entry(made, cls._forget)
        fresh.key = key
        table[key] = fresh
        return made


def _complete(
    cls: type, fields: tuple[dataclasses.Field[Any], ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """Put keyword arguments and defaults in the order of the fields."""
    values = dict(zip((field.name for field in fields), args, strict=False))
    known = {field.name for field in fields}
    if len(args) > len(fields) or kwargs.keys() - known or kwargs.keys() & values.keys():
        raise TypeError(f"{cls.__name__} has the fields {', '.join(sorted(known))}")
    values.update(kwargs)
    complete = []
    for field in fields:
        if field.name in values:
            complete.append(values[field.name])
        elif field.default is not dataclasses.MISSING:
            complete.append(field.default)
        else:
            raise TypeError(f"{cls.__name__} needs the field `{field.name}`")
    return tuple(complete)


_EMPTY: frozenset[str] = frozenset()


class Node(metaclass=Interned):
    """A node of a formula. `free` is the set of its free variables, known from construction."""

    __slots__ = ("__weakref__", "free")
    free: frozenset[str]

    def _free(self) -> frozenset[str]:
        return _EMPTY

    def __reduce__(self) -> tuple[Any, ...]:
        fields = type(self)._fields or ()
        return type(self), tuple(getattr(self, field.name) for field in fields)

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: object) -> Node:
        return self


def union(sets: list[frozenset[str]]) -> frozenset[str]:
    """Unite sets of variables, returning an existing set where one of them is the union."""
    result = _EMPTY
    for one in sets:
        if one is not result and not one <= result:
            result = one if result <= one else result | one
    return result
