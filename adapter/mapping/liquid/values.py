"""Values as liquidjs sees them: how they print, count as numbers, and have members."""

from __future__ import annotations

import math
from typing import Any, Final

from adapter.mapping.engine import javascript
from adapter.mapping.engine.values import UNDEFINED, is_number


class Literal:
    """One of the words `null`, `empty` and `blank` in a template: each has its own meaning in comparisons."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: str | None) -> None:
        self.name = name
        self.value = value


NULL: Final = Literal("null", None)
EMPTY: Final = Literal("empty", "")
BLANK: Final = Literal("blank", "")
#: A character that a name may have; above ASCII every one that is no blank and no typographic quote.
WORD = "A-Za-z0-9_?\\-\u0080-\u009f\u00a1-\u167f\u1681-\u180d\u180f-\u1fff\u200b-\u201b\u201e-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\U0010ffff"  # noqa: E501
BLANKS = "\t\n\v\f\r \xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # noqa: E501


def plain(value: Any) -> Any:
    """Return the value that a literal means, every other value as it is."""
    return value.value if type(value) is Literal else value


def is_nil(value: Any) -> bool:
    """Tell whether the value is undefined or null."""
    return value is None or value is UNDEFINED


def is_false(value: Any) -> bool:
    """Tell whether the value counts as false: only undefined, null and `false` do."""
    value = plain(value)
    return value is False or value is None or value is UNDEFINED


def shown(value: Any) -> str:
    """Return the value as an output prints it: arrays run together, objects as `[object Object]`."""
    if type(value) is str:
        return value
    value = plain(value)
    if is_nil(value):
        return ""
    return "".join(map(shown, value)) if type(value) is list else javascript.text(value)


def number(value: Any) -> float:
    """Return `Number(value)`, which may be NaN."""
    value = plain(value)
    if type(value) is list:
        value = javascript.text(value)
    return javascript.to_number(value)


def number_or_zero(value: Any) -> float:
    """Return `Number(value) || 0`, as the filters of arithmetic take their values."""
    made = number(value)
    return 0.0 if math.isnan(made) else made


def integer(value: Any) -> float:
    """Return the whole number that JavaScript takes as an index: cut towards zero, NaN as 0."""
    made = number_or_zero(value)
    return float(math.trunc(made)) if math.isfinite(made) else made


def units(text: str) -> str:
    """Return the text with one character for each UTF-16 unit."""
    return text if text.isascii() else javascript.code_units(text)


def items(value: Any) -> list[Any]:
    """Return the value as a list, as filters of lists take it: one value is a list of one."""
    value = plain(value)
    if is_nil(value):
        return []
    return value if type(value) is list else [value]


def length(value: Any) -> Any:
    """Return `value.length`, which an object may have as a member."""
    if type(value) is str:
        return javascript.length(value)
    if type(value) is list:
        return len(value)
    return value.get("length", UNDEFINED) if type(value) is dict else UNDEFINED


def element(value: Any, index: float) -> Any:
    """Return `value[index]` of an array, text or object; from the end where the index is negative."""
    if index < 0:
        index += number(length(value))
    return own(value, index)


def own(value: Any, key: Any) -> Any:
    """Return the member that the value itself has, not one that it inherits."""
    if type(value) is dict:
        return value.get(javascript.text(key), UNDEFINED)
    if type(value) is str:
        value = units(value)
    elif type(value) is not list:
        return UNDEFINED
    name = javascript.text(key)
    if name == "length":
        return len(value)
    return value[int(name)] if javascript.is_array_index(name) and int(name) < len(value) else UNDEFINED


def member(value: Any, key: Any) -> Any:
    """Return the member of a path's step: own members, and `size`, `first` and `last`."""
    key = plain(key)
    if is_nil(value):
        return value
    if type(value) is list and is_number(key):
        return element(value, key)
    found = own(value, key)
    if found is not UNDEFINED or type(key) is not str:
        return found
    if key == "size":
        return len(value) if type(value) is dict else length(value)
    if type(value) is list and key in ("first", "last"):
        return element(value, 0 if key == "first" else -1)
    return UNDEFINED
