"""Which kinds of values may be compared, and what to write instead."""

from __future__ import annotations

import re
from datetime import date

from adapter.rules.expressions import calendar_ranges, syntax_tree
from adapter.rules.expressions.durations import duration_text, parse_window
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.functions import number
from adapter.rules.expressions.names import Names
from adapter.rules.expressions.typed_tree import Call, Compute, Constant, Kind, Node, Path
from adapter.rules.expressions.unparse import text
from adapter.rules.expressions.values import ABSENT

Checked = tuple[Node, Kind]

WORDS: dict[Kind, str] = {"boolean": "true or false", "number": "a number", "text": "text",
                          "timestamp": "a time", "duration": "a duration", "list": "a list",
                          "object": "an object", "null": "null", "any": "anything"}  # fmt: skip
_EQUAL = frozenset(("==", "!=", "in"))
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ORDERED = frozenset(("number", "text", "timestamp", "duration", "boolean"))


def mismatch(
    names: Names, tree: syntax_tree.Infix | syntax_tree.Choice, left: Checked, right: Checked
) -> ExpressionError:
    """Return the error of two values that must be alike and are not."""
    sides = f"`{text(left[0])}` is {WORDS[left[1]]} and `{text(right[0])}` is {WORDS[right[1]]}"
    if isinstance(tree, syntax_tree.Choice):
        return ExpressionError(f"{sides}; both results must be alike", "", tree.offset)
    remedy = f"`{tree.operator}` needs two of a kind"
    for (side, kind), (other, its_kind) in ((left, right), (right, left)):
        if (kind, its_kind) == ("text", "number"):
            remedy = _number(tree.operator, side, other)
        if (kind, its_kind) == ("text", "timestamp"):
            remedy = _moment(names, side)
        if its_kind == "duration":
            remedy = _length(side) or remedy
        if (kind, its_kind) == ("number", "timestamp") and (day := _day(side)):
            remedy = f'write `timestamp("{day}T00:00:00Z")`'
    return ExpressionError(sides, remedy, tree.offset)


def _number(operator: str, side: Node, other: Node) -> str:
    """Return how to compare a text with a number."""
    if isinstance(side, Constant):
        if number(side.value) is not ABSENT:
            return "leave the quotes out"
        named = calendar_ranges.called(other.function, side.value) if isinstance(other, Call) else ""
        return named or "write a number, without quotes"
    if day := _day(other):
        return f'write `"{day}"`'
    reading = f"`double({text(side)})` to read it as a number"
    if isinstance(other, Constant) and operator in _EQUAL:
        return f'write `"{text(other)}"` for text, or {reading}'
    return f"write {reading}"


def _moment(names: Names, side: Node) -> str:
    """Return how to read a text as a moment."""
    if isinstance(side, Constant) and _DAY.fullmatch(side.value):
        return f'write `timestamp("{side.value}T00:00:00Z")`'
    written = text(side)
    day = isinstance(side, Path) and names.is_date(side)
    return f"write `{at_midnight(written)}`" if day else f"write `timestamp({written})`"


def _length(side: Node) -> str:
    """Return how to write a constant as a length of time, empty where it says none."""
    window = parse_window(str(side.value)) if isinstance(side, Constant) and side.kind == "text" else None
    if window is not None:
        return f'write `duration("{duration_text(window)}")`'
    is_number = isinstance(side, Constant) and side.kind == "number"
    return 'write a duration, such as `duration("336h")` for 14 days' if is_number else ""


def _day(node: Node) -> str:
    """Return the day that is written without quotes, which is a subtraction then; empty for anything else."""
    match node:
        case Compute("-", Compute("-", Constant(int(year)), Constant(int(month))), Constant(int(day))):
            try:
                return date(year, month, day).isoformat()
            except ValueError:
                return ""
    return ""


def at_midnight(day: str) -> str:
    """Return how the first moment of a day is written, in UTC."""
    return f'timestamp({day} + "T00:00:00Z")'


def comparable(names: Names, tree: syntax_tree.Infix, left: Checked, right: Checked) -> None:
    """Raise unless two values may be compared."""
    kinds = {left[1], right[1]} - {"any"}
    if tree.operator in ("==", "!="):
        kinds -= {"null"}
    elif kinds - _ORDERED:
        wrong = left if left[1] in kinds - _ORDERED else right
        message = f"`{text(wrong[0])}` is {WORDS[wrong[1]]}, which has no order"
        raise ExpressionError(message, "use `==`, `!=` or `in`", tree.offset)
    if len(kinds) > 1:
        raise mismatch(names, tree, left, right)


def event_named(names: Names, tree: syntax_tree.Infix, left: Node, right: Node) -> None:
    """Raise where the event's name is compared with one that no event has: names are in snake_case."""
    for side, other in ((left, right), (right, left)):
        if side == Path("event", ("name",)) and isinstance(other, Constant):
            for one in other.value if other.kind == "list" else (other,):
                _expect_meant(names, tree, one)


def _expect_meant(names: Names, tree: syntax_tree.Infix, written: Constant) -> None:
    meant = names.spelled.meant(written.value) if isinstance(written.value, str) else written.value
    if meant != written.value:
        message = f"no event is named `{written.value}` when rules see it"
        raise ExpressionError(message, f'write `"{meant}"`', tree.offset)


def membership(names: Names, tree: syntax_tree.Infix, left: Checked, right: Checked) -> None:
    """Raise unless a value may be looked for in another one."""
    if right[1] not in ("list", "object", "any"):
        remedy = f"write `[{text(right[0])}]`, or `.contains(…)` to look into text"
        raise ExpressionError(
            f"`in` needs a list, and `{text(right[0])}` is {WORDS[right[1]]}", remedy, tree.offset
        )
    if isinstance(right[0], Constant) and right[0].value:
        kinds = {one.kind for one in right[0].value}
        if left[1] != "any" and left[1] not in kinds:
            example = right[0].value[0]
            raise mismatch(names, tree, left, (example, example.kind))
