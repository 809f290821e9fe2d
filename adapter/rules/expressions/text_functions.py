"""Functions of text: CEL's own and its strings extension (cel-go ext/README.md "Strings"); none can raise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from adapter.rules.expressions.function_contract import LIST, NUMBER, TEXT, Function
from adapter.rules.expressions.values import ABSENT, MAX_ELEMENTS, NUMBERS, exact, settled

#: The longest text that a function makes; what would be longer is an error.
MAX_TEXT: Final = 1_000_000
#: Unicode's White_Space; Python's own strip() also takes control characters.
_SPACES = (0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_BLANK = "".join(map(chr, (*range(0x9, 0xE), *_SPACES)))
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


def _on_text(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is ABSENT unless all its arguments are text."""

    def guarded(*values: Any) -> Any:
        return run(*values) if all(value.__class__ is str for value in values) else ABSENT

    return guarded


def whole_number(value: Any) -> int | None:
    """Return a number as int where it is whole, else None."""
    if value.__class__ not in NUMBERS:
        return None
    number = exact(value)
    return number if number.__class__ is int else None


def split(value: Any, separator: Any, most: Any = -1) -> Any:
    """Split a text, into at most so many parts where that is not negative."""
    limit = whole_number(most)
    if value.__class__ is not str or separator.__class__ is not str or limit is None:
        return ABSENT
    if limit == 0:
        return []
    if not separator:
        parts = list(value) if limit < 0 else [*value[: limit - 1], *filter(None, (value[limit - 1 :],))]
    else:
        parts = value.split(separator, min(limit - 1, len(value)) if limit > 0 else -1)
    return parts if len(parts) <= MAX_ELEMENTS else ABSENT


def joined(value: Any, separator: Any = "") -> Any:
    """Join a list of texts."""
    if value.__class__ not in (list, tuple) or separator.__class__ is not str or len(value) > MAX_ELEMENTS:
        return ABSENT
    if any(part.__class__ is not str for part in value):
        return ABSENT
    if sum(map(len, value)) + len(separator) * len(value) > MAX_TEXT:
        return ABSENT
    return separator.join(value)


def replaced(value: Any, old: Any, new: Any, most: Any = -1) -> Any:
    """Replace a part of a text wherever it is, at most so many times where that is not negative."""
    limit = whole_number(most)
    if not value.__class__ is old.__class__ is new.__class__ is str or limit is None:
        return ABSENT
    found = value.count(old) if limit < 0 else min(value.count(old), limit)
    if len(value) + found * (len(new) - len(old)) > MAX_TEXT:
        return ABSENT
    return value.replace(old, new, found)


def substring(value: Any, start: Any, end: Any = None) -> Any:
    """Return the characters from a place up to before another, counted from 0; outside it is an error."""
    if value.__class__ is not str:
        return ABSENT
    first, last = whole_number(start), len(value) if end is None else whole_number(end)
    if first is None or last is None or not 0 <= first <= last <= len(value):
        return ABSENT
    return value[first:last]


def string(value: Any) -> Any:
    """Return a value as text: numbers as short as they are exact, times as RFC 3339, durations in seconds."""
    value = settled(value)
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ in NUMBERS:
        number = exact(value)
        return str(number) if number.__class__ is int else _decimal(value)
    if value.__class__ is datetime:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if value.__class__ is timedelta:
        return f"{_decimal(Fraction(value // timedelta(microseconds=1), 1_000_000))}s"
    return value if value.__class__ is str else ABSENT


def _decimal(number: float | Fraction) -> Any:
    """Return a number without an exponent; ABSENT for one that has no decimal form."""
    short = float(number)
    if isinstance(number, Fraction) and exact(short) != number:
        return ABSENT
    text = f"{short:.20f}".rstrip("0").rstrip(".") if abs(short) < 1e-4 else repr(short)
    return text.removesuffix(".0")


def _translated(table: dict[int, int]) -> Callable[[Any], Any]:
    return lambda value: value.translate(table) if value.__class__ is str else ABSENT


TEXT_FUNCTIONS: dict[str, Function] = {
    "startsWith": Function(_on_text(str.startswith), (TEXT, TEXT), "boolean"),
    "endsWith": Function(_on_text(str.endswith), (TEXT, TEXT), "boolean"),
    "contains": Function(_on_text(str.__contains__), (TEXT, TEXT), "boolean"),
    "lowerAscii": Function(_translated(_LOWER), (TEXT,), "text"),
    "upperAscii": Function(_translated(_UPPER), (TEXT,), "text"),
    "trim": Function(_on_text(lambda value: value.strip(_BLANK)), (TEXT,), "text"),
    "split": Function(split, (TEXT, TEXT, NUMBER), "list", optional=1),
    "join": Function(joined, (LIST, TEXT), "text", optional=1),
    "replace": Function(replaced, (TEXT, TEXT, TEXT, NUMBER), "text", optional=1),
    "substring": Function(substring, (TEXT, NUMBER, NUMBER), "text", optional=1),
    "string": Function(
        string, (("text", "number", "boolean", "timestamp", "duration"),), "text", method=False, free=True
    ),
}
