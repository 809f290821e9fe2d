"""JavaScript's view of JSON values: types, truth, and the value that is not there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final


class _Undefined:
    """JavaScript's `undefined`: a value that is not there, as against `null`, which is None."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final[Any] = _Undefined()

_TYPES: dict[type, str] = {
    dict: "object", list: "array", tuple: "array", str: "string", bool: "boolean",
    int: "number", float: "number", Decimal: "number", type(None): "null", _Undefined: "undefined",
}  # fmt: skip


def type_of(value: Any) -> str:
    """Return the type's name as the reference's messages print it: object, array, null, …"""
    return _TYPES.get(type(value)) or type(value).__name__


def is_number(value: Any) -> bool:
    """Tell whether JavaScript's `typeof` says number; booleans are none."""
    return _TYPES.get(type(value)) == "number"


def is_truthy(value: Any) -> bool:
    """Tell whether JavaScript takes the value as true: empty objects and arrays are."""
    if type(value) is dict or type(value) is list:
        return True
    return bool(value) and value == value  # NaN is false  # noqa: PLR0124


def remove_undefined(value: Any) -> Any:
    """Return a copy without undefined members at any depth; inside arrays undefined stays."""
    if type(value) is dict:
        return {key: remove_undefined(item) for key, item in value.items() if item is not UNDEFINED}
    if type(value) is list:
        return [remove_undefined(item) for item in value]
    return value


def as_json(value: Any) -> Any:
    """Return what `JSON.parse(JSON.stringify(value))` leaves: undefined in arrays becomes null."""
    if type(value) is dict:
        return {key: as_json(item) for key, item in value.items() if item is not UNDEFINED}
    if type(value) is list:
        return [as_json(item) for item in value]
    return None if value is UNDEFINED else value
