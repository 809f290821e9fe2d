"""What each condition of a rule says of one event, and what is missing for those that do not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from adapter.rules.expressions import (
    All,
    EvaluationContext,
    Node,
    Shortfall,
    compile_misses,
    compile_shortfalls,
    compile_truth,
    shortfall_sentence,
    text,
)


class NearMiss(Struct, frozen=True):
    """How far one comparison is from holding: `cart_value is 107.50, needs 120: 12.50 more` in words."""

    shortfall: Shortfall
    sentence: str


class ConditionVerdict(Struct, frozen=True, omit_defaults=True):
    """Whether one condition holds; `condition` is its expression, `reason` says why it does not."""

    condition: str
    holds: bool
    reason: str = ""
    missing: list[NearMiss] = []


#: Says of a view what each condition of one rule says.
Conditions = Callable[[EvaluationContext], list[ConditionVerdict]]
#: Says of a view whether each condition of one rule holds.
Holding = Callable[[EvaluationContext], list[bool]]


def compile_conditions(node: Node) -> Conditions:
    """Return the function that judges each of a rule's conditions; it never raises."""
    parts = [
        (text(part), compile_truth(part, True), compile_misses(part), compile_shortfalls(part))
        for part in conditions_of(node)
    ]

    def verdicts(view: EvaluationContext) -> list[ConditionVerdict]:
        found = []
        for condition, holds, misses, shortfalls in parts:
            if holds(view):
                found.append(ConditionVerdict(condition, holds=True))
            else:
                missing = list(map(near_miss, shortfalls(view)))
                found.append(ConditionVerdict(condition, False, "; ".join(misses(view)), missing))
        return found

    return verdicts


def compile_holding(node: Node) -> Holding:
    """Return the function that says of each of a rule's conditions whether it holds; it never raises."""
    parts = [compile_truth(part, True) for part in conditions_of(node)]
    return lambda view: [holds(view) for holds in parts]


def near_miss(shortfall: Shortfall) -> NearMiss:
    """Return a shortfall with its sentence."""
    return NearMiss(shortfall, shortfall_sentence(shortfall))


def conditions_of(node: Node) -> Iterator[Node]:
    """Yield the conditions all of which must hold, in the order in which they are written."""
    if isinstance(node, All):
        for part in node.parts:
            yield from conditions_of(part)
    else:
        yield node
