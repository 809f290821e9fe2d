"""Conditions that Segment reads just as they are written, and that are hardly meant so."""

from __future__ import annotations

import math

from adapter.mapping.engine.javascript import to_number
from adapter.mapping.subscriptions.ast import Condition, Group

#: Position in the text, message, remedy.
Remark = tuple[int, str, str]

_CAPITALS = ("Segment skips a connector in capitals, and joins the conditions by `and`", "write `and`")
_NESTING = ("properties", "traits", "context")
_ORDERING = ("<", "<=", ">", ">=")


def lint(ast: Group | Condition) -> list[Remark]:
    """Return what a subscription's author should look at again; none of it changes what matches."""
    if isinstance(ast, Group):
        capitals = [(place, *_CAPITALS) for place in ast.capitals]
        return capitals + [warning for child in ast.children for warning in lint(child)]
    found = _finding(ast)
    return [(ast.position, *found)] if found else []


def _finding(condition: Condition) -> tuple[str, str] | None:
    field, operator, value = condition.field, condition.operator, condition.value
    if operator in _ORDERING and (field == "type" or math.isnan(to_number(value))):
        whole = f"{field}.{condition.name}" if condition.name not in ("", field) else field
        return f"`{whole} {operator} {value}` never holds", "compare with a number"
    if operator in _ORDERING and field not in _NESTING:
        return f"`{field}` is text, and `{operator}` holds for numbers only", "compare with = or contains"
    if operator in ("=", "!=") and field in ("type", "event") and value in ("null", "true", "false"):
        return f'`{value}` is the text "{value}" here', f'leave it out, or write "{value}" for the text'
    if field in _NESTING and condition.name == field:
        return f"`{field}` alone means {field}.{field}", f"write {field} and a name"
    return None
