"""One event against the rules of its trigger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from adapter.model.customers import FIELDS, Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.discounts import CounterReservation
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule
from adapter.rules.action_types.registry import type_of
from adapter.rules.engine.inputs import Seen
from adapter.rules.engine.resolve import ActionResolver
from adapter.rules.expressions import (
    Distances,
    EvaluationContext,
    Metric,
    Misses,
    Node,
    Shortfall,
    compile_misses,
    compile_shortfalls,
)
from adapter.rules.expressions.compiler import compile_within
from adapter.rules.expressions.evaluation_context import Values
from adapter.rules.files.rule_file import Compiled
from adapter.rules.guardrails.budget import cost
from adapter.rules.guardrails.checks import checks
from adapter.rules.guardrails.contract import ALL_RULES, CAMPAIGN_COUNTS, Rejection
from adapter.rules.guardrails.counters import Counting
from adapter.rules.guardrails.membership import Membership
from adapter.rules.guardrails.proposal import Proposal
from adapter.rules.guardrails.rollout import variant_of
from adapter.rules.guardrails.valuation import money, worth
from adapter.rules.history.history import History, lookup, with_event
from adapter.rules.history.own_discounts import OwnDiscounts
from adapter.rules.history.requirements import Metrics
from adapter.rules.index import Index, ranked

#: Rules per event whose missed conditions are spelled out at once; the others' are explained on request.
MOST_EXPLAINED = 10
_LOW = 2**64 - 1


class GlobalGuardrails(Struct, frozen=True):
    """What holds over all rules together."""

    guardrails: Guardrails = Guardrails()
    paused: bool = False


def blocks_of(rule: Rule, shop: Guardrails) -> list[tuple[str, Guardrails]]:
    """Return the guardrails that count for a rule, each under the name by which they count."""
    campaign = rule.campaign
    shared = [] if campaign is None else [(CAMPAIGN_COUNTS + campaign.name, campaign.guardrails)]
    return [(rule.name, rule.guardrails), *shared, (ALL_RULES, shop)]


class CompiledRule:
    """A rule made ready to be settled: what can stop it, what it counts, what it is worth."""

    __slots__ = (
        "_checks", "_counting", "_keyed", "_more", "_partial", "_resolver", "_ships", "_variants", "campaign",
        "computed", "rule",
    )  # fmt: skip

    def __init__(self, compiled: Compiled, shop: GlobalGuardrails) -> None:
        self.rule = rule = compiled.rule
        self.campaign = None if rule.campaign is None else rule.campaign.name
        self.computed = any(each is not None for each in compiled.computed)
        self._variants = tuple(CompiledRule(each, shop) for each in compiled.variants)
        self._checks = checks(rule, shop.guardrails, paused=shop.paused)
        blocks = blocks_of(rule, shop.guardrails)
        counting = [Counting(name, block, cost(rule, block)) for name, block in blocks]
        self._counting = tuple(each for each in counting if not each.idle)
        self._keyed = tuple(each for each in counting if each.keyed)
        pairs = zip(rule.actions, compiled.computed, strict=True)
        self._resolver, *more = [ActionResolver(each, rule, shop.guardrails, how) for each, how in pairs]
        self._more = tuple(more)
        budgets = [block.budget for _, block in blocks if block.budget is not None]
        self._partial = bool(budgets) and all(each.on_exceed == "partial" for each in budgets)
        of_shipping = any(type_of(each).of_shipping for each in rule.actions)
        self._ships = of_shipping or rule.conflicts == "best_value"

    def settle(
        self,
        event: Event,
        cart: Decimal | None,
        members: Membership,
        view: EvaluationContext,
        now: datetime,
        *,
        secret: bytes,
    ) -> Proposal | Rejection:
        """Return the proposal to issue, up to the counters, or what stops it.

        `cart` is the cart's value; `secret` hashes the values of keys.
        """
        if self._variants:
            source_id = members.customer.source_id
            chosen = self._variants[variant_of(self.rule.variants, self.rule.name, source_id)]
            return chosen.settle(event, cart, members, view, now, secret=secret)
        stop = self._stop(event, members, now)
        if stop is not None and (stop.outcome == "withheld" or not self.computed):
            return stop
        resolved = self._resolver.of(event, view)
        if isinstance(resolved, str):
            return Rejection("withheld", "value", f"not issued: {resolved}")
        more = [resolver.of(event, view) for resolver in self._more] if self._more else ()
        unknown = next((each for each in more if isinstance(each, str)), None)
        if unknown is not None:
            return Rejection("withheld", "value", f"not issued: {unknown}")
        if stop is not None:
            return stop
        action, currency = resolved
        source_id, device_id = members.customer.source_id, event.user.device_id
        claims: list[CounterReservation] = []
        for counting in self._counting:
            claims += counting.claims(source_id, device_id, now)
        if self._keyed:
            claims += [
                claim for each in self._keyed for claim in each.keyed_claims(event, members, secret, now)
            ]
        shipping = money(event.attributes.get("shipping")) if self._ships else None
        found = worth(action, cart, shipping)
        others = [each for each in more if not isinstance(each, str)]
        for other, counted in others:
            found += worth(other, cart, shipping)
            currency = currency or counted
        return Proposal(
            self.rule, tuple(claims), found, cart, shipping, action=action, currency=currency,
            partial_budget=self._partial, more_actions=tuple([other for other, _ in others]),
        )  # fmt: skip

    def _stop(self, event: Event, members: Membership, now: datetime) -> Rejection | None:
        for check in self._checks:
            stop = check(event, members, now)
            if stop is not None:
                return stop
        return None


class TriggerIndex:
    """The rules of one event name, best first, and the index over their conditions."""

    def __init__(self, ready: Sequence[CompiledRule], nodes: Sequence[Node]) -> None:
        best = sorted(range(len(ready)), key=lambda at: (-ready[at].rule.priority, ready[at].rule.name))
        self.index = Index([nodes[at] for at in best], [ready[at].rule.priority for at in best])
        order = [best[at] for at in self.index.order]
        self.ready = [ready[at] for at in order]
        self.nodes = [nodes[at] for at in order]
        self.seen = Seen(self.index.reads.paths)
        self._everything = (1 << len(order)) - 1
        self._explained: dict[int, Misses] = {}
        self._distances: dict[int, Distances] = {}

    def matching(
        self, view: EvaluationContext, explained: int | None = None
    ) -> tuple[list[CompiledRule], list[RuleOutcome], int]:
        """Return the rules whose conditions hold, why those of the first others do not, and how many more."""
        mask = self.index.match(view)
        ready = self.ready
        most = MOST_EXPLAINED if explained is None else explained
        told = [self._not_met(at, view) for at in _lowest(mask ^ self._everything, most)]
        holding = [ready[at] for at in ranked(mask)] if mask else []
        return holding, told, len(ready) - len(holding) - len(told)

    def shortfalls(self, view: EvaluationContext, at: int = 0) -> list[Shortfall]:
        """Return the comparisons with numbers that keep a rule's conditions from holding."""
        distances = self._distances.get(at)
        if distances is None:
            distances = self._distances[at] = compile_shortfalls(self.nodes[at])
        return distances(view)

    def _not_met(self, at: int, view: EvaluationContext) -> RuleOutcome:
        misses = self._explained.get(at)
        if misses is None:  # of many rules few are ever explained: each is compiled when it first is
            misses = self._explained[at] = compile_misses(self.nodes[at])
        reason = "not issued: " + "; ".join(misses(view))
        return RuleOutcome(self.ready[at].rule.name, "not_met", reason)


