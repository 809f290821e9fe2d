"""Rules that are claimed with a shared code, as offers to customers that meet their conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from adapter.model.customers import FIELDS, Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.encoding import encode
from adapter.model.events import Event
from adapter.model.money import from_minor_units
from adapter.model.rules import Guardrails, Rule
from adapter.pricing import Order, Refusal
from adapter.rules.engine.evaluate import blocks_of
from adapter.rules.engine.promotions import claim_of
from adapter.rules.guardrails.one_of_these import one_of_these
from adapter.rules.guardrails.proposal import Proposal
from adapter.rules.history.history import History
from adapter.services.checkout import reasons
from adapter.services.checkout.near_misses import not_met
from adapter.services.checkout.offers import Claim, Offer
from adapter.services.loaded_files import LoadedFiles


class HasSecret(Protocol):
    """An open store, as far as its secret is concerned, which hashes the values of keys."""

    secret: bytes


class RuleCodes:
    """The shared codes of the rules in force."""

    def __init__(self, books: LoadedFiles, store: HasSecret) -> None:
        self._books = books
        self._store = store

    def any_of(self, codes: Iterable[str]) -> bool:
        """Tell whether one of the codes is shared: then the customer's past is needed."""
        promotions = self._books.rules.promotions
        return any(promotions.named(code) is not None for code in codes)

    def find(self, code: str, claim: Claim) -> Offer | Refusal | None:
        """Return what a typed code offers now, why not, or None where it is no shared code."""
        rule = self._books.rules.promotions.named(code)
        return None if rule is None else self._offered(rule, claim)

    def all(self, claim: Claim) -> list[tuple[str, Offer | Refusal]]:
        """Return every shared code that is in force: its offer, or which of its conditions do not hold."""
        rules = [rule for rule in self._books.rules.promotions.rules if rule.status == "live"]
        found = [(rule.code or "", self._offered(rule, claim)) for rule in rules]
        return [each for each in found if _told(each[1])]

    def _offered(self, rule: Rule, claim: Claim) -> Offer | Refusal:
        rules, code = self._books.rules, rule.code or ""
        if rule.expires_at is not None and rule.expires_at <= claim.now:
            return reasons.expired(code, rule.expires_at)
        if not claim.source_id and any(_personal(block) for _, block in blocks_of(rule, rules.guardrails)):
            return reasons.customer_needed(code)
        history = History.decode(claim.history)
        history.rename(self._books.mappings.names)
        event, customer = event_of(claim), customer_of(claim)
        verdict = rules.evaluate_claim(
            rule.name, event, customer, history, claim.now, secret=self._store.secret
        )
        if verdict.proposals:
            return _offer(rule, verdict.proposals[0])
        outcome = next((one for one in verdict.outcomes if one.rule == rule.name), None)
        if outcome is None or outcome.outcome != "not_met":
            return _withheld(code, outcome)
        shortfalls = rules.claim_shortfalls(rule.name, event, customer, history, claim.now)
        return not_met(code, outcome.reason, shortfalls, claim.cart)


def event_of(claim: Claim) -> Event:
    """Return a claim as the event that rules see: the order's members, its value and what shipping costs."""
    attributes = {**_plain(claim.order), **_worth(claim.cart)}
    return claim_of(f"claim_{claim.id}", customer_of(claim), attributes, _plain(claim.context), claim.now)


def customer_of(claim: Claim) -> Customer:
    """Return the customer as stored, with what was sent of them."""
    customer = claim.customer or Customer(claim.source_id)
    sent = _plain(claim.sent)
    fields = {name: value for name, value in sent.items() if name in FIELDS and value is not None}
    nested = sent.get("traits")
    more = {name: value for name, value in sent.items() if name not in (*FIELDS, "source_id", "traits")}
    traits = {**customer.traits, **(nested if isinstance(nested, dict) else {}), **more}
    return replace(customer, traits=traits, **fields)


def _worth(cart: Order | None) -> dict[str, Any]:
    if cart is None:
        return {}
    items = from_minor_units(sum(line.total for line in cart.lines), cart.currency)
    shipping = from_minor_units(sum(line.price for line in cart.shipping), cart.currency)
    return {"cart_value": _number(items), "shipping": _number(shipping), "currency": cart.currency}


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(encode(document))
    return found


def _personal(guardrails: Guardrails) -> bool:
    counted = guardrails.per_user_limit is not None or guardrails.cooldown is not None
    return counted or one_of_these(guardrails) is not None


def _offer(rule: Rule, proposal: Proposal) -> Offer:
    return Offer(
        code=rule.code or "",
        action=msgspec.to_builtins(proposal.action or rule.action, builtin_types=(Decimal, datetime)),
        rule=rule.name,
        currency=proposal.currency,
        expires_at=rule.expires_at,
        priority=rule.priority,
        stackable=rule.guardrails.stackable,
        stacking_group=rule.stacking_group,
        exclusive=rule.exclusive,
        claims=(*proposal.looks, *proposal.claims),
        partial=proposal.partial_budget,
        on_refund=rule.on_refund,
        metadata=rule.metadata,
    )


def _withheld(code: str, outcome: RuleOutcome | None) -> Refusal:
    return reasons.not_available(code, outcome.reason if outcome else "its rule is not in force")


def _told(found: Offer | Refusal) -> bool:
    return isinstance(found, Offer) or found.reason == "conditions_not_met"
