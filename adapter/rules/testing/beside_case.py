"""What a decision on a case may know beside its customer and their history."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.discounts import DiscountRecord, Status
from adapter.model.events import Event, User
from adapter.rules.blocks.block import Block
from adapter.rules.engine.beside import Beside, Recipient
from adapter.rules.engine.issue import issue
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.guardrails.proposal import Proposal, Verdict
from adapter.rules.history.own_discounts import OwnDiscounts


class Had(Struct, frozen=True):
    """A discount of the customer's past: of a rule, with a status since a moment."""

    rule: str
    status: Status
    at: datetime


class CaseBeside(Protocol):
    """What a case says of its customer, of others, and of discounts."""

    @property
    def now(self) -> datetime:
        """When it is decided."""
        ...

    @property
    def customer(self) -> Customer:
        """The customer of the event."""
        ...

    @property
    def holds(self) -> tuple[str, ...]:
        """The rules of which the customer holds a discount."""
        ...

    @property
    def had(self) -> tuple[Had, ...]:
        """Discounts of the past."""
        ...

    def recipient(self, name: str) -> Recipient | None:
        """Return another customer that the event names."""
        ...


def beside(case: CaseBeside, book: RuleSet) -> Beside:
    """Return what a decision on a case may know beside its customer and their history."""
    rules = {rule.name: rule for rule in book.rules}
    held: list[tuple[str, Status, datetime]] = [(name, "issued", case.now) for name in case.holds]
    held += [(each.rule, each.status, each.at) for each in case.had]
    event = Event("evt_case", "none", case.now, User(), {}, {})
    found: list[DiscountRecord] = []
    for at, (name, status, since) in enumerate(held):
        if name in rules:
            made = issue(Proposal(rules[name], ()), event, case.customer.source_id, f"HAD-{at}", since)
            found.append(replace(made, discount=made.discount.as_of(status)))
    return Beside(case.recipient, OwnDiscounts(found))


def told_all(verdict: Verdict) -> Verdict:
    """Return a verdict with what was said of other customers in its own outcomes."""
    if not verdict.others:
        return verdict
    theirs = {each.rule: each for said in verdict.others.values() for each in said}
    return replace(verdict, outcomes=tuple(theirs.get(each.rule, each) for each in verdict.outcomes))


def read_had(block: Block, now: datetime) -> Had | None:
    """Return a discount of the past, None where it does not check."""
    rule, status, ago = block.text("rule", required=True), block.one_of("status", Status), block.length("ago")
    block.finish()
    return None if rule is None else Had(rule, status or "issued", now if ago is None else now - ago)
