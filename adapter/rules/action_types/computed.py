"""Values that are computed when a discount is issued: an expression, tiers, a table, an amount per currency.

A value that cannot be computed is a sentence that says why: then the rule issues nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Literal

from msgspec import Struct

from adapter.model.money import digits
from adapter.rules.expressions import EvaluationContext, Node, text
from adapter.rules.expressions.compiler import compile_value
from adapter.rules.expressions.values import NUMBERS, exact, kind_of

#: What a value is: per cent, 100 at most; money; or units of something.
ValueKind = Literal["percent", "money", "units"]
#: Makes the value of what an evaluation sees, or says why there is none.
Compute = Callable[[EvaluationContext], Decimal | Fraction | int | str]
#: The decimals of a value that is no money, and of money whose currency is not known.
_DIGITS = 6
_DIGITS_OF_MONEY = 2
UNBOUNDED = Decimal("Infinity")
#: A larger value is a mistake in the data, and would not fit the counters of a budget.
_LARGEST = 10**12


class Expression(Struct, frozen=True):
    """A number that an expression gives."""

    node: Node

    @property
    def most(self) -> Decimal:
        """The most that it can be."""
        return UNBOUNDED

    def compiled(self) -> Compute:
        """Return what computes it."""
        return number_of(self.node)


class Tiers(Struct, frozen=True):
    """The value of the highest tier that an expression reaches; `tiers` are (from, value), ascending."""

    of: Node
    tiers: tuple[tuple[Decimal, Decimal], ...]

    @property
    def node(self) -> Node:
        """What is read."""
        return self.of

    @property
    def most(self) -> Decimal:
        """The most that it can be."""
        return max(value for _, value in self.tiers)

    def compiled(self) -> Compute:
        """Return what computes it."""
        measure, name, falling = number_of(self.of), text(self.of), self.tiers[::-1]

        def compute(view: EvaluationContext) -> Decimal | Fraction | int | str:
            found = measure(view)
            if isinstance(found, str):
                return found
            for start, value in falling:
                if found >= Fraction(start):
                    return value
            return f"{name} is {shown(found)}, below the first tier, {falling[-1][0]:f}"

        return compute


class Table(Struct, frozen=True):
    """The value that a table has for what an expression gives; `otherwise` for everything else."""

    by: Node
    values: Mapping[str, Decimal]
    otherwise: Decimal | None = None

    @property
    def node(self) -> Node:
        """What is read."""
        return self.by

    @property
    def most(self) -> Decimal:
        """The most that it can be."""
        return max(*self.values.values(), self.otherwise or Decimal(0))

    def compiled(self) -> Compute:
        """Return what computes it."""
        read, name = compile_value(self.by), text(self.by)

        def compute(view: EvaluationContext) -> Decimal | Fraction | int | str:
            found = read(view)
            key = _key(found)
            value = self.values.get(key, self.otherwise) if key is not None else self.otherwise
            if value is not None:
                return value
            return f"{name} is missing" if key is None else f"{name} is {key}, for which there is no value"

        return compute


class PerCurrency(Struct, frozen=True):
    """An amount for each currency."""

    amounts: Mapping[str, Decimal]


class ComputedValue(Struct, frozen=True, kw_only=True):
    """A value as a rule file has it: its kind, how it is computed, and the most that is given."""

    kind: ValueKind
    source: Expression | Tiers | Table | PerCurrency
    max_value: Decimal | None = None

    @property
    def most(self) -> Decimal:
        """The most that it can be: Infinity where nothing bounds it, the largest amount of all currencies."""
        source = self.source
        if isinstance(source, PerCurrency):
            return max(source.amounts.values())
        bounds = (source.most, self.max_value, Decimal(100) if self.kind == "percent" else None)
        return min(bound for bound in bounds if bound is not None)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The expressions that it reads."""
        return () if isinstance(self.source, PerCurrency) else (self.source.node,)

    def limited(self, found: Decimal | Fraction | int, currency: str | None) -> Decimal | str:
        """Return a computed number as a value: bounded, above 0, money rounded half up to its currency."""
        value = _rounded(found, self._digits(currency))
        if self.max_value is not None:
            value = min(value, self.max_value)
        if value > _LARGEST:
            return f"the value is {value:.3e}, and must be {_LARGEST} at most"
        if value <= 0:
            return f"the value is {value:f}, and must be above 0"
        if self.kind == "percent" and value > 100:
            return f"the value is {value:f} per cent, and must be 100 at most"
        return value

    def _digits(self, currency: str | None) -> int:
        if self.kind != "money":
            return _DIGITS
        return _DIGITS_OF_MONEY if currency is None else digits(currency)


def number_of(node: Node) -> Compute:
    """Return what computes the number that an expression gives."""
    read, name = compile_value(node), text(node)

    def compute(view: EvaluationContext) -> Decimal | Fraction | int | str:
        found = read(view)
        if found.__class__ not in NUMBERS:
            return f"`{name}` gives no number, because data is missing or of another type"
        number: Fraction | int = exact(found)
        return number

    return compute


def shown(number: Decimal | Fraction | int) -> str:
    """Return a number as sentences show it, rounded to a millionth."""
    return f"{_rounded(number, _DIGITS):f}"


def _key(found: Any) -> str | None:
    """Return a value as the key of a table, None where it is none."""
    kind = kind_of(found)
    if kind == "text":
        return str(found)
    if kind == "boolean":
        return "true" if found else "false"
    return shown(exact(found)) if kind == "number" else None


def _rounded(number: Decimal | Fraction | int, places: int) -> Decimal:
    """Return a number with so many decimals, halves away from zero, without zeros at the end."""
    scaled = Fraction(number) * 10**places
    whole = int(abs(scaled) + Fraction(1, 2))
    exact_digits = Context(prec=whole.bit_length() // 3 + places + 2)
    found = Decimal(whole if scaled >= 0 else -whole).scaleb(-places, exact_digits)
    if found == found.to_integral_value():
        return found.quantize(Decimal(1), context=exact_digits)
    return found.normalize(exact_digits)
