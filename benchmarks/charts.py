"""The charts of docs/performance.md: what they show, and how a bar chart becomes SVG.

A chart is readable at a width of 360 pixels, and has colours for light and for dark pages. The values of a
logarithmic chart differ by more than a bar can show.
"""

from __future__ import annotations

from html import escape
from math import log10
from typing import Any, NamedTuple


class Chart(NamedTuple):
    """Bars of one unit: labels with dotted keys of the figures; the `others` are not this adapter's."""

    name: str
    result: str
    title: str
    unit: str
    bars: tuple[tuple[str, str], ...]
    logarithmic: bool = False
    others: tuple[str, ...] = ()


#: What the figures mean, by result: dotted key, meaning, unit.
FIGURES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "ingest_sqlite": (
        ("requests_per_s", "requests per second, each decided and committed", ""),
        ("p50_ms", "median response time under that load", "ms"),
        ("p99_ms", "99th percentile of the response time", "ms"),
        ("ratio_sqlite", "throughput relative to a bare server that only decodes the body", ""),
        ("batch_messages_per_s", "messages per second in batches of 1,000, one request at a time", ""),
    ),
    "ingest_postgres": (
        ("ratio_postgres_1", "throughput relative to the bare server, 1 process", ""),
        ("ratio_postgres_2", "the same, 2 processes", ""),
        ("ratio_postgres_4", "the same, 4 processes", ""),
        ("postgres_1_p99_ms", "99th percentile of the response time, 1 process", "ms"),
        ("hot_over_cold", "cost with one rule for all customers, relative to many rules", ""),
        ("full_over_empty", "cost in a store of 50,000 customers, relative to an empty one", ""),
    ),
    "grown_store": (
        ("default_settings", "cost of a message, default settings, files in the system's cache", "times"),
        ("recommended_settings", "the same, recommended settings, memory warm", "times"),
        ("full_over_empty", "cost of a message, recommended settings", "times"),
    ),
    "mapping": (
        ("ratio_event", "speed relative to Segment's reference: an event", "times"),
        ("ratio_customer", "the same: a customer", "times"),
        ("ratio_rich", "the same: a mapping with many directives", "times"),
        ("match_200_over_20", "cost of 200 subscriptions, relative to 20", "times"),
    ),
    "rules": (
        ("us_10", "one event against 10 rules", "µs"),
        ("us_1000", "one event against 1,000 rules", "µs"),
        ("us_10000", "one event against 10,000 rules", "µs"),
        ("cel_us_1000", "cel-expr-python in a loop over 1,000 rules", "µs"),
        ("history_100000_over_10", "cost of 4 history values after 100,000 events, relative to 10", "times"),
    ),
    "pricing": (
        ("us_price_5_lines", "an order of 5 lines with five codes", "µs"),
        ("us_price_200_lines", "an order of 200 lines with five codes", "µs"),
        ("us_best_of_10_codes_5_lines", "the best set of ten codes, 5 lines", "µs"),
        ("us_best_of_10_codes_200_lines", "the best set of ten codes, 200 lines", "µs"),
        ("price_200_over_5", "cost of 200 lines relative to 5", "times"),
    ),
    "checkout": (
        ("validate_requests_per_s", "validations per second", ""),
        ("validate_ratio_route", "the same, relative to a Starlette route that answers the same bytes", ""),
        ("validate_over_ingest", "the same, relative to single events, each decided and committed", ""),
        ("validate_p99_ms", "99th percentile of a validation", "ms"),
        ("redeem_requests_per_s", "redemptions per second, each booked and committed", ""),
        ("redeem_ratio_route", "the same, relative to the route", ""),
        ("redeem_p99_ms", "99th percentile of a redemption", "ms"),
        ("postgres.validate_requests_per_s", "validations per second, PostgreSQL", ""),
        ("postgres.validate_ratio_route", "the same, relative to the route", ""),
        ("postgres.validate_over_ingest", "the same, relative to single events", ""),
        ("postgres.validate_p99_ms", "99th percentile of a validation, PostgreSQL", "ms"),
        ("postgres.redeem_requests_per_s", "redemptions per second, PostgreSQL", ""),
        ("postgres.redeem_ratio_route", "the same, relative to the route", ""),
        ("postgres.redeem_p99_ms", "99th percentile of a redemption, PostgreSQL", "ms"),
    ),
    "bulk": (
        ("ratio_customers", "customers per second relative to `.import` of sqlite3", ""),
        ("ratio_events", "events per second relative to `.import` of sqlite3", ""),
        ("ratio_customers_over_copy", "customers per second relative to PostgreSQL's COPY", ""),
        ("ratio_events_over_copy", "events per second relative to PostgreSQL's COPY", ""),
        ("events_over_batch_ingest", "events per second relative to live batches", ""),
        ("peak_mb", "peak memory", "MB"),
        ("webhook_p99_beside_import_over_alone", "99th percentile of webhooks beside an import", "times"),
    ),
    "merges": (
        ("customers", "customers imported", ""),
        ("merges", "merges of two customers, live, in batches of 50", ""),
        ("merges_per_s", "merges per second", ""),
        ("discounts_by_import", "discounts that the import issued", ""),
        ("discounts_by_merges", "discounts that the merges issued", ""),
        ("deliveries_by_merges", "pushes that the merges caused", ""),
        ("decisions_by_merges", "decisions that the merges caused", ""),
    ),
    "triggers": (
        ("customers", "customers in the store", ""),
        ("fired_by_import", "firings that their import caused", ""),
        ("customers_read_per_s", "customers that a schedule reads per second", ""),
        ("rows_read_per_birthday", "rows read for each birthday that fires", ""),
        ("firings_per_s", "firings per second", ""),
        ("p99_beside_over_alone", "99th percentile of webhooks beside schedules", "times"),
        ("peak_mb", "peak memory", "MB"),
    ),
    "simulate": (
        ("events_per_s_1", "events per second with 1 rule", ""),
        ("events_per_s_100", "events per second with 100 rules", ""),
        ("events_per_s_1000", "events per second with 1,000 rules", ""),
        ("peak_mb", "peak memory over all events, 100 rules", "MB"),
        ("grown_mb", "of that, more than over a tenth of the events", "MB"),
        ("ratio_over_live", "recorded events per second relative to live batches", "times"),
    ),
    "peers": (
        ("rate_over_fastapi_sqlite", "requests per second relative to FastAPI, SQLAlchemy, SQLite", "times"),
        ("rate_over_fastapi_postgres", "the same, PostgreSQL", "times"),
        ("rate_over_fastify_sqlite", "relative to Node with fastify and better-sqlite3", "times"),
        ("p99_under_fastapi_sqlite", "99th percentile of FastAPI relative to ours, SQLite", "times"),
        ("p99_under_fastapi_postgres", "the same, PostgreSQL", "times"),
        ("p99_under_fastify_sqlite", "99th percentile of fastify relative to ours", "times"),
    ),
    "attack": tuple(
        (f"{engine}.{attack}.{key}", f"{attack.replace('_', ' ')}, {title}: {meaning}", unit)
        for attack in ("aliases", "large_bodies", "large_events", "large_quarantine", "rule_edit", "erasures",
                       "slow_readers")
        for engine, title in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
        for key, meaning, unit in (("p99_over", "honest senders' p99 relative to no attack", "times"),
                                   ("peak_mb", "peak memory", "MB"))
    ),
}  # fmt: skip

