"""Values at run time, and the operations on them that cannot raise.

Numbers are one type: int, float and, out of arithmetic, Fraction, compared by value. Arithmetic is exact:
a float means its shortest decimal, so 0.1 + 0.2 is 0.3 and money stays money. A value
that is missing, not finite, or of the wrong type makes every operation on it ABSENT, which is CEL's error.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import prod
from types import NoneType
from typing import Any, Final

from adapter.rules.expressions.typed_tree import Kind

#: The longest array that a condition looks into; a longer one is an error, which holds nothing.
MAX_ELEMENTS = 1000
#: How many elements macros inside each other look at: a list of 100 within a list of 100.
MAX_VISITS = 10_000
_MAX_NESTING = 64
_MAX_BITS = 4096
_MAX_DIGITS = 300


class Nothing:
    """A value that is not there, or not usable."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return self.reason


ABSENT: Final = Nothing("missing")
#: Present, but nothing that conditions know: NaN, an infinity, a time without its zone.
UNUSABLE: Final = Nothing("not a usable value")

NUMBERS: frozenset[Any] = frozenset((int, float, Fraction))
_KINDS: dict[type, Kind] = {bool: "boolean", int: "number", float: "number", Fraction: "number", str: "text",
                            datetime: "timestamp", timedelta: "duration", list: "list", tuple: "list",
                            dict: "object", NoneType: "null"}  # fmt: skip
_PLAIN = frozenset((str, int, bool, list, tuple, dict, NoneType, timedelta, Nothing))
#: Two values of one of these are equal as Python has it.
_SCALARS = frozenset((str, int, bool))
ORDERED = frozenset(("number", "text", "timestamp", "duration", "boolean"))


def kind_of(value: Any) -> Kind | None:
    """Return what a value is, None when it is nothing usable."""
    return _KINDS.get(value.__class__)


def settled(value: Any) -> Any:
    """Return a value as read: Decimals as numbers; NaN, infinities and unknown types as UNUSABLE."""
    cls = value.__class__
    if cls in _PLAIN:
        return value
    if cls is float:
        return value if value - value == 0 else UNUSABLE
    if cls is Decimal:
        if not value.is_finite() or value.adjusted() > _MAX_DIGITS:
            return UNUSABLE
        return settled(int(value) if value == value.to_integral_value() else float(value))
    if cls is datetime:
        return value if value.utcoffset() is not None else UNUSABLE
    return _decimal(value) if cls is Fraction else UNUSABLE


def _decimal(value: Fraction) -> Any:
    """Return a fraction as the int or float that means exactly it, where there is one."""
    if value.denominator == 1:
        return value.numerator
    if abs(value) > 2**63:
        return value
    near = float(value)
    return near if exact(near) == value else value


def select(value: Any, field: Any) -> Any:
    """Return a field of an object."""
    return value[field] if value.__class__ is dict and field in value else ABSENT


def item(value: Any, index: Any) -> Any:
    """Return an element of a list by whole number, or a field of an object by text."""
    if value.__class__ is dict:
        return settled(select(value, index)) if index.__class__ is str else ABSENT
    if value.__class__ is float or value.__class__ not in (list, tuple) or index.__class__ not in NUMBERS:
        return ABSENT
    return settled(value[int(index)]) if index == int(index) and 0 <= index < len(value) else ABSENT


def elements(value: Any, *around: Sequence[Any]) -> Sequence[Any] | None:
    """Return what a macro walks over: a list's elements, an object's keys; None for anything else.

    `around` is what the macros around walk over: together they look at MAX_VISITS elements at most.
    """
    if value.__class__ not in (list, tuple, dict) or len(value) > MAX_ELEMENTS:
        return None
    if around and len(value) * prod(map(len, around)) > MAX_VISITS:
        return None
    return [settled(element) for element in value]


def pairs(value: Any, *around: Sequence[Any]) -> Sequence[tuple[Any, Any]] | None:
    """Return what a macro of two variables walks over: index and element, or key and value; None as above."""
    if elements(value, *around) is None:
        return None
    named = value.items() if value.__class__ is dict else enumerate(value)
    return [(key, settled(each)) for key, each in named]


def equal(left: Any, right: Any) -> Any:
    """Compare two values of one kind; of two kinds ABSENT: text is never unequal to a number, just wrong."""
    cls = left.__class__
    if cls is right.__class__ and cls in _SCALARS:
        return left == right
    kind = kind_of(left)
    if kind is None or kind != kind_of(right):
        return ABSENT
    return _same(left, right, 0)


def _same(left: Any, right: Any, depth: int) -> bool:
    left, right = settled(left), settled(right)
    kind = kind_of(left)
    if kind is None or kind != kind_of(right) or depth > _MAX_NESTING:
        return False
    if kind == "number":
        return bool(_even(left, right) == _even(right, left))
    if kind == "list":
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(_same(one, other, depth + 1) for one, other in pairs)
    if kind == "object":
        return left.keys() == right.keys() and all(_same(left[key], right[key], depth + 1) for key in left)
    return bool(left == right)


def _even(value: Any, other: Any) -> Any:
    return exact(value) if other.__class__ is Fraction else value


def less(left: Any, right: Any) -> Any:
    """Tell whether left is below right, both of one ordered kind."""
    kind = kind_of(left)
    if kind not in ORDERED or kind != kind_of(right):
        return ABSENT
    return _even(left, right) < _even(right, left)


