"""The report of a simulation as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from adapter.services.simulation.comparison import Change
from adapter.services.simulation.report import BookReport, Report, RuleReport
from adapter.services.simulation.sweep import Sweep

#: Examples of who gains and who loses.
_SAMPLES = 5


def table(report: Report, sweep: Sweep | None) -> Iterator[str]:
    """Yield the lines of a report."""
    shown, before = report.books[-1], report.books[0] if len(report.books) > 1 else None
    yield (
        f"{shown.name}: {report.messages:,} messages from {report.start:%Y-%m-%d %H:%M} "
        f"to {report.end:%Y-%m-%d %H:%M} UTC"
    )
    if report.ignored or report.quarantined:
        yield f"{report.ignored:,} messages that no mapping takes, {report.quarantined:,} that cannot be used"
    yield ""
    was = ("WAS",) if before else ()
    head = ("RULE", "TRIGGERED", "MET", "ISSUED", *was, "WITHHELD", "CONTROL", "CUSTOMERS", "LIABILITY")
    yield from _aligned([(*head, "EXPECTED"), *(_row(each, before) for each in shown.rules)])
    yield from _notes(shown)
    if report.comparison is not None:
        found = report.comparison
        yield ""
        yield f"{found.winners:,} customers get more discounts, {found.losers:,} fewer"
        yield f"{found.same:,} discounts are issued by both"
        yield from _samples("gains", found.more)
        yield from _samples("loses", found.fewer)
    if sweep is not None:
        yield ""
        yield from _sweep(sweep)
    yield ""
    yield "Assumptions:"
    yield from (f"- {each}" for each in report.assumptions)


def _row(rule: RuleReport, before: BookReport | None) -> tuple[str, ...]:
    was = next((each.issued for each in before.rules if each.rule == rule.rule), 0) if before else 0
    counts = (rule.triggered, rule.met, rule.issued, *([was] if before else []), sum(rule.withheld.values()))
    return (
        rule.rule,
        *(f"{each:,}" for each in (*counts, rule.control, rule.customers)),
        _money(rule.liability) + (f" + {rule.unbounded:,} unbounded" if rule.unbounded else ""),
        _expected(rule),
    )


def _expected(rule: RuleReport) -> str:
    if rule.expected is None:
        return "-"
    low, middle, high = rule.expected.redeemed
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"


def _notes(shown: BookReport) -> Iterator[str]:
    for rule in shown.rules:
        if rule.withheld:
            told = ", ".join(f"{name} {count:,}" for name, count in rule.withheld.items())
            yield f"  {rule.rule}: withheld by {told}"
        for name, days in rule.ran_out.items():
            yield f"  {rule.rule}: {name} ran out on {len(days):,} days, the first {days[0]:%Y-%m-%d}"
        costly = max(rule.funnel, key=lambda step: step.alone, default=None)
        if costly is not None and costly.alone:
            share = f"{100 * costly.alone:.1f}%"
            yield f"  {rule.rule}: `{costly.condition}` alone keeps out {share} of its events"


def _samples(word: str, found: Sequence[Change]) -> Iterator[str]:
    for each in found[:_SAMPLES]:
        yield f"  {each.source_id} {word} {each.rule} ({each.event} {each.event_id}); otherwise {each.why}"


def _sweep(sweep: Sweep) -> Iterator[str]:
    for name, points in sweep.lines():
        yield f"What if {name}"
        rows = [
            (
                each.label,
                f"{each.issued:,}",
                f"{each.withheld:,}",
                f"{each.customers:,}",
                _money(each.liability),
            )
            for each in points
        ]
        yield from _aligned([("VALUE", "ISSUED", "WITHHELD", "CUSTOMERS", "LIABILITY"), *rows])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        first, *rest = (
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join((first, *rest)).rstrip()


def _money(amounts: dict[str, Decimal]) -> str:
    found = ", ".join(f"{amount:,.2f} {currency}".strip() for currency, amount in sorted(amounts.items()))
    return found or "0"
