"""The promises, held against what one machine's PostgreSQL has; it may be one that only reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import asyncpg

CAP = 600
PER_USER = 2
USERS = 450
RULE = f"""
name: shared
trigger: checkout_started
conditions:
  all:
    - cart_value >= 1
action: {{type: percentage_off, value: 10, expires_in_hours: 24}}
guardrails: {{max_total_redemptions: {CAP}, per_user_limit: {PER_USER}, stackable: true}}
"""


async def violations(dsn: str, told: Mapping[str, Sequence[str]]) -> list[str]:
    """Return every broken promise, a line each; `told` has the codes that senders know of, by message id."""
    connection = await asyncpg.connect(dsn)
    events = await connection.fetch("SELECT event_id FROM events")
    discounts = await connection.fetch("SELECT code, source_id, event_id FROM discounts")
    deliveries = await connection.fetchval("SELECT count(*) FROM deliveries")
    used = await connection.fetchval("SELECT sum(used) FROM counters WHERE scope = ''")
    await connection.close()
    found = [*_messages(Counter(row["event_id"] for row in events), told)]
    codes = {row["code"] for row in discounts}
    found += [f"told a code that is not kept: {code}" for code in sorted(_all(told) - codes)]
    found += [f"kept a code that nobody was told: {code}" for code in sorted(codes - _all(told))]
    found += _over("the message", Counter(row["event_id"] for row in discounts), 1)
    found += _over("the customer", Counter(row["source_id"] for row in discounts), PER_USER)
    if not len(codes) == used == deliveries == CAP:
        found.append(f"{len(codes)} discounts, {used} counted and {deliveries} to push, for a cap of {CAP}")
    return found


def _messages(stored: Counter[str], told: Mapping[str, Sequence[str]]) -> list[str]:
    lost = [f"acknowledged and lost: {name}" for name in told if name not in stored]
    return lost + [f"stored {count} times: {name}" for name, count in stored.items() if count > 1]


def _over(whose: str, given: Counter[str], limit: int) -> list[str]:
    return [
        f"{whose} {name} was given {count}, not {limit}" for name, count in given.items() if count > limit
    ]


def _all(told: Mapping[str, Sequence[str]]) -> set[str]:
    return {code for codes in told.values() for code in codes}
