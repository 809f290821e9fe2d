"""`max_daily_redemptions`, `max_weekly_redemptions` and `max_total_redemptions`: caps of the whole shop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from adapter.model.discounts import CounterReservation
from adapter.model.rules import Period, Rule
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import WHOLE
from adapter.rules.guardrails.contract import OR_PAUSE, CountedBlock, Guardrail, value
from adapter.rules.guardrails.full_counters import full
from adapter.rules.guardrails.periods import span

#: The shortest first: a longer one holds for the shorter ones too.
_PERIODS: dict[str, Period] = {
    "max_daily_redemptions": "day",
    "max_weekly_redemptions": "week",
    "max_total_redemptions": "total",
}


def _reserve(counted: CountedBlock, day: date) -> Iterator[CounterReservation]:
    for name, period in _PERIODS.items():
        cap = value(counted.guardrails, name)
        if cap is not None:
            yield CounterReservation("", counted.key(*span(period, day)), cap, 1, counted.label(name))


def _lint(block: Block, rule: Rule, now: datetime | None) -> None:
    caps = [(name, value(rule.guardrails, name)) for name in _PERIODS]
    for name, cap in caps:
        if cap == 0:
            warn_of_nothing(block, name)
    _warn_of_idle_caps(block, [(name, cap) for name, cap in caps if cap])


def warn_of_nothing(block: Block, name: str) -> None:
    """Warn of a limit of 0."""
    block.warn(("guardrails", name), f"`{name}` is 0, which stops the rule", f"write 1 or more, {OR_PAUSE}")


def _warn_of_idle_caps(block: Block, caps: list[tuple[str, int]]) -> None:
    """Warn of a cap that a longer one always reaches first."""
    for at, (name, cap) in enumerate(caps):
        longer = next((other for other in caps[at + 1 :] if cap > other[1]), None)
        if longer is not None:
            block.warn(("guardrails", name), f"`{name}` is {cap}, and `{longer[0]}` is {longer[1]}",
                       f"write {longer[1]} or less, or leave `{name}` out")  # fmt: skip


GUARDRAIL = Guardrail(
    names=tuple(_PERIODS),
    keys=dict.fromkeys(_PERIODS, WHOLE),
    parse=lambda block, action: {name: block.whole(name) for name in _PERIODS},
    other_names={
        "max_redemptions_per_day": "max_daily_redemptions",
        "max_per_day": "max_daily_redemptions",
        "per_day": "max_daily_redemptions",
        "daily": "max_daily_redemptions",
        "max_redemptions_per_week": "max_weekly_redemptions",
        "max_per_week": "max_weekly_redemptions",
        "per_week": "max_weekly_redemptions",
        "weekly": "max_weekly_redemptions",
        "max_redemptions": "max_total_redemptions",
        "total": "max_total_redemptions",
    },
    reserve=_reserve,
    full=full,
    lint=_lint,
)
