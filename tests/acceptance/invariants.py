"""What a server must have kept, whatever was killed when: read from the store, held against what was told."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from adapter.store.engines import open_store

#: One rule whose cap is reached within seconds, and one that goes on issuing while new shoppers come.
CAP = 60
LIMITS = {"scarce": 2, "steady": 1}
RULES = f"""
rules:
  - name: scarce
    trigger: checkout_started
    conditions: {{all: [cart_value >= 1]}}
    action: {{type: percentage_off, value: 10, expires_in_hours: 24}}
    guardrails: {{max_total_redemptions: {CAP}, per_user_limit: {LIMITS["scarce"]}, stackable: true}}
  - name: steady
    trigger: checkout_started
    conditions: {{all: [cart_value >= 1]}}
    action: {{type: percentage_off, value: 5, expires_in_hours: 24}}
    guardrails: {{max_total_redemptions: 1000000, per_user_limit: {LIMITS["steady"]}, stackable: true}}
"""

_DISCOUNTS = "SELECT code, source_id, body FROM discounts"
_COUNTERS = "SELECT scope, key, used FROM counters WHERE used <> 0"


class Given(Struct, frozen=True):
    """A discount: whose, and by which rule."""

    owner: str
    rule: str


class Kept(Struct):
    """What stands in a store. `outbox` has, by code, the ids under which its issue was to be pushed."""

    wrong: list[str]
    events: Counter[str]
    discounts: dict[str, Given]
    counters: dict[tuple[str, str], int]
    outbox: dict[str, list[str]]


async def kept(url: str) -> Kept:
    """Read a store that no server has open."""
    store = open_store(url)
    await store.open()
    wrong = await store.check()
    await store.close()
    bodies = {code: (owner, _rule(body)) for code, owner, body in await _rows(url, _DISCOUNTS)}
    outbox: dict[str, list[str]] = {}
    for id_, body in await _rows(url, "SELECT id, body FROM deliveries WHERE type = 'discount.issued'"):
        outbox.setdefault(msgspec.json.decode(body)["data"]["code"], []).append(id_)
    return Kept(
        wrong,
        Counter(row[0] for row in await _rows(url, "SELECT event_id FROM events")),
        {code: Given(*given) for code, given in bodies.items()},
        {(scope, key): used for scope, key, used in await _rows(url, _COUNTERS)},
        outbox,
    )


def violations(found: Kept, acknowledged: Mapping[str, Collection[str]], customers: int) -> list[str]:
    """Return every broken promise; `acknowledged` has what senders were told, by message.

    All senders must have repeated each message until it was acknowledged, and so come to the rules' limits.
    """
    wrong = [*found.wrong, *_lost(found, acknowledged), *_untold(found, acknowledged), *miscounted(found)]
    by_rule = Counter(given.rule for given in found.discounts.values())
    if by_rule["scarce"] != CAP:
        wrong.append(f"{by_rule['scarce']} discounts for a cap of {CAP}")
    if by_rule["steady"] != customers:
        wrong.append(f"{by_rule['steady']} discounts for {customers} customers")
    return wrong


def _lost(found: Kept, acknowledged: Collection[str]) -> list[str]:
    wrong = [f"acknowledged and lost: {name}" for name in acknowledged if name not in found.events]
    wrong += [f"stored and never acknowledged: {name}" for name in found.events if name not in acknowledged]
    return wrong + [f"stored {count} times: {name}" for name, count in found.events.items() if count > 1]


def _untold(found: Kept, acknowledged: Mapping[str, Collection[str]]) -> list[str]:
    told = Counter(code for codes in acknowledged.values() for code in codes)
    wrong = [f"told a code that is not kept: {code}" for code in told.keys() - found.discounts.keys()]
    wrong += [f"kept a code that nobody was told: {code}" for code in found.discounts.keys() - told.keys()]
    return wrong + [f"told {count} times: {code}" for code, count in told.items() if count > 1]


def miscounted(found: Kept) -> list[str]:
    """Return every customer over a limit, and every counter that is not what discounts there are."""
    by_rule = Counter(given.rule for given in found.discounts.values())
    by_owner = Counter((given.owner, given.rule) for given in found.discounts.values())
    expected = {("", f"{rule}|total"): count for rule, count in by_rule.items()}
    expected |= {(owner, f"{rule}|user|total"): count for (owner, rule), count in by_owner.items()}
    over = [
        f"{owner} was given {count} of {rule}"
        for (owner, rule), count in by_owner.items()
        if count > LIMITS[rule]
    ]
    return over + [
        f"counter {key} is {found.counters.get(key)}, not {expected.get(key)}"
        for key in expected.keys() | found.counters.keys()
        if expected.get(key) != found.counters.get(key)
    ]


def unsent(found: Kept, pushed: Mapping[str, Counter[str]]) -> list[str]:
    """Return every discount that was not pushed as promised: at least once, and under one id.

    `pushed` has, by code, how often it came under which webhook-id.
    """
    wrong = [
        f"{len(ids)} entries in the outbox: {code}" for code, ids in found.outbox.items() if len(ids) != 1
    ]
    wrong += [f"never in the outbox: {code}" for code in found.discounts.keys() - found.outbox.keys()]
    wrong += [f"never pushed: {code}" for code in found.discounts.keys() - pushed.keys()]
    wrong += [f"pushed and not kept: {code}" for code in pushed.keys() - found.discounts.keys()]
    wrong += [
        f"pushed under {sorted(ids)}, not {found.outbox.get(code)}: {code}"
        for code, ids in pushed.items()
        if list(ids) != found.outbox.get(code)
    ]
    return wrong


async def end_leases(url: str) -> None:
    """Make every delivery on PostgreSQL due that waits, as if a minute had passed: leases last that long.

    Whoever was killed, or lost the answer that a lease was granted, leaves such behind.
    """
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE deliveries SET visible_at = due_at WHERE status = 'due'")
    await connection.close()


def _rule(body: bytes) -> str:
    return str(msgspec.json.decode(body)["discount"]["metadata"]["rule"])


async def _rows(url: str, query: str) -> list[Any]:
    """Return rows of either engine."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return file.execute(query).fetchall()
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()
