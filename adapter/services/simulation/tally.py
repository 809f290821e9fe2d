"""Counts of what one rule book came to: by rule and day, with the money that it may cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations

from msgspec import Struct, field

from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.discounts import DiscountRecord
from adapter.services.figures import cost_bound, cost_currency, cost_reserved
from adapter.services.simulation.simulator import Decided

#: Of an event for which more rules hold, so many are looked at for overlaps.
_MOST_OVERLAPPING = 20
_ZERO = Decimal(0)


class Day(Struct):
    """What one rule came to on one day (UTC). `liability` is by currency what the issued discounts can cost.

    `met` counts the events for which all conditions hold. Nothing limits the cost of `unbounded` discounts.
    """

    met: int = 0
    issued: int = 0
    control: int = 0
    shadow: int = 0
    errors: int = 0
    withheld: dict[str, int] = {}
    liability: dict[str, Decimal] = {}
    unbounded: int = 0


class RuleTally(Struct):
    """What one rule came to; `customers` are those who got a discount of it."""

    days: dict[date, Day] = {}
    customers: set[str] = field(default_factory=set)

    def day(self, of: date) -> Day:
        """Return the counts of a day."""
        found = self.days.get(of)
        if found is None:
            found = self.days[of] = Day()
        return found


class Tally:
    """Counts what a book decides."""

    def __init__(self) -> None:
        self.rules: dict[str, RuleTally] = {}
        self.customers: set[str] = set()
        self.overlap: Counter[tuple[str, str]] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.fired = 0

    def note(self, decided: Decided) -> None:
        """Count one batch."""
        issued = {each.discount.code: each for each in decided.changes.discounts}
        for work, result in zip(decided.works, decided.results, strict=True):
            if work.source in {"timer", "schedule"}:
                self.fired += 1
            elif work.source != "expiry":
                self.outcomes[result.outcome] += 1
                if result.error:
                    self.refused[result.error] += 1
        for decision in decided.decisions:
            self._decision(decision, issued)

    def _decision(self, decision: Decision, issued: Mapping[str, DiscountRecord]) -> None:
        met: list[str] = []
        for outcome in decision.outcomes:
            if outcome.outcome == "not_met":
                continue
            met.append(outcome.rule)
            rule = self.rules.get(outcome.rule)
            if rule is None:
                rule = self.rules[outcome.rule] = RuleTally()
            day = rule.day(_day(decision.decided_at))
            day.met += outcome.outcome != "error"
            self._outcome(day, rule, outcome, decision, issued)
        if len(met) > 1:
            self.overlap.update(combinations(sorted(met[:_MOST_OVERLAPPING]), 2))

    def _outcome(
        self,
        day: Day,
        rule: RuleTally,
        outcome: RuleOutcome,
        decision: Decision,
        issued: Mapping[str, DiscountRecord],
    ) -> None:
        match outcome.outcome:
            case "issued":
                day.issued += 1
                rule.customers.add(decision.source_id)
                self.customers.add(decision.source_id)
                held = issued.get(outcome.code or "")
                if held is not None:
                    _cost(day, held)
            case "withheld":
                name = outcome.guardrail or "other"
                day.withheld[name] = day.withheld.get(name, 0) + 1
            case "control":
                day.control += 1
            case "shadow":
                day.shadow += 1
            case "error":
                day.errors += 1


def _cost(day: Day, held: DiscountRecord) -> None:
    bound, currency = cost_bound(held), cost_currency(held)
    day.unbounded += bound is None
    amount = cost_reserved(held) if bound is None else bound
    if amount:
        day.liability[currency] = day.liability.get(currency, _ZERO) + amount


def _day(moment: datetime) -> date:
    return moment.date()
