"""Rules without a trigger: promotions that a customer claims at the checkout with a shared code.

A claim is evaluated as an event is: its attributes are the order, with the customer, the context and the
history. Guardrails and rollout hold as for rules with a trigger. Counters are reserved when it is redeemed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapter.model.codes import folded
from adapter.model.customers import Customer
from adapter.model.events import Event, User
from adapter.model.rules import CLAIMED, Rule
from adapter.rules.engine.evaluate import TriggerIndex


def claim_of(
    claim_id: str,
    customer: Customer,
    order: Mapping[str, Any],
    context: Mapping[str, Any],
    now: datetime,
    *,
    device_id: str | None = None,
) -> Event:
    """Return a claim as the event that rules see and that the record names; `now` is aware.

    `order` becomes the attributes. Conditions and conflicts read the same names as of an event: `cart_value`,
    `shipping` (the price) and `currency`.
    """
    user = User(id=customer.source_id, email=customer.email, device_id=device_id)
    return Event(claim_id, CLAIMED, now, user, dict(order), dict(context))


class Promotions:
    """The promotions of a rule set, by their codes in every spelling."""

    def __init__(self, indexes: Sequence[tuple[Rule, TriggerIndex]]) -> None:
        self._by_name = {rule.name: index for rule, index in indexes}
        self._by_code = {folded(rule.code): rule for rule, _ in indexes if rule.code is not None}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every promotion, in the order of the files."""
        return tuple(self._by_code.values())

    def named(self, code: str) -> Rule | None:
        """Return the promotion that a typed code means, None where it means none."""
        return self._by_code.get(folded(code))

    def index(self, rule: str) -> TriggerIndex | None:
        """Return what evaluates a promotion, by the name of its rule."""
        return self._by_name.get(rule)
