"""The counters that a rule must reserve before it issues.

Every limit becomes claims of the form `used + amount <= cap`, so that one mechanism in the store holds all
of them. Days, ISO weeks and months are those of the rule's time zone at the moment of issuing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

from adapter.model.discounts import Claim
from adapter.model.money import minor_units
from adapter.model.rules import Budget, Guardrails, Period

#: The name under which limits over all rules are counted, and how their guardrails are called.
ALL_RULES = "*"
#: The most that a limit over any window may count: each one is a slot with counters of its own.
MOST_SLOTS = 20
SLOT = "slot"


def claims(
    rule: str,
    guardrails: Guardrails,
    *,
    source_id: str,
    device_id: str | None,
    now: datetime,
    cost: Decimal | None,
) -> Iterator[Claim]:  # fmt: skip
    """Yield what a rule must reserve to issue one discount to this customer now.

    `rule` is ALL_RULES for the limits over all of them. Per-customer limits are claimed a second time for the
    device, where there is one. `cost` is the most that the discount can cost, for the budget.
    """
    label = "global." if rule == ALL_RULES else ""
    local = now.astimezone(ZoneInfo(guardrails.time_zone))
    for period, cap, name in (
        ("day", guardrails.max_daily_redemptions, "max_daily_redemptions"),
        ("week", guardrails.max_weekly_redemptions, "max_weekly_redemptions"),
        ("total", guardrails.max_total_redemptions, "max_total_redemptions"),
    ):
        if cap is not None:
            yield Claim("", f"{rule}|{_span(period, local)}", cap, 1, label + name)
    for scope in (source_id, f"device:{device_id}") if device_id else (source_id,):
        yield from _per_user(rule, guardrails, local, scope, label + "per_user_limit")
        if guardrails.cooldown is not None:
            yield from _pause(f"{rule}|cooldown", guardrails.cooldown, scope, now, label + "cooldown")
    yield from _budget(rule, guardrails.budget, cost, local, label + "budget")


def _span(period: Period | str, local: datetime) -> str:
    if period == "day":
        return f"day|{local:%Y-%m-%d}"
    if period == "month":
        return f"month|{local:%Y-%m}"
    if period == "week":
        year, week, _ = local.isocalendar()
        return f"week|{year}-W{week:02}"
    return "total"


def _per_user(rule: str, guardrails: Guardrails, local: datetime, scope: str, name: str) -> Iterator[Claim]:
    limit, window = guardrails.per_user_limit, guardrails.per_user_window
    if limit is None:
        return
    if window is None or limit == 0:
        yield Claim(scope, f"{rule}|user|{_span(guardrails.per_user_period, local)}", limit, 1, name)
        return
    for slot in range(limit):
        yield from _pause(f"{rule}|{SLOT}|{slot}", window, scope, local, name)


def _pause(key: str, length: timedelta, scope: str, now: datetime, name: str) -> Iterator[Claim]:
    """Yield the claims of a pause of `length`, exact to the second, between two issues.

    Time is cut in pieces of that length, with a counter each that holds when in it the last issue was (its
    offset in seconds, from 1). None may have been in this piece or, for a clock that runs behind another's,
    in the next; and one in the piece before must have been at no later an offset than now.
    """
    seconds = max(1, int(length.total_seconds()))
    piece, offset = divmod(int(now.timestamp()), seconds)
    yield Claim(scope, f"{key}|{seconds}|{piece - 1}", offset + 1, 0, name)
    yield Claim(scope, f"{key}|{seconds}|{piece}", offset + 1, offset + 1, name)
    yield Claim(scope, f"{key}|{seconds}|{piece + 1}", 0, 0, name)


def alternatives(claims: Sequence[Claim]) -> tuple[list[Claim], list[list[list[Claim]]]]:
    """Return the claims that must all be met, and groups of slots of which one must be met each.

    A limit of n over any window is n slots, each with a pause of the window: whoever finds one that has
    rested long enough has had at most n - 1 within the window.
    """
    fixed: list[Claim] = []
    groups: dict[tuple[str, str], dict[str, list[Claim]]] = {}
    for claim in claims:
        parts = claim.key.split("|")
        if SLOT in parts[1:2]:
            groups.setdefault((claim.scope, parts[0]), {}).setdefault(parts[2], []).append(claim)
        else:
            fixed.append(claim)
    return fixed, [list(slots.values()) for slots in groups.values()]


def _budget(
    rule: str, budget: Budget | None, cost: Decimal | None, local: datetime, name: str
) -> Iterator[Claim]:
    if budget is None or cost is None:
        return
    amount = minor_units(cost, budget.currency)
    key = f"{rule}|budget|{budget.currency}"
    for period, cap in (("day", budget.daily), ("total", budget.total)):
        if cap is not None:
            whole = minor_units(cap, budget.currency, ROUND_FLOOR)
            yield Claim("", f"{key}|{_span(period, local)}", whole, amount, name)
