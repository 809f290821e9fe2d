"""What a rule changed: conversions of those who got a discount against its control group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from math import erfc, exp, pi, sqrt
from typing import Literal

from msgspec import Struct

from adapter.model.decisions import Decision
from adapter.rules.guardrails.contract import CAMPAIGN_COUNTS

#: The two-sided 95 % quantile of the normal distribution.
_Z = 1.959963984540054
#: A ratio that is less likely by chance is a mismatch (Fabijan and others, KDD 2019).
RATIO_MISMATCH = 0.001
#: The fewest customers that a variant must be expected to have for its ratio to be tested.
_FEWEST = 5

#: The name and the id of an event, by which two of one customer are the same.
EventKey = tuple[str, str]


class Exposure(Struct, frozen=True):
    """A customer that a rule, or `campaign:NAME`, qualified by an event: served, or held out.

    `variant` is the one that a rule with variants served.
    """

    rule: str
    group: Literal["issued", "control"]
    source_id: str
    at: datetime
    event: EventKey = ("", "")
    variant: str = ""


class Conversion(Struct, frozen=True):
    """An event that counts as success, such as `order_completed`, with its worth in a currency."""

    source_id: str
    at: datetime
    worth: Decimal = Decimal(0)
    currency: str = ""
    event: EventKey = ("", "")


class Group(Struct):
    """One of the two groups: how many customers, how many of them converted, and for how much.

    `worth` is by currency, the empty text where the event names none.
    """

    customers: int = 0
    converted: int = 0
    worth: dict[str, Decimal] = {}

    @property
    def rate(self) -> float:
        """The share that converted, 0 of an empty group."""
        return self.converted / self.customers if self.customers else 0.0

    def add(self, more: Group) -> None:
        """Take in the customers of another group, and what they bought."""
        self.customers += more.customers
        self.converted += more.converted
        for currency, worth in more.worth.items():
            self.worth[currency] = self.worth.get(currency, Decimal(0)) + worth


class Lift(Struct, frozen=True):
    """Both groups of one rule, side by side; `variants` are the parts of `issued`, by name."""

    rule: str
    issued: Group
    control: Group
    variants: dict[str, Group] = {}

    @property
    def difference(self) -> float:
        """How much higher the rate is with the discount than without."""
        return self.issued.rate - self.control.rate

    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % interval of the difference, None when a group is empty."""
        return interval(self.issued, self.control)

    def variant(self, name: str) -> Group:
        """Return the group of a variant."""
        return self.variants.setdefault(name, Group())

    def add(self, more: Lift) -> None:
        """Take in the customers of the same rule."""
        self.issued.add(more.issued)
        self.control.add(more.control)
        for name, group in more.variants.items():
            self.variant(name).add(group)


def interval(group: Group, other: Group) -> tuple[float, float] | None:
    """Return the 95 % interval of the difference of two rates, None when a group is empty.

    Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10).
    """
    if not group.customers or not other.customers:
        return None
    (low, high), (low_other, high_other) = _wilson(group), _wilson(other)
    rate, theirs = group.rate, other.rate
    below = sqrt((rate - low) ** 2 + (high_other - theirs) ** 2)
    above = sqrt((high - rate) ** 2 + (theirs - low_other) ** 2)
    return rate - theirs - below, rate - theirs + above


def ratio_p_value(customers: Mapping[str, int], shares: Mapping[str, Decimal]) -> float | None:
    """Return how likely variants differ from their shares by chance as much as they do: a sample ratio test.

    `customers` are counts by variant, `shares` in per cent; None where too little is known. Pearson's
    chi-squared test; below `RATIO_MISMATCH` the assignment is not what the file says.
    """
    expected = {name: float(share) for name, share in shares.items() if name in customers}
    total = sum(customers[name] for name in expected)
    whole = sum(expected.values())
    if len(expected) < 2 or not total or expected.keys() != customers.keys():
        return None
    wanted = {name: total * share / whole for name, share in expected.items()}
    if min(wanted.values()) < _FEWEST:
        return None
    statistic = sum((customers[name] - each) ** 2 / each for name, each in wanted.items())
    return _chi_squared_tail(statistic, len(wanted) - 1)


def _chi_squared_tail(statistic: float, freedom: int) -> float:
    """Return the upper tail of the chi-squared distribution (Abramowitz and Stegun, 26.4.4 and 26.4.5)."""
    half = statistic / 2
    if freedom % 2:
        tail, term = erfc(sqrt(half)), 2 * sqrt(half / pi) * exp(-half)
        begin = 3
    else:
        tail, term = exp(-half), half * exp(-half)
        begin = 4
    for degree in range(begin, freedom + 1, 2):
        tail += term
        term *= statistic / degree
    return tail


def _wilson(arm: Group) -> tuple[float, float]:
    square = _Z * _Z
    middle = arm.converted + square / 2
    spread = _Z * sqrt(arm.converted * (arm.customers - arm.converted) / arm.customers + square / 4)
    return (middle - spread) / (arm.customers + square), (middle + spread) / (arm.customers + square)


def exposures(decision: Decision) -> Iterator[Exposure]:
    """Yield the customers that a decision served or held out, by rule and by campaign."""
    for outcome in decision.outcomes:
        if outcome.outcome in ("issued", "control") and not outcome.for_another:
            group: Literal["issued", "control"] = "issued" if outcome.outcome == "issued" else "control"
            at, event = decision.decided_at, (decision.event, decision.event_id)
            yield Exposure(outcome.rule, group, decision.source_id, at, event, outcome.variant or "")
            if outcome.campaign is not None:
                yield Exposure(CAMPAIGN_COUNTS + outcome.campaign, group, decision.source_id, at, event)


def lift(shown: Iterable[Exposure], conversions: Iterable[Conversion], window: timedelta) -> list[Lift]:
    """Return the lift of each rule, by name.

    A customer counts once a rule, from the first exposure on; conversions count when they come after it and
    before the window has passed, and any number of them makes one converted customer. The event that exposed
    the customer is no conversion, whatever time its sender gives it.
    """
    first: dict[tuple[str, str], Exposure] = {}
    for exposure in shown:
        known = first.setdefault((exposure.rule, exposure.source_id), exposure)
        if exposure.at < known.at:
            first[exposure.rule, exposure.source_id] = exposure
    by_customer: dict[str, list[Conversion]] = {}
    for conversion in conversions:
        by_customer.setdefault(conversion.source_id, []).append(conversion)
    lifts: dict[str, Lift] = {}
    for exposure in first.values():
        both = lifts.setdefault(exposure.rule, Lift(exposure.rule, Group(), Group(), {}))
        arms = [both.issued if exposure.group == "issued" else both.control]
        if exposure.variant:
            arms.append(both.variant(exposure.variant))
        mine = by_customer.get(exposure.source_id, ())
        counted = [each for each in mine if _follows(each, exposure, window)]
        for arm in arms:
            arm.add(Group(1, int(bool(counted))))
            for each in filter(lambda conversion: conversion.worth, counted):
                arm.add(Group(worth={each.currency: each.worth}))
    return [lifts[rule] for rule in sorted(lifts)]


def _follows(conversion: Conversion, exposure: Exposure, window: timedelta) -> bool:
    if conversion.event == exposure.event != ("", ""):
        return False
    return exposure.at <= conversion.at < exposure.at + window
