"""Conditions that exclude each other, whatever the event: `x > 100` and `x < 50`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from msgspec import Struct

from adapter.rules.expressions.typed_tree import (
    All,
    AnyOf,
    Compare,
    Constant,
    Defined,
    Node,
    Not,
    Path,
    plain,
)
from adapter.rules.expressions.unparse import text
from adapter.rules.expressions.values import NUMBERS, among, equal, exact, is_null, less, opposite, settled

_ASKS: dict[str, Callable[[Any, Any], Any]] = {
    "==": equal,
    "!=": lambda value, constant: opposite(equal(value, constant)),
    "<": less,
    ">": lambda value, constant: less(constant, value),
    "<=": lambda value, constant: opposite(less(constant, value)),
    ">=": lambda value, constant: opposite(less(value, constant)),
}
_SCALARS = frozenset(("boolean", "number", "text", "null"))
_TRUE = Constant(value=True, kind="boolean")


class Fact(Struct, frozen=True):
    """A condition that must be exactly true, or exactly false."""

    node: Node
    holds: bool

    @property
    def sentence(self) -> str:
        """What it says of the condition."""
        return f"`{text(self.node)}` must {'' if self.holds else 'not '}hold"


class _Test(Struct, frozen=True):
    """What a fact asks of one value: `of` compared with a constant."""

    of: Node
    operator: str
    constant: Constant
    holds: bool

    def passes(self, value: Any) -> bool:
        constant = plain(self.constant)
        if self.operator == "in":
            kinds = frozenset(item.kind for item in self.constant.value)
            return among(value, constant, kinds) is self.holds
        if constant is None:
            return (is_null(value) is (self.operator == "==")) is self.holds
        return _ASKS[self.operator](value, constant) is self.holds


def facts(node: Node, *, holds: bool = True) -> Iterator[Fact]:
    """Yield all that must hold, and all that must not, for a condition to hold (or not to)."""
    yield Fact(node, holds)
    match node:
        case Defined(_, condition):
            yield from facts(condition, holds=holds)
        case Not(part):
            yield from facts(part, holds=not holds)
        case All(parts) if holds:
            for part in parts:
                yield from facts(part)
        case AnyOf(parts) if not holds:
            for part in parts:
                yield from facts(part, holds=False)


def clash(known: Sequence[Fact]) -> tuple[int, int] | None:
    """Return the places of the first fact that excludes an earlier one, and of that one; None without any.

    What two facts say of two values is not looked into, nor what three say together.
    """
    stated: dict[tuple[Node, bool], int] = {}
    asked: dict[Node, list[tuple[int, _Test]]] = {}
    for at, fact in enumerate(known):
        opposed = stated.get((fact.node, not fact.holds))
        if opposed is not None:
            return at, opposed
        stated.setdefault((fact.node, fact.holds), at)
        test = _test(fact)
        if test is None:
            continue
        for earlier, other in asked.setdefault(test.of, []):
            if not _agree(other, test):
                return at, earlier
        asked[test.of].append((at, test))
    return None


def _test(fact: Fact) -> _Test | None:
    match fact.node:
        case Path():
            return _Test(fact.node, "==", _TRUE, fact.holds)
        case Compare(_, Constant(), Constant()):
            return None
        case Compare(operator, left, Constant() as constant):
            test = _Test(left, operator, constant, fact.holds)
        case _:
            return None
    return test if all(one.kind in _SCALARS for one in _constants(test)) else None


def _constants(test: _Test) -> tuple[Constant, ...]:
    return test.constant.value if test.operator == "in" else (test.constant,)


def _agree(one: _Test, other: _Test) -> bool:
    """Tell whether some value passes both; values that the constants do not tell apart need not be tried."""
    named = [constant.value for test in (one, other) for constant in _constants(test)]
    return any(one.passes(value) and other.passes(value) for value in _candidates(named))


def _candidates(named: Sequence[Any]) -> Iterator[Any]:
    yield from (*named, True, False, None, "")
    yield from (value + "\0" for value in named if isinstance(value, str))  # the next text in order
    numbers = sorted({Fraction(exact(value)) for value in named if value.__class__ in NUMBERS})
    for number in numbers or [Fraction(0)]:
        yield from (settled(number - 1), settled(number + 1))
    yield from (settled((low + high) / 2) for low, high in pairwise(numbers))
