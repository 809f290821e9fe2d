"""Reports of simulations as series that the console plots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

from msgspec import Struct

from adapter.services.simulation.report import BookReport, DayReport, RuleReport
from adapter.services.simulation.sweep import Point, Sweep


class Series(Struct, frozen=True):
    """One line of a plot."""

    label: str
    points: list[float]


class Plot(Struct, frozen=True):
    """Series over days, as seconds since 1970 in `at`, or over values of a setting in `labels`."""

    title: str
    at: list[int]
    series: list[Series]
    labels: list[str] = []


def days_of(rules: Sequence[RuleReport], before: BookReport | None) -> Plot:
    """Return what rules issued and withheld by day, beside what the book in force issued."""
    days = [each.day for each in rules[0].days] if rules else []
    series = [
        Series("issued", _sums(rules, days, lambda day: day.issued)),
        Series("withheld", _sums(rules, days, lambda day: sum(day.withheld.values()))),
        Series("control", _sums(rules, days, lambda day: day.control)),
    ]
    if before is not None:
        series.append(
            Series("issued by the rules in force", _sums(before.rules, days, lambda day: day.issued))
        )
    return Plot("Discounts by day", list(map(_seconds, days)), series)


def sweeps_of(sweep: Sweep | None) -> list[Plot]:
    """Return what each value of a sweep comes to."""
    if sweep is None:
        return []
    return [_swept(title, points) for title, points in sweep.lines()]


def _swept(title: str, points: Sequence[Point]) -> Plot:
    currencies = sorted({each for point in points for each in point.liability})
    series = [
        Series("issued", [float(each.issued) for each in points]),
        Series("withheld", [float(each.withheld) for each in points]),
        Series("customers", [float(each.customers) for each in points]),
    ]
    series += [
        Series(
            f"liability {currency}".strip(),
            [float(each.liability.get(currency, Decimal(0))) for each in points],
        )
        for currency in currencies
    ]
    return Plot(title, [], series, [each.label for each in points])


def _sums(
    rules: Sequence[RuleReport], days: Sequence[date], count: Callable[[DayReport], int]
) -> list[float]:
    return [sum(count(rule.days[at]) for rule in rules if at < len(rule.days)) for at in range(len(days))]


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
