"""What a rule changed: conversions of those who got a discount against its control group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from math import sqrt
from typing import Literal

from msgspec import Struct

from adapter.model.decisions import Decision

#: The two-sided 95 % quantile of the normal distribution.
_Z = 1.959963984540054


#: The name and the id of an event, by which two of one customer are the same.
EventKey = tuple[str, str]


class Exposure(Struct, frozen=True):
    """A customer that a rule qualified by an event: served, or held out."""

    rule: str
    group: Literal["issued", "control"]
    source_id: str
    at: datetime
    event: EventKey = ("", "")


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
    """Both groups of one rule, side by side."""

    rule: str
    issued: Group
    control: Group

    @property
    def difference(self) -> float:
        """How much higher the rate is with the discount than without."""
        return self.issued.rate - self.control.rate

    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % interval of the difference, None when a group is empty.

        Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10).
        """
        if not self.issued.customers or not self.control.customers:
            return None
        (low, high), (low_control, high_control) = _wilson(self.issued), _wilson(self.control)
        rate, control = self.issued.rate, self.control.rate
        below = sqrt((rate - low) ** 2 + (high_control - control) ** 2)
        above = sqrt((high - rate) ** 2 + (control - low_control) ** 2)
        return self.difference - below, self.difference + above


def _wilson(arm: Group) -> tuple[float, float]:
    square = _Z * _Z
    middle = arm.converted + square / 2
    spread = _Z * sqrt(arm.converted * (arm.customers - arm.converted) / arm.customers + square / 4)
    return (middle - spread) / (arm.customers + square), (middle + spread) / (arm.customers + square)


def exposures(decision: Decision) -> Iterator[Exposure]:
    """Yield the customers that a decision served or held out."""
    for outcome in decision.outcomes:
        if outcome.outcome in ("issued", "control"):
            group: Literal["issued", "control"] = "issued" if outcome.outcome == "issued" else "control"
            yield Exposure(
                outcome.rule,
                group,
                decision.source_id,
                decision.decided_at,
                (decision.event, decision.event_id),
            )


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
        both = lifts.setdefault(exposure.rule, Lift(exposure.rule, Group(), Group()))
        arm = both.issued if exposure.group == "issued" else both.control
        mine = by_customer.get(exposure.source_id, ())
        counted = [each for each in mine if _follows(each, exposure, window)]
        arm.add(Group(1, int(bool(counted))))
        for each in filter(lambda conversion: conversion.worth, counted):
            arm.add(Group(worth={each.currency: each.worth}))
    return [lifts[rule] for rule in sorted(lifts)]


def _follows(conversion: Conversion, exposure: Exposure, window: timedelta) -> bool:
    if conversion.event == exposure.event != ("", ""):
        return False
    return exposure.at <= conversion.at < exposure.at + window