def _lowest(mask: int, count: int) -> list[int]:
    """Return the places of the lowest `count` bits that are set, however many others there are."""
    found: list[int] = []
    start = 0
    while mask and len(found) < count:
        low = mask & _LOW
        while low and len(found) < count:
            lowest = low & -low
            found.append(start + lowest.bit_length() - 1)
            low ^= lowest
        mask >>= 64
        start += 64
    return found


def view_of(
    event: Event,
    customer: Customer,
    history: History,
    now: datetime,
    metrics: Metrics | None = None,
    *,
    discounts: OwnDiscounts | None = None,
) -> EvaluationContext:
    """Return what conditions see; the customer's standard fields are traits, and override them.

    `metrics` are the book's, by which figures that include the event are worked out; None where the history
    has the event. `discounts` are the customer's, where they were read.
    """
    including: list[History] = []

    def figure(metric: Metric, values: Values | None = None) -> Any:
        past = history
        if metric.kind == "discounts":
            return None if discounts is None else discounts.count(metric, now)
        if metric.including and metrics is not None:
            if not including:
                including.append(with_event(history, event, metrics))
            past = including[0]
        if metric.equals is None or values is None:
            return lookup(past, metric, now)
        return lookup(past, metric, now, compile_within(metric.equals)(values))

    return EvaluationContext(
        event.attributes, traits_of(customer), event.context, event.name, event.occurred_at, now, figure
    )


def traits_of(customer: Customer) -> dict[str, Any]:
    """Return the customer as `user.x` sees it: traits, standard fields, source_id, segments."""
    traits = customer.traits.copy()
    for name in FIELDS:
        value = getattr(customer, name)
        if value is not None:
            traits[name] = value
    traits["source_id"] = customer.source_id
    traits["segments"] = list(customer.segments)
    return traits