def contains(value: Any, collection: Any) -> Any:
    """Tell whether a list has the value, or an object the key."""
    if value.__class__ is Nothing:
        return ABSENT
    if collection.__class__ is dict:
        return value in collection if value.__class__ is str else ABSENT
    if collection.__class__ not in (list, tuple) or len(collection) > MAX_ELEMENTS:
        return ABSENT
    return any(_same(value, element, 0) for element in collection)


def exact(number: Any) -> Any:
    """Return a number as int or Fraction: a float as the shortest decimal that means it."""
    if number.__class__ is float:
        return int(number) if number.is_integer() else Fraction(Decimal(repr(number)))
    return number


def _reduced(number: Any) -> Any:
    if number.__class__ is Fraction:
        if number.denominator == 1:
            number = number.numerator
        elif number.denominator.bit_length() > _MAX_BITS:
            return ABSENT
        else:
            return number if number.numerator.bit_length() <= _MAX_BITS else ABSENT
    return number if number.bit_length() <= _MAX_BITS else ABSENT


def added(numbers: Sequence[Any]) -> Any:
    """Return the sum of exact numbers, ABSENT where it is too long."""
    return settled(_reduced(sum(numbers)))


def _are_numbers(left: Any, right: Any) -> bool:
    return left.__class__ in NUMBERS and right.__class__ in NUMBERS


def add(left: Any, right: Any) -> Any:
    """Add numbers, times and durations; join texts and lists."""
    if _are_numbers(left, right):
        return _reduced(exact(left) + exact(right))
    kinds = (kind_of(left), kind_of(right))
    if kinds == ("text", "text"):
        return left + right
    if kinds == ("list", "list"):
        return [*left, *right]
    if kinds in (("timestamp", "duration"), ("duration", "timestamp"), ("duration", "duration")):
        try:
            return left + right
        except OverflowError:
            return ABSENT
    return ABSENT


def subtract(left: Any, right: Any) -> Any:
    """Subtract numbers, times and durations."""
    if _are_numbers(left, right):
        return _reduced(exact(left) - exact(right))
    kinds = (kind_of(left), kind_of(right))
    if kinds in (("timestamp", "duration"), ("timestamp", "timestamp"), ("duration", "duration")):
        try:
            return left - right
        except OverflowError:
            return ABSENT
    return ABSENT


def multiply(left: Any, right: Any) -> Any:
    """Multiply numbers."""
    return _reduced(exact(left) * exact(right)) if _are_numbers(left, right) else ABSENT


def divide(left: Any, right: Any) -> Any:
    """Divide numbers, without rounding: 1 / 2 is 0.5."""
    if not _are_numbers(left, right) or right == 0:
        return ABSENT
    return _reduced(Fraction(exact(left)) / exact(right))


def remainder(left: Any, right: Any) -> Any:
    """Return the remainder of whole numbers, with the sign of the left one, as CEL does."""
    if not _are_numbers(left, right) or right == 0:
        return ABSENT
    one, other = _reduced(Fraction(exact(left))), _reduced(Fraction(exact(right)))
    if one.__class__ is not int or other.__class__ is not int:
        return ABSENT
    rest = abs(one) % abs(other)
    return -rest if one < 0 else rest


def negate(number: Any) -> Any:
    """Return minus a number."""
    return -number if number.__class__ in NUMBERS else ABSENT


def both(*parts: Any) -> Any:
    """Return `&&` over true, false and anything else (an error): false wins."""
    if any(part is False for part in parts):
        return False
    return all(part is True for part in parts) or ABSENT


def either(*parts: Any) -> Any:
    """Return `||` over true, false and anything else (an error): true wins."""
    if any(part is True for part in parts):
        return True
    return False if all(part is False for part in parts) else ABSENT


def opposite(truth: Any) -> Any:
    """Return `!`."""
    return not truth if truth.__class__ is bool else ABSENT


def among(value: Any, items: Sequence[Any], kinds: frozenset[Kind]) -> Any:
    """Tell whether the value is one of the constants; of another kind than all of them it is ABSENT."""
    if items and kind_of(value) not in kinds:
        return ABSENT
    return contains(value, items)


def is_null(value: Any) -> Any:
    """Tell whether a value that is there is null."""
    return ABSENT if value.__class__ is Nothing else value is None


def has(value: Any, field: str) -> Any:
    """Tell whether an object has a field."""
    return field in value if value.__class__ is dict else ABSENT


def listed(*items: Any) -> Any:
    """Return a list of values, ABSENT when one is."""
    return ABSENT if any(one.__class__ is Nothing for one in items) else list(items)


def keyed(keys: Sequence[Any], items: Sequence[Any]) -> Any:
    """Return an object of keys and values; ABSENT when a value is, or a key is no text."""
    if any(one.__class__ is Nothing for one in items) or any(key.__class__ is not str for key in keys):
        return ABSENT
    return dict(zip(keys, items, strict=True))


def exactly_one(truths: Sequence[Any]) -> Any:
    """Tell whether one of the truths is true; ABSENT when one is an error."""
    if any(truth.__class__ is not bool for truth in truths):
        return ABSENT
    return truths.count(True) == 1


def kept(values: Sequence[Any], truths: Sequence[Any]) -> Any:
    """Return the values whose truth is true; ABSENT when one is an error."""
    if any(truth.__class__ is not bool for truth in truths):
        return ABSENT
    return [value for value, truth in zip(values, truths, strict=True) if truth]
