"""Filters of arithmetic, which count in doubles as JavaScript does."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adapter.mapping.liquid.context import Context, Failed
from adapter.mapping.liquid.values import number, number_or_zero

#: Other powers of ten may differ in their last digit from those of V8.
_MOST_DIGITS = 22
_EPSILON = 2.0**-52


def _computing(compute: Callable[..., float], needed: int) -> Callable[..., float]:
    """Return a filter of numbers; without an argument that it needs the result is NaN."""

    def run(context: Context, value: Any, *arguments: Any) -> float:
        if len(arguments) < needed:
            return math.nan
        return compute(*map(number_or_zero, (value, *arguments)))

    return run


def _whole(cut: Callable[[float], int]) -> Callable[..., float]:
    return lambda value, *_: float(cut(value)) if math.isfinite(value) else value


def _plus(one: float, two: float, *_: float) -> float:
    return one + two


def _minus(one: float, two: float, *_: float) -> float:
    return one - two


def _times(one: float, two: float, *_: float) -> float:
    return one * two


def _divided_by(dividend: float, divisor: float, whole: float = 0.0, *_: float) -> float:
    made = _divided(dividend, divisor)
    return float(math.floor(made)) if whole and math.isfinite(made) else made


def _divided(dividend: float, divisor: float) -> float:
    if divisor:
        return dividend / divisor
    if not dividend or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def _modulo(dividend: float, divisor: float, *_: float) -> float:
    return _remainder(_remainder(dividend, divisor) + divisor, divisor)


def _remainder(dividend: float, divisor: float) -> float:
    return math.fmod(dividend, divisor) if divisor and math.isfinite(dividend) else math.nan


def _round(value: float, digits: float = 0.0, *_: float) -> float:
    amplified = _power_of_ten(digits)
    return _divided(_half_up(value * amplified * (1 + _EPSILON)), amplified)


def _power_of_ten(exponent: float) -> float:
    if math.isfinite(exponent) and (exponent % 1 or abs(exponent) > _MOST_DIGITS):
        raise Failed(f"a number is rounded to whole digits, at most {_MOST_DIGITS}")
    try:
        return math.pow(10.0, exponent)
    except OverflowError:
        return math.inf


def _half_up(value: float) -> float:
    """Return `Math.round(value)`: a half goes up, also below zero."""
    if not math.isfinite(value) or abs(value) >= 2**52:
        return value
    below = math.floor(value)
    return float(below + (value - below >= 0.5))


def _to_integer(context: Context, value: Any) -> float:
    return number(value)


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": _computing(lambda value, *_: abs(value), 0), "ceil": _computing(_whole(math.ceil), 0),
    "floor": _computing(_whole(math.floor), 0), "round": _computing(_round, 0),
    "at_least": _computing(lambda *all_of: max(all_of), 0),
    "at_most": _computing(lambda *all_of: min(all_of), 0),
    "plus": _computing(_plus, 1), "minus": _computing(_minus, 1), "times": _computing(_times, 1),
    "divided_by": _computing(_divided_by, 1), "modulo": _computing(_modulo, 1), "to_integer": _to_integer,
}  # fmt: skip
