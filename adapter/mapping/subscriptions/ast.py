"""Subscriptions as values."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Field = Literal["type", "event", "name", "userId", "properties", "traits", "context"]
Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=", "number_equals", "number_not_equals", "exists", "not_exists",
    "is_true", "is_false", "contains", "not_contains", "starts_with", "not_starts_with", "ends_with",
    "not_ends_with", "spelled",
]  # fmt: skip


class Condition(Struct, frozen=True):
    """One test of one field; `name` is the path below properties, traits or context.

    `value` is None where the operator takes none; `position` is its offset in the text. `spelled` is
    ours, of the names that a mapping lists under `events`, and `position` the place in that list: FQL has no
    such test.
    """

    field: Field
    operator: Operator
    value: str | float | bool | None = None
    name: str = ""
    position: int = 0


class Group(Struct, frozen=True):
    """Conditions of which all (`and`) or any (`or`) must hold.

    `capitals` are the places of an `and` in capitals, which Segment skips and so reads as `and`.
    """

    operator: Literal["and", "or"]
    children: tuple[Group | Condition, ...]
    capitals: tuple[int, ...] = ()