CHARTS = (
    Chart("peers", "peers", "This adapter relative to other stacks", "times the requests per second", (
        ("FastAPI, SQLAlchemy, SQLite", "rate_over_fastapi_sqlite"),
        ("FastAPI, SQLAlchemy, PostgreSQL", "rate_over_fastapi_postgres"),
        ("Node, fastify, better-sqlite3", "rate_over_fastify_sqlite"),
    )),
    Chart("rules", "rules", "One event against many rules", "µs, logarithmic", (
        ("adapter, 10 rules", "us_10"),
        ("adapter, 1,000 rules", "us_1000"),
        ("adapter, 10,000 rules", "us_10000"),
        ("cel-expr-python in a loop, 1,000 rules", "cel_us_1000"),
    ), logarithmic=True, others=("cel_us_1000",)),
    Chart("mapping", "mapping", "Mapping relative to Segment's reference", "times the speed", (
        ("an event", "ratio_event"),
        ("a customer", "ratio_customer"),
        ("many directives", "ratio_rich"),
    )),
    Chart("attack", "attack", "Honest senders during an attack, SQLite", "times their p99 otherwise", tuple(
        (attack.replace("_", " "), f"sqlite.{attack}.p99_over")
        for attack in ("aliases", "large_bodies", "large_events", "rule_edit", "erasures", "slow_readers")
    )),
)  # fmt: skip

_WIDTH, _BAR, _TOP, _ROW = 720, 26, 108, 80
_STYLE = """  <style>
    .card{fill:#ffffff} .ours{fill:#2f6fd6} .other{fill:#8b96a3}
    text{font-family:-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1c232b} .soft{fill:#55606c}
    @media (prefers-color-scheme: dark){
    .card{fill:#0d1117} .ours{fill:#6ea0f5} .other{fill:#7d8894}
    text{fill:#e8edf2} .soft{fill:#aab4bf}
    }
  </style>"""


def at(figures: Any, key: str) -> float | None:
    """Return the figure under a dotted key, or None where the benchmark did not measure it."""
    for part in key.split("."):
        figures = figures.get(part) if isinstance(figures, dict) else None
    return figures if isinstance(figures, int | float) else None


def shown(value: float) -> str:
    """Return a figure without digits that mean nothing: `7,238`, `28.9`, `0.257`."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def svg(chart: Chart, figures: Any) -> str:
    """Return a chart of horizontal bars; a bar without a figure is left out."""
    bars = [(label, key, value) for label, key in chart.bars if (value := at(figures, key)) is not None]
    longest = max(_length(chart, value) for _, _, value in bars)
    height = _TOP + _ROW * len(bars) + 16
    rows = "".join(
        _row(_TOP + _ROW * number, label, value, _length(chart, value) / longest, key in chart.others)
        for number, (label, key, value) in enumerate(bars)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img">\n'
        f"  <title>{escape(chart.title)}</title>\n{_STYLE}\n"
        f'  <rect class="card" width="{_WIDTH}" height="{height}" rx="18"/>\n'
        f'  <text x="32" y="48" font-size="29" font-weight="600">{escape(chart.title)}</text>\n'
        f'  <text x="32" y="84" font-size="24" class="soft">{escape(chart.unit)}</text>\n{rows}</svg>\n'
    )


def _row(top: int, label: str, value: float, share: float, other: bool) -> str:
    width, kind = max(4, round((_WIDTH - 180) * share)), "other" if other else "ours"
    return (
        f'  <text x="32" y="{top + 24}" font-size="25">{escape(label)}</text>\n'
        f'  <rect class="{kind}" x="32" y="{top + 34}" width="{width}" height="{_BAR}" rx="5"/>\n'
        f'  <text x="{44 + width}" y="{top + 56}" font-size="25" font-weight="600">{shown(value)}</text>\n'
    )


def _length(chart: Chart, value: float) -> float:
    return log10(value) + 1 if chart.logarithmic else value
