"""What evaluation says of one event, before guardrail counters are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from adapter.model.actions import Action
from adapter.model.decisions import RuleOutcome
from adapter.model.discounts import CounterReservation
from adapter.model.rules import Rule


class Proposal(Struct, frozen=True):
    """A rule whose conditions hold, and the counters it must reserve to issue.

    `worth` is what the discount takes off the cart at hand, as far as that can be known, `cart` that cart's
    value and `shipping` what its delivery costs, where it is to be compared: all are money in the event's
    currency, used to compare discounts only. `action` is the rule's with its value resolved, where it is not
    the rule's own, and `more_actions` are its other benefits. `replacing` are the codes that
    are revoked when it is granted. `recipient` is the customer that it is for, None for the event's.
    `currency` is that of the action's amounts, None where it names none, or nothing says in which currency
    they are. With `partial_budget` a checkout
    grants what budgets have left.
    """

    rule: Rule
    claims: tuple[CounterReservation, ...]
    worth: Decimal = Decimal(0)
    cart: Decimal | None = None
    shipping: Decimal | None = None
    looks: tuple[CounterReservation, ...] = ()
    action: Action | None = None
    more_actions: tuple[Action, ...] = ()
    replacing: tuple[str, ...] = ()
    recipient: str | None = None
    currency: str | None = None
    partial_budget: bool = False


class Verdict(Struct, frozen=True):
    """`proposals` best first; `outcomes` of rules already settled; `seen` the values they read.

    `priorities` are those of all rules of the book, to weigh the discounts that a customer holds already.
    `untold` is how many more rules do not hold. `others` has the outcomes of rules for other customers;
    `for_others` says that there are such, or proposals.
    """

    proposals: tuple[Proposal, ...]
    outcomes: tuple[RuleOutcome, ...]
    seen: dict[str, Any]
    priorities: Mapping[str, int] = {}
    untold: int = 0
    others: Mapping[str, tuple[RuleOutcome, ...]] = {}
    for_others: bool = False


class Choice(Struct, frozen=True):
    """What may be issued now, and why the rest may not.

    The counters to be reserved are those of `granted`, claim by claim.
    """

    granted: tuple[Proposal, ...]
    outcomes: tuple[RuleOutcome, ...]
