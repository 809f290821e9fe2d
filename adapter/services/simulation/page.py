"""The report as one HTML page: everything is in it, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from html import escape

from adapter.services.simulation.comparison import Change
from adapter.services.simulation.plots import Series, bars, curves, shares
from adapter.services.simulation.report import BookReport, ComparisonReport, Report, RuleReport
from adapter.services.simulation.style import STYLE
from adapter.services.simulation.sweep import Sweep

#: Rules with a section of their own, those that issue most first.
_SECTIONS = 100
_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
    '<link rel="icon" href="data:,">'
)


def page(report: Report, sweep: Sweep | None = None) -> str:
    """Return the page of a report, with the plots of a sweep where there is one."""
    shown, before = report.books[-1], report.books[0] if len(report.books) > 1 else None
    parts = [
        f"<h1>Simulation of {_text(shown.name)}</h1>",
        f'<p class="dim">{_window(report)}</p>',
        _cards(report, shown, before),
        "<h2>Day by day</h2>",
        _total_plot(shown, before),
        "<h2>Rules</h2>",
        _rules_table(shown, before),
    ]
    if report.comparison is not None:
        parts += ["<h2>What changes</h2>", _changes(report.comparison)]
    if sweep is not None:
        parts += [f"<h2>What if</h2>{_sweep(sweep)}"]
    parts += [_overlap(shown)]
    ranked = sorted(shown.rules, key=lambda each: (-each.issued, -each.met, each.rule))[:_SECTIONS]
    parts += [_rule(each, _same(before, each.rule)) for each in ranked if each.triggered or each.met]
    parts += [
        "<h2>Assumptions</h2>",
        "<ul>",
        *(f"<li>{_text(each)}</li>" for each in report.assumptions),
        "</ul>",
    ]
    return (
        f"{_HEAD}<title>Simulation of {_text(shown.name)}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _window(report: Report) -> str:
    """Return when and what, in one sentence."""
    span = f"{report.start:%Y-%m-%d %H:%M} to {report.end:%Y-%m-%d %H:%M} UTC"
    return f"{span}, {report.messages:,} messages, {report.before:,} earlier events folded in."


def _cards(report: Report, shown: BookReport, before: BookReport | None) -> str:
    def card(label: str, value: str, was: str | None) -> str:
        then = "" if was is None else f'<span class="dim">in force: {_text(was)}</span>'
        return f'<div class="card">{label}<b>{_text(value)}</b>{then}</div>'

    found = [
        card("Discounts issued", f"{shown.issued:,}", f"{before.issued:,}" if before else None),
        card("Customers", f"{shown.customers:,}", f"{before.customers:,}" if before else None),
        card("Liability at most", _money(shown.liability), _money(before.liability) if before else None),
    ]
    if report.comparison is not None:
        winners, losers = report.comparison.winners, report.comparison.losers
        found += [card("Customers with more", f"{winners:,}", None)]
        found += [card("Customers with fewer", f"{losers:,}", None)]
    return f'<div class="cards">{"".join(found)}</div>'


def _total_plot(shown: BookReport, before: BookReport | None) -> str:
    days = [day.day for day in shown.rules[0].days] if shown.rules else []
    issued = _by_day(shown.rules, days, "issued")
    lines = (
        [Series("issued by the book in force", "was", _by_day(before.rules, days, "issued"))]
        if before
        else []
    )
    stacked = [
        Series("issued", "issued", issued),
        Series("withheld", "withheld", _withheld(shown.rules, days)),
        Series("control", "control", _by_day(shown.rules, days, "control")),
    ]
    return bars("Discounts by day", [f"{day:%b %d}" for day in days], stacked, lines)


def _by_day(rules: Sequence[RuleReport], days: Sequence[date], name: str) -> list[float]:
    return [float(sum(getattr(rule.days[at], name) for rule in rules)) for at in range(len(days))]


def _withheld(rules: Sequence[RuleReport], days: Sequence[date]) -> list[float]:
    return [float(sum(sum(rule.days[at].withheld.values()) for rule in rules)) for at in range(len(days))]


def _rules_table(shown: BookReport, before: BookReport | None) -> str:
    rows: list[tuple[str, ...]] = [
        (
            _text(each.rule), f"{each.triggered:,}", f"{each.met:,}", _against(each, before),
            f"{sum(each.withheld.values()):,}", f"{each.control:,}", f"{each.customers:,}",
            _text(_liability(each)),
            _expected(each),
        )
        for each in shown.rules
    ]  # fmt: skip
    gone = [] if before is None else [each for each in before.rules if _same(shown, each.rule) is None]
    rows += [
        (_text(each.rule), "", "", f"0 <small>(was {each.issued:,})</small>", *[""] * 5) for each in gone
    ]
    head = ("Rule", "Triggered", "Conditions met", "Issued", "Withheld", "Control", "Customers",
            "Liability", "Expected redemption")  # fmt: skip
    return _table(head, rows, numbers=range(1, 7))


def _liability(rule: RuleReport) -> str:
    more = f" + {rule.unbounded:,} without a bound" if rule.unbounded else ""
    return _money(rule.liability) + more


def _against(rule: RuleReport, before: BookReport | None) -> str:
    was = _same(before, rule.rule)
    if before is None:
        return f"{rule.issued:,}"
    return f"{rule.issued:,} <small>({'new' if was is None else f'was {was.issued:,}'})</small>"


def _expected(rule: RuleReport) -> str:
    found = rule.expected
    if found is None:
        return '<span class="dim">no rate observed</span>' if rule.issued else ""
    low, middle, high = found.redeemed
    of = "its own rate" if found.rate.of else "the rate of all rules"
    cost = "; ".join(
        f"up to {amount:,.2f} {currency} ({least:,.2f} to {most:,.2f})"
        for currency, (least, amount, most) in found.cost.items()
    )
    rate = f"{of}: {found.rate.redeemed:,} of {found.rate.closed:,}, 95&nbsp;% interval"
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})<br><small>{_text(cost)}<br>{rate}</small>"


def _changes(found: ComparisonReport) -> str:
    rules = sorted({*found.gained, *found.lost})
    rows = [(_text(name), f"{found.gained.get(name, 0):,}", f"{found.lost.get(name, 0):,}") for name in rules]
    parts = [f"<p>{found.same:,} discounts are issued by both books.</p>"]
    if rows:
        parts.append(_table(("Rule", "Only by the draft", "Only in force"), rows, numbers=(1, 2)))
    for title, sample, why in (
        ("Some who gain", found.more, "Why not in force"), ("Some who lose", found.fewer, "Why not any more"),
    ):  # fmt: skip
        if sample:
            parts += [
                f"<h3>{title}</h3>",
                _table(("Time", "Customer", "Event", "Rule", why), map(_sample, sample)),
            ]
    return "".join(parts)


def _sample(each: Change) -> tuple[str, ...]:
    at = f"{each.at:%Y-%m-%d %H:%M}"
    return (
        at,
        _text(each.source_id),
        _text(f"{each.event} {each.event_id}"),
        _text(each.rule),
        _text(each.why),
    )


def _overlap(shown: BookReport) -> str:
    if not shown.overlap:
        return ""
    rows = [(_text(one), _text(other), f"{count:,}") for one, other, count in shown.overlap]
    return "<h2>Overlap</h2><p>Events for which the conditions of two rules hold.</p>" + _table(
        ("Rule", "Rule", "Events"), rows, numbers=(2,)
    )


def _rule(rule: RuleReport, was: RuleReport | None) -> str:
    labels = [f"{day.day:%b %d}" for day in rule.days]
    stacked = [
        Series("issued", "issued", [day.issued for day in rule.days]),
        Series("withheld", "withheld", [sum(day.withheld.values()) for day in rule.days]),
        Series("control", "control", [day.control for day in rule.days]),
    ]
    lines = [] if was is None else [Series("in force", "was", [day.issued for day in was.days])]
    parts = [f"<h3>{_text(rule.rule)}</h3>", bars(f"{rule.rule} by day", labels, stacked, lines)]
    if rule.withheld:
        told = ", ".join(f"{_text(name)} {count:,}" for name, count in rule.withheld.items())
        parts.append(f"<p>Withheld by: {told}.</p>")
    for name, days in rule.ran_out.items():
        when = ", ".join(f"{day:%b %d}" for day in days[:12]) + (
            f" and {len(days) - 12} more" if len(days) > 12 else ""
        )
        parts.append(f"<p><code>{_text(name)}</code> ran out on {when}.</p>")
    if rule.funnel:
        parts.append(_funnel(rule))
    return "".join(parts)


def _funnel(rule: RuleReport) -> str:
    rows = [
        (step.condition, step.reached, f"{100 * step.reached:.1f}% {_bounds(step.low, step.high)}")
        for step in rule.funnel
    ]
    costly = max(rule.funnel, key=lambda step: step.alone)
    said = ""
    if costly.alone:
        said = (
            f"<p><code>{_text(costly.condition)}</code> costs most: it alone keeps out "
            f"{100 * costly.alone:.1f}% of the events.</p>"
        )
    sampled = f"estimated from {rule.samples:,} of " if rule.samples < rule.triggered else "of "
    plot = shares(f"Funnel of {rule.rule}", rows)
    return (
        f'<p class="dim">Share {sampled}{rule.triggered:,} events that pass each condition:</p>{plot}{said}'
    )


def _bounds(low: float, high: float) -> str:
    return "" if low == high else f"±{50 * (high - low):.1f}"


def _sweep(sweep: Sweep) -> str:
    parts = []
    for name, points in sweep.lines():
        labels = [point.label for point in points]
        counts = [
            Series("issued", "issued", [point.issued for point in points]),
            Series("withheld", "withheld", [point.withheld for point in points]),
        ]
        parts.append(
            f"<h3><code>{_text(name)}</code></h3>{curves(f'{name}: issued and withheld', labels, counts)}"
        )
        for currency in sorted({each for point in points for each in point.liability}):
            values = [float(point.liability.get(currency, Decimal(0))) for point in points]
            named = f"liability in {currency}" if currency else "liability"
            parts.append(curves(f"{name}: {named}", labels, [Series(named, "control", values)]))
        rows = [
            (_text(point.label), f"{point.issued:,}", f"{point.withheld:,}", f"{point.customers:,}",
             _text(_money(point.liability)))
            for point in points
        ]  # fmt: skip
        head = ("Value", "Issued", "Withheld", "Customers", "Liability")
        parts.append(_table(head, rows, numbers=(1, 2, 3)))
    return "".join(parts)


def _same(book: BookReport | None, rule: str) -> RuleReport | None:
    return None if book is None else next((each for each in book.rules if each.rule == rule), None)


def _money(amounts: dict[str, Decimal]) -> str:
    found = ", ".join(f"{amount:,.2f} {currency}".strip() for currency, amount in sorted(amounts.items()))
    return found or "0"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    right = set(numbers)

    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if at in right else ''}>{value}</{tag}>" for at, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{cells("th", head)}</tr>{body}</table></div>'


def _text(value: str) -> str:
    return escape(value)
