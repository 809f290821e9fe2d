"""How far comparisons with a number are from holding: `cart_value` is 87.5, needs at least 100, so 12.5 more.

Parts that compare nothing with a number have no distance: `explain` says in words why they do not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from msgspec import Struct

from adapter.rules.expressions.compiler import Test, compile_truth
from adapter.rules.expressions.evaluation_context import EvaluationContext
from adapter.rules.expressions.explain_sentences import name_of
from adapter.rules.expressions.typed_tree import (
    All,
    AnyOf,
    Compare,
    Constant,
    Defined,
    Metric,
    Node,
    Not,
    Path,
    plain,
)
from adapter.rules.expressions.values import kind_of, settled

Bound = Literal["at_least", "more_than", "at_most", "less_than", "exactly"]
_BOUNDS: dict[str, Bound] = {
    ">=": "at_least",
    ">": "more_than",
    "<=": "at_most",
    "<": "less_than",
    "==": "exactly",
}
_DENIED = {">=": "<", ">": "<=", "<=": ">", "<": ">=", "!=": "=="}
_MIRRORED = {">=": "<=", ">": "<", "<=": ">=", "<": ">", "==": "==", "!=": "!="}


class Shortfall(Struct, frozen=True, omit_defaults=True):
    """One comparison that does not hold: the value of `name` must be `bound` the number `needs`.

    `value` is None where it is missing. `missing` is how far it is from `needs`: the distance is positive in
    either direction, and of `more_than` and `less_than` it must be passed.
    """

    name: str
    bound: Bound
    needs: Decimal
    value: Decimal | None = None
    missing: Decimal | None = None


#: Numbers below it are shown with two digits where these say all.
_EXACT = Decimal(10) ** 18
#: The comparisons with numbers that keep a condition from holding; none when it holds.
Distances = Callable[[EvaluationContext], list[Shortfall]]
_Part = tuple[Test, Distances]


_NEEDS: dict[Bound, str] = {
    "at_least": "needs {}",
    "more_than": "needs more than {}",
    "at_most": "needs at most {}",
    "less_than": "needs less than {}",
    "exactly": "needs exactly {}",
}


def shortfall_sentence(shortfall: Shortfall) -> str:
    """Return a shortfall in words: `cart_value is 107.50, needs 120: 12.50 more`."""
    needs = _NEEDS[shortfall.bound].format(_shown(shortfall.needs))
    if shortfall.value is None or shortfall.missing is None:
        return f"{shortfall.name} is missing, {needs}"
    by = _shown(shortfall.missing)
    beyond = "more than " if shortfall.bound in ("more_than", "less_than") else ""
    way = "more" if shortfall.value <= shortfall.needs else "less"
    return f"{shortfall.name} is {_shown(shortfall.value)}, {needs}: {beyond}{by} {way}"


def _shown(number: Decimal) -> str:
    """Return a number as people write it: two digits behind the point for fractions of money."""
    rounded = number.quantize(Decimal("0.01")) if number.is_finite() and abs(number) < _EXACT else number
    if rounded != number:
        return f"{number:f}"
    return f"{int(number)}" if number == number.to_integral_value() else f"{rounded:f}"


def compile_shortfalls(node: Node, *, want: bool = True) -> Distances:
    """Return the function that says how far the node is from being exactly `want`; it never raises.

    Of several conditions of which one must hold, the first that is nothing but comparisons is said.
    """
    parts = _parts(node, want)
    return lambda view: [each for holds, distances in parts if not holds(view) for each in distances(view)]


def _parts(node: Node, want: bool) -> list[_Part]:
    match node:
        case Not(part):
            return _parts(part, not want)
        case Defined(_, condition):
            return _parts(condition, want)
        case All(parts) | AnyOf(parts):
            each = [_parts(part, want) for part in parts]
            if isinstance(node, All) is want:
                return [part for found in each for part in found]
            return [(compile_truth(node, want), _first(each))]
        case _:
            return [(compile_truth(node, want), _leaf(node, want=want))]


def _first(each: Sequence[list[_Part]]) -> Distances:
    def distances(view: EvaluationContext) -> list[Shortfall]:
        for parts in each:
            unmet = [said(view) for holds, said in parts if not holds(view)]
            if all(unmet):
                return [shortfall for said in unmet for shortfall in said]
        return []

    return distances


def _leaf(node: Node, *, want: bool) -> Distances:
    """Return the distance of a comparison of one value with a number; nothing of any other test."""
    if not isinstance(node, Compare):
        return _nothing
    key, constant = node.left, node.right
    operator: str = node.operator
    if isinstance(key, Constant):
        operator, key, constant = _MIRRORED.get(operator, ""), constant, key
    if not (isinstance(key, Path | Metric) and isinstance(constant, Constant)) or constant.kind != "number":
        return _nothing
    bound = _BOUNDS.get(operator if want else _DENIED.get(operator, ""))
    return _nothing if bound is None else _distance(key, bound, _number(plain(constant)))


def _distance(key: Path | Metric, bound: Bound, needs: Decimal) -> Distances:
    name = name_of(key)

    def distances(view: EvaluationContext) -> list[Shortfall]:
        value = settled(view.values[key])
        if kind_of(value) != "number":
            return [Shortfall(name, bound, needs)]
        known = _number(value)
        return [Shortfall(name, bound, needs, known, abs(needs - known))]

    return distances


def _nothing(view: EvaluationContext) -> list[Shortfall]:
    del view
    return []


def _number(value: Any) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
