"""Are the fields of what was read of the types that they are declared with? JSON of an imported record may hold anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def well_typed(value: Any) -> bool:
    """Whether each field of a dataclass, and of those in it, is what its annotation says."""
    return all(_fits(getattr(value, name), hint) for name, hint in _hints(type(value)).items())  # type: ignore[arg-type]


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}


def _fits(value: object, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        expected = [inner[0]] * len(value) if inner[-1] is ... else list(inner)
        return len(expected) == len(value) and all(map(_fits, value, expected))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_fits(k, inner[0]) and _fits(v, inner[1]) for k, v in value.items())
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return isinstance(value, origin) and all(_fits(each, inner[0]) for each in value)
    if origin is not None:
        # Literals and others that name their values.
        return value in inner
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint) and (not is_dataclass(value) or well_typed(value))
