"""What reads a time's clock and calendar: between which numbers each counts, and what some are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.rules.expressions.dependencies import children
from adapter.rules.expressions.typed_tree import Call, Compare, Constant, Node

#: The least and the greatest number that each gives; of a year there is none.
RANGES: dict[str, tuple[int, int]] = {
    "getMonth": (0, 11), "getDate": (1, 31), "getDayOfMonth": (0, 30), "getDayOfWeek": (0, 6),
    "getDayOfYear": (0, 365), "getHours": (0, 23), "getMinutes": (0, 59), "getSeconds": (0, 59),
}  # fmt: skip
_CALLED: dict[str, tuple[str, ...]] = {
    "getMonth": ("January", "February", "March", "April", "May", "June", "July", "August", "September",
                 "October", "November", "December"),
    "getDayOfWeek": ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
}  # fmt: skip
_SHORTEST = 3


def called(function: str, word: str) -> str:
    """Return what to write for the month or weekday that a word names, empty where it names none."""
    for number, name in enumerate(_CALLED.get(function, ())):
        if len(word) >= _SHORTEST and name.lower().startswith(word.lower()):
            return f"write {number}, which is {name}"
    return ""


def counted(function: str) -> str:
    """Return how it counts: `0 is January, 11 is December`."""
    least, most = RANGES[function]
    names = _CALLED.get(function)
    if names:
        return f"{least} is {names[least]}, {most} is {names[most]}"
    return f"write a number from {least} to {most}"


def strays(node: Node) -> Iterator[tuple[str, Any]]:
    """Yield what reads and the number, where one is compared with what it never gives, also in definitions.

    `getHours() < 24` is no mistake: it names the end of what is given.
    """
    match node:
        case Compare(operator, Call(function), Constant() as constant) if function in RANGES:
            least, most = RANGES[function]
            low, high = least - (operator == ">"), most + (operator == "<")
            numbers = [one.value for one in constant.value] if operator == "in" else [constant.value]
            yield from ((function, number) for number in numbers if _is_beyond(number, low, high))
    for child in children(node):
        yield from strays(child)


def _is_beyond(number: Any, low: int, high: int) -> bool:
    counts = isinstance(number, int | float) and not isinstance(number, bool)
    return counts and not low <= number <= high
