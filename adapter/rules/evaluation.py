"""One event against the rules of its trigger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from msgspec import Struct

from adapter.model.customers import Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.discounts import Claim
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule
from adapter.rules.guardrails import ALL_RULES, claims
from adapter.rules.history import History, lookup
from adapter.rules.index import Index
from adapter.rules.language import Metric, Node, Path, View, misses, text
from adapter.rules.language.values import ABSENT
from adapter.rules.segments import Membership
from adapter.rules.standing import Stop, cost, guarded, stopped
from adapter.rules.verdicts import Proposal
from adapter.rules.worth import money, worth

#: Rules per event whose missed conditions are spelled out; the rest are only looked at.
MOST_EXPLAINED = 20


class Shop(Struct, frozen=True):
    """What holds over all rules together."""

    guardrails: Guardrails = Guardrails()
    paused: bool = False


class Trigger:
    """The rules of one event name, best first, and the index over their conditions."""

    def __init__(self, rules: Sequence[Rule], nodes: Sequence[Node]) -> None:
        order = sorted(range(len(rules)), key=lambda at: (-rules[at].priority, rules[at].name))
        self.rules = [rules[at] for at in order]
        self.nodes = [nodes[at] for at in order]
        self.index = Index(self.nodes)

    def matching(self, view: View) -> tuple[list[Rule], list[RuleOutcome]]:
        """Return the rules whose conditions hold, and why those of the others do not."""
        mask = self.index.match(view)
        explained = [
            RuleOutcome(
                self.rules[at].name, "not_met", "not issued: " + "; ".join(misses(self.nodes[at], view))
            )
            for at in islice(_clear_bits(mask, len(self.rules)), MOST_EXPLAINED)
        ]
        return [self.rules[at] for at in _set_bits(mask)], explained


def _set_bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _clear_bits(mask: int, length: int) -> Iterator[int]:
    return (at for at in range(length) if not mask >> at & 1)


def view_of(event: Event, customer: Customer, history: History, now: datetime) -> View:
    """Return what conditions see; the customer's standard fields are traits, and stand over them."""

    def figure(metric: Metric) -> Any:
        return lookup(history, metric, now)

    return View(
        event.attributes, traits_of(customer), event.context, event.name, event.occurred_at, now, figure
    )


_FIELDS = ("name", "email", "phone", "birthdate", "description", "address")


def traits_of(customer: Customer) -> dict[str, Any]:
    """Return the customer as `user.x` sees it: traits, standard fields, source_id, segments."""
    known = {name: value for name in _FIELDS if (value := getattr(customer, name)) is not None}
    return {**customer.traits, **known, "source_id": customer.source_id, "segments": list(customer.segments)}


class Settling(Struct):
    """Settles matching rules of one event, up to the counters."""

    event: Event
    source_id: str
    members: Membership
    now: datetime
    shop: Shop

    def settle(self, rule: Rule) -> Proposal | Stop:
        """Return the proposal to issue, or what stops it."""
        if self.shop.paused:
            return Stop("withheld", "global.paused", "not issued: all rules are paused")
        stop = guarded(
            rule, self.shop.guardrails, self.event, self.members, self.now, label="global."
        ) or stopped(rule, self.event, self.members, self.now)
        if stop is not None:
            return stop
        attributes = self.event.attributes
        cart = money(attributes.get("cart_value"))
        value = worth(rule.action, cart, money(attributes.get("shipping")))
        return Proposal(rule, tuple(self._claims(rule)), value, cart)

    def _claims(self, rule: Rule) -> Iterator[Claim]:
        device = self.event.user.device_id
        for name, guardrails in ((rule.name, rule.guardrails), (ALL_RULES, self.shop.guardrails)):
            price = cost(rule, guardrails)
            yield from claims(
                name, guardrails, source_id=self.source_id, device_id=device, now=self.now, cost=price
            )


_ROOTS = ("attributes", "user", "context", "event")


def seen(view: View) -> dict[str, Any]:
    """Return what was read, by name, as plain JSON; whole objects that `has()` looked into are left out."""
    values = view.values
    read = dict.fromkeys((*chain.from_iterable(view.noted), *values))
    named = [(_name(key), values[key]) for key in read]
    return {name: _plain(value) for name, value in named if value is not ABSENT and name not in _ROOTS}


@lru_cache(maxsize=4096)
def _name(key: Path | Metric) -> str:
    return text(key)


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    if value is None or isinstance(value, str | int | float | list | dict | datetime):
        return value
    return str(value)
