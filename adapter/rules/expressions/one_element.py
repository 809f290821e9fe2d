"""What a condition sees of one element alone: an item of an order, or a past event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from adapter.rules.expressions.evaluation_context import EvaluationContext
from adapter.rules.expressions.typed_tree import Path
from adapter.rules.expressions.values import select, settled


def one_element(members: Mapping[str, Any]) -> EvaluationContext:
    """Return what a condition sees whose paths all have the root `element` and begin with its name."""
    return cast("EvaluationContext", _OneElement(members))


class _OneElement:
    __slots__ = ("values",)

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.values = _Values(members)


class _Values(dict[Path, Any]):
    __slots__ = ("members",)

    def __init__(self, members: Mapping[str, Any]) -> None:
        super().__init__()
        self.members = dict(members)

    def __missing__(self, key: Path) -> Any:
        value: Any = self.members
        for field in key.fields[1:]:
            value = settled(select(value, field))
        return value
