"""The report of a simulation: what each book came to, what changes, and what was assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from adapter.rules.guardrails.registry import BY_NAME
from adapter.services.simulation.comparison import Change, Comparison
from adapter.services.simulation.observed import Funnel
from adapter.services.simulation.rates import Expected, Rates, wilson
from adapter.services.simulation.run import Book, Simulated
from adapter.services.simulation.tally import Day, RuleTally
from adapter.services.simulation.traffic import Traffic

#: Pairs of rules that are shown, those that meet most often first.
_OVERLAPS = 20


class DayReport(Struct, frozen=True):
    """What one rule came to on one day (UTC)."""

    day: date
    triggered: int
    met: int
    issued: int
    control: int
    shadow: int
    withheld: dict[str, int]
    liability: dict[str, Decimal]


class FunnelStep(Struct, frozen=True):
    """One condition of a funnel: `reached` is the share for which it and all before it hold.

    `alone` is the share that it alone keeps out. `low` and `high` bound `reached` with 95 %.
    """

    condition: str
    reached: float
    low: float
    high: float
    alone: float


class RuleReport(Struct, frozen=True):
    """What one rule came to.

    `ran_out` has by counting guardrail the days on which it withheld. `funnel` is estimated from `samples`
    of its events. `unbounded` discounts have no limit of their cost.
    """

    rule: str
    triggered: int
    met: int
    issued: int
    control: int
    shadow: int
    errors: int
    withheld: dict[str, int]
    ran_out: dict[str, list[date]]
    customers: int
    liability: dict[str, Decimal]
    unbounded: int
    expected: Expected | None
    days: list[DayReport]
    funnel: list[FunnelStep]
    samples: int


class BookReport(Struct, frozen=True):
    """What one book came to; `overlap` counts the events for which two rules hold."""

    name: str
    digest: str
    rules: list[RuleReport]
    issued: int
    customers: int
    liability: dict[str, Decimal]
    overlap: list[tuple[str, str, int]]
    outcomes: dict[str, int]
    refused: dict[str, int]
    touched: int


class ComparisonReport(Struct, frozen=True):
    """What changes: discounts that only one book issues, by rule, and customers with more or fewer."""

    same: int
    gained: dict[str, int]
    lost: dict[str, int]
    winners: int
    losers: int
    more: list[Change]
    fewer: list[Change]


class Report(Struct, frozen=True):
    """A simulation: `books` are the book in force and the draft, or one of them alone."""

    start: datetime
    end: datetime
    messages: int
    ignored: int
    quarantined: int
    before: int
    books: list[BookReport]
    comparison: ComparisonReport | None
    assumptions: list[str]
    seconds: float


def report(simulated: Simulated, traffic: Traffic, rates: Rates, zone_of: Mapping[str, str]) -> Report:
    """Return the report; `zone_of` has the time zones of rules whose days are not those of UTC."""
    return Report(
        simulated.start,
        simulated.end,
        traffic.messages,
        traffic.ignored,
        traffic.quarantined,
        len(traffic.before),
        [_book(book, rates, simulated) for book in simulated.books],
        None if simulated.comparison is None else _comparison(simulated.comparison),
        assumptions(simulated.books, traffic, zone_of),
        round(simulated.seconds, 3),
    )


def _book(book: Book, rates: Rates, simulated: Simulated) -> BookReport:
    triggered, funnels, tally = book.rules.triggered(), book.rules.funnels(), book.tally
    days = _days(simulated.start.date(), simulated.end.date())
    rules = [
        _rule(rule.name, tally.rules.get(rule.name, RuleTally()), triggered[rule.name],
              funnels.get(rule.name), rates, days=days)
        for rule in book.rules.rules
    ]  # fmt: skip
    return BookReport(
        book.name,
        book.rules.digest,
        rules,
        sum(each.issued for each in rules),
        len(tally.customers),
        _sum(each.liability for each in rules),
        [(*pair, count) for pair, count in tally.overlap.most_common(_OVERLAPS)],
        dict(tally.outcomes),
        dict(tally.refused),
        book.rules.touched,
    )


def _rule(
    name: str,
    tally: RuleTally,
    triggered: Counter[date],
    funnel: Funnel | None,
    rates: Rates,
    *,
    days: Sequence[date],
) -> RuleReport:
    every = list(tally.days.values())
    liability = _sum(each.liability for each in every)
    issued = sum(each.issued for each in every)
    return RuleReport(
        name,
        triggered.total(),
        sum(each.met for each in every),
        issued,
        sum(each.control for each in every),
        sum(each.shadow for each in every),
        sum(each.errors for each in every),
        _counted(every),
        _ran_out(tally.days),
        len(tally.customers),
        liability,
        sum(each.unbounded for each in every),
        rates.expected(name, issued, liability) if issued else None,
        [_day(day, tally.days.get(day, Day()), triggered[day]) for day in days],
        _steps(funnel),
        funnel.samples if funnel else 0,
    )


def _day(day: date, tally: Day, triggered: int) -> DayReport:
    return DayReport(
        day, triggered, tally.met, tally.issued, tally.control, tally.shadow, tally.withheld, tally.liability
    )


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=at) for at in range((end - start).days + 1)]


def _counted(days: Iterable[Day]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for each in days:
        found.update(each.withheld)
    return dict(found.most_common())


def _ran_out(days: Mapping[date, Day]) -> dict[str, list[date]]:
    """Return when caps and budgets of the shop were used up, as far as that kept anything back."""
    found: dict[str, list[date]] = {}
    for day, tally in sorted(days.items()):
        for name in tally.withheld:
            guardrail = BY_NAME.get(name.removeprefix("global."))
            if guardrail is not None and guardrail.reserve is not None:
                found.setdefault(name, []).append(day)
    return found


def _steps(funnel: Funnel | None) -> list[FunnelStep]:
    if funnel is None or not funnel.events:
        return []
    steps = []
    for condition, reached, alone in zip(funnel.conditions, funnel.reached, funnel.alone, strict=True):
        share = reached / funnel.events
        low, high = (share, share)
        if funnel.samples < funnel.events:
            low, high = wilson(round(share * funnel.samples), funnel.samples)
        steps.append(FunnelStep(condition, share, low, high, alone / funnel.events))
    return steps


def _comparison(found: Comparison) -> ComparisonReport:
    return ComparisonReport(
        found.same,
        dict(found.gained.most_common()),
        dict(found.lost.most_common()),
        found.winners,
        found.losers,
        found.more,
        found.fewer,
    )


def _sum(amounts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for each in amounts:
        for currency, amount in each.items():
            found[currency] = found.get(currency, Decimal(0)) + amount
    return found


def assumptions(books: Sequence[Book], traffic: Traffic, zone_of: Mapping[str, str]) -> list[str]:
    """Return what the figures rest on, a sentence each."""
    said = [
        (
            "Customers would have done the same whatever they were given: a discount that was not "
            "issued then changes nothing that they did afterwards."
        ),
        "Counters of limits and budgets start at zero, and no customer holds a discount at first.",
        (
            "No simulated discount is redeemed: it is held until it expires, and then gives back what it had "
            "reserved. Limits and conflicts may therefore bind a little earlier than live."
        ),
        "Each message is decided at its own time. What came late live is decided as if it had come in time.",
        (
            "The liability is the most that the issued discounts can cost. Expected redemptions use the "
            "rates observed of the same rule, or of all rules where fewer than 30 of its own are closed."
        ),
    ]
    if traffic.recorded:
        touched = max((book.rules.touched for book in books), default=0)
        said.append(
            "Traits, segments and identities are as they are today, because the store keeps only their "
            f"latest values: {touched:,} evaluations looked at some. Changes of traits and segments trigger "
            "nothing here, and messages that moved discounts are not part of recorded events."
        )
    if any(rule.code_pool for book in books for rule in book.rules.rules):
        said.append("Code pools never run out.")
    if any(rule.code for book in books for rule in book.rules.rules):
        said.append("Promotions with a shared code are claimed at a checkout, and so are not simulated.")
    incomplete = sum(book.simulator.state.incomplete for book in books)
    if incomplete:
        said.append(f"Of {incomplete:,} merged customers some history is missing, which live is read again.")
    if zone_of:
        said.append("Days are those of UTC on this page; limits count by the days of their rule's time zone.")
    return said
