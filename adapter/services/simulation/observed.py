"""A rule book that notes what it is asked: how often rules were triggered, and where customers drop out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.events import Event
from adapter.rules.engine.beside import NOTHING
from adapter.rules.engine.conditions import Holding, compile_holding, conditions_of
from adapter.rules.engine.deferred_reasons import completed
from adapter.rules.engine.evaluate import TriggerIndex, view_of
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions import EvaluationContext, reads, text
from adapter.rules.guardrails.proposal import Verdict
from adapter.rules.history.history import History

#: Conditions of one trigger that are judged for the funnels, over all its rules; then fewer events are.
_JUDGED = 10_000
_LEAST = 200


class Funnel(Struct):
    """How far the events of one rule came, of `samples` that stand for `events` of them.

    `reached` counts by condition the events for which it and all before it hold, `alone` those that it alone
    keeps out.
    """

    conditions: list[str]
    reached: list[int]
    alone: list[int]
    samples: int = 0
    events: int = 0

    def take(self, holds: Sequence[bool], weight: int) -> None:
        """Count one sample, which stands for so many events."""
        self.samples += 1
        self.events += weight
        failed = [at for at, held in enumerate(holds) if not held]
        for at in range(failed[0] if failed else len(holds)):
            self.reached[at] += weight
        if len(failed) == 1:
            self.alone[failed[0]] += weight


class _Watched:
    """What is noted of one trigger."""

    def __init__(self, trigger: TriggerIndex) -> None:
        self.rules = [ready.rule.name for ready in trigger.ready]
        self.days: Counter[date] = Counter()
        self.stride = 1
        self.seen = 0
        self.samples = 0
        self.most = max(_LEAST, _JUDGED // max(1, len(self.rules)))
        self.holding: list[tuple[Funnel, Holding]] = [_funnel(node) for node in trigger.nodes]
        named = {path for node in trigger.nodes for path in reads(node).paths}
        self.traits = sorted(path.fields[0] for path in named if path.root == "traits" and path.fields)
        self.bare = sorted(path.fields[0] for path in named if path.root == "" and path.fields)
        self.of_customers = any(_of_customer(ready.rule) for ready in trigger.ready)

    def reads_traits(self, event: Event, customer: Customer) -> bool:
        """Tell whether the rules look at facts of the customer that may have been others then."""
        if self.traits or self.of_customers:
            return True
        return any(name not in event.attributes and name in customer.traits for name in self.bare)

    def take(self, view: EvaluationContext) -> None:
        """Judge one of every few events for the funnels; the fewer, the more there are."""
        self.seen += 1
        if self.seen % self.stride:
            return
        self.samples += 1
        for funnel, holding in self.holding:
            funnel.take(holding(view), self.stride)
        if self.samples >= self.most:
            self.samples, self.stride = self.samples // 2, 2 * self.stride


class ObservedRules(RuleSet):
    """Rules that decide as those they are made from.

    `touched` counts evaluations that looked at traits or segments. `asked` has, until it is cleared, by
    customer, event id and name what the rules saw, for the sentences of those that did not hold.
    """

    def __init__(self, rules: RuleSet, *, explained: int | None = 0) -> None:
        vars(self).update(vars(rules))  # what is compiled is shared: it never changes
        self.explained = explained
        self.touched = 0
        self.asked: dict[tuple[str, str, str], tuple[TriggerIndex, dict[str, Any], datetime]] = {}
        self._watched: dict[int, tuple[TriggerIndex, _Watched]] = {}

    def _decide(
        self,
        trigger: TriggerIndex,
        event: Event,
        customer: Customer,
        history: History,
        now: datetime,
        *,
        known: bool = False,
        **more: Any,
    ) -> Verdict:
        """Decide as the rules do, and note it."""
        verdict = super()._decide(trigger, event, customer, history, now, known=known, **more)
        found = self._watched.get(id(trigger))
        if found is None:
            found = self._watched[id(trigger)] = (trigger, _Watched(trigger))
        watched = found[1]
        watched.days[now.date()] += 1
        self.touched += watched.reads_traits(event, customer)
        if not (watched.seen + 1) % watched.stride:
            discounts = more.get("beside", NOTHING).discounts
            metrics = None if known else self.metrics
            watched.take(view_of(event, customer, history, now, metrics, discounts=discounts))
        else:
            watched.seen += 1
        self.asked[customer.source_id, event.id, event.name] = (trigger, verdict.seen, now)
        return verdict

    def triggered(self) -> dict[str, Counter[date]]:
        """Return by rule how many events triggered it, by day."""
        found: dict[str, Counter[date]] = {rule.name: Counter() for rule in self.rules}
        for _, watched in self._watched.values():
            for name in watched.rules:
                found[name].update(watched.days)
        return found

    def funnels(self) -> dict[str, Funnel]:
        """Return the funnel of each rule that was triggered and has conditions."""
        found: dict[str, Funnel] = {}
        for _, watched in self._watched.values():
            for name, (funnel, _) in zip(watched.rules, watched.holding, strict=True):
                if funnel.conditions and funnel.samples:
                    found.setdefault(name, funnel)
        return found

    def why_not(self, key: tuple[str, str, str], rule: str) -> str:
        """Return why a rule did not hold for an event that was asked about since `asked` was cleared."""
        if key not in self.asked:
            return "the event did not trigger it"
        trigger, seen, now = self.asked[key]
        nodes = [
            (ready.rule.name, node)
            for ready, node in zip(trigger.ready, trigger.nodes, strict=True)
            if ready.rule.name == rule
        ]
        source_id, event_id, event = key
        decision = Decision(event_id, event, source_id, now, self.digest, (), seen, len(nodes))
        told = completed(decision, nodes).outcomes
        return told[0].reason if told else "the event did not trigger it"


def _funnel(node: Any) -> tuple[Funnel, Holding]:
    conditions = [text(part) for part in conditions_of(node)]
    conditions = [each for each in conditions if each != "true"]
    return Funnel(conditions, [0] * len(conditions), [0] * len(conditions)), compile_holding(node)


def _of_customer(rule: Any) -> bool:
    """Tell whether who gets a discount depends on segments."""
    guardrails = rule.guardrails
    return bool(guardrails.eligible_segments or guardrails.excluded_segments or rule.rollout.audience)
