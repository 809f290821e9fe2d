"""Writes without decisions: leases, results of deliveries, replayed quarantine, deletion by age."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from adapter.model.breakers import Breaker, Tally, after
from adapter.model.deliveries import ROUND, Delivery, DeliveryStatus, Selection
from adapter.model.ignored import Ignored
from adapter.model.pacing import Pace, Pacing
from adapter.store import holders
from adapter.store.erasures import FORGOTTEN, settled_erasures
from adapter.store.outbox_rows import (
    breaker_row,
    read_breaker,
    read_delivery,
    rendered,
    rendered_row,
    selection_row,
    settled_row,
)
from adapter.store.postgres.connection import ONLY_BY_KEY, Connection, transaction
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.timestamps import micros, moment
from adapter.store.unmapped_rows import ignored_row
from adapter.store.values import (
    NEW_LOOKED_AT,
    DeliveryResult,
    Favour,
    HolderReading,
    Ordering,
    Render,
    RetentionKind,
    share_of_new,
)

#: Old rows dropped in one transaction, so that none holds locks for long.
_SOME = 5_000


async def lease(
    connection: Connection,
    now: datetime,
    until: datetime,
    limit: int,
    destination: str | None,
    *,
    render: Render | None,
    order: Ordering,
    reading: HolderReading,
    pacing: Pacing,
    favour: Favour | None,
) -> list[Delivery]:
    """Lease due deliveries, the longest due first."""
    async with transaction(connection, ONLY_BY_KEY):
        if destination is None:
            leased = await _lease(connection, "lease", micros(now), micros(until), limit)
        else:
            leased = await _lease_for(
                connection, now, until, limit, destination, order=order, pacing=pacing, favour=favour
            )
        if reading != "nothing":
            leased = await _held(connection, leased, now, reading)
        return await _rendered(connection, leased, render) if render is not None else leased


async def _lease_for(
    connection: Connection,
    now: datetime,
    until: datetime,
    limit: int,
    destination: str,
    *,
    order: Ordering,
    pacing: Pacing,
    favour: Favour | None,
) -> list[Delivery]:
    breaker = await _breaker(connection, destination)
    if breaker is not None and not (limit := breaker.allowed(now, limit)):
        return []
    pace = await _pace(connection, destination, pacing, now)
    if pace is not None and not (limit := pace.allowed(now, limit)):
        return []
    leased = await _shared(
        connection, micros(now), micros(until), limit, destination, order=order, favour=favour
    )
    if leased and breaker is not None and breaker.state(now) == "half_open":
        await connection.execute(SQL["keep_breaker"], *breaker_row(breaker.probing(until)))
    if leased and pace is not None:
        await connection.execute(SQL["keep_pace"], destination, micros(pace.after(now, len(leased))))
    return leased


async def _shared(
    connection: Connection,
    now: int,
    until: int,
    limit: int,
    destination: str,
    *,
    order: Ordering,
    favour: Favour | None,
) -> list[Delivery]:
    """Lease the longest due; where these are more than their share, new ones too, which come first."""

    async def longest_due(most: int) -> list[Delivery]:
        given_up = array(order.given_up)
        return await _lease(connection, "lease_for", now, until, most, destination, order.kept, given_up)

    share = share_of_new(limit, favour)
    old = await longest_due(limit - share) if share < limit else []
    if not share or len(old) < limit - share:
        return old
    new = await _lease(connection, "lease_new", now, until, share, destination, NEW_LOOKED_AT)
    return [*new, *old, *(await longest_due(share - len(new)) if len(new) < share else ())]


async def _pace(connection: Connection, destination: str, pacing: Pacing, now: datetime) -> Pace | None:
    """Return the pace of a destination, locked; None where any number may be leased now."""
    if not pacing.limits:
        return None
    until = await connection.fetchval(SQL["paused_until"], destination)
    rate = pacing.rate(now, None if until is None else moment(until))
    return Pace(rate, moment(await connection.fetchval(SQL["lock_pace"], destination))) if rate else None


async def _held(
    connection: Connection, leased: Sequence[Delivery], now: datetime, reading: HolderReading
) -> list[Delivery]:
    """Return deliveries with their customers."""
    keys = array(holders.wanted(leased))
    if not keys:
        return list(leased)
    customers = await connection.fetch(SQL["holders"], keys)
    codes = await connection.fetch(SQL["discounts_of_holders"], keys) if reading == "codes" else ()
    return holders.with_holders(leased, customers, codes, now)


async def _rendered(connection: Connection, leased: list[Delivery], render: Render) -> list[Delivery]:
    now = [rendered(delivery, render) for delivery in leased]
    changed = [new for old, new in zip(leased, now, strict=True) if new is not old]
    if changed:
        rows = [(each.source_id, each.id, *rendered_row(each)) for each in changed]
        await connection.execute(SQL["render"], *arrays(rows))
    return now


async def _breaker(connection: Connection, destination: str) -> Breaker | None:
    row = await connection.fetchrow(SQL["breaker"], destination)
    return None if row is None else read_breaker(row)


async def _lease(connection: Connection, statement: str, *values: Any) -> list[Delivery]:
    rows = await connection.fetch(SQL[statement], *values)
    rows.sort(key=lambda row: (row["was"], row["number"]))
    return [read_delivery(tuple(row)[2:]) for row in rows]


async def settle(connection: Connection, settlements: Sequence[DeliveryResult], tally: Tally | None) -> int:
    """Record outcomes."""
    async with transaction(connection, ONLY_BY_KEY):
        if tally is not None:
            await _count(connection, tally)
        if not settlements:
            return 0
        rows = map(settled_row, settlements)
        counted = len(await connection.fetch(SQL["settle"], *arrays(rows)))
        if erasures := settled_erasures(settlements):
            await connection.executemany(SQL["settle_erasure"], erasures)
            await connection.executemany(SQL["forget_erased"], [(row[0], FORGOTTEN) for row in erasures])
    return counted


async def _count(connection: Connection, tally: Tally) -> None:
    before = await _breaker(connection, tally.destination)
    now = after(before, tally)
    if now is None and before is not None:
        await connection.execute(SQL["drop_breaker"], tally.destination)
    elif now is not None and now != before:
        await connection.execute(SQL["keep_breaker"], *breaker_row(now))


async def resume(connection: Connection, destination: str | None) -> None:
    """End pauses and close breakers."""
    async with transaction(connection):
        await connection.execute(SQL["resume"], destination)
        await connection.execute(SQL["drop_breaker"], destination)


async def revive(
    connection: Connection, now: datetime, selection: Selection, statuses: Collection[DeliveryStatus]
) -> int:
    """Make dead deliveries due, or waiting ones."""
    ids = None if selection.ids is None else list(selection.ids)
    wanted = micros(now), ROUND, ids, *selection_row(selection)
    async with transaction(connection):
        # Those that wait come first: what is revived would count twice.
        steps = [("hurry", "due"), ("revive", "dead")]
        return sum(
            [len(await connection.fetch(SQL[step], *wanted)) for step, status in steps if status in statuses]
        )


async def release_quarantined(connection: Connection, ids: Sequence[int]) -> int:
    """Remove quarantine entries."""
    return len(await connection.fetch(SQL["release_quarantined"], list(ids)))


async def add_ignored(
    connection: Connection, counted: Sequence[Ignored], most: int, before: datetime | None
) -> None:
    """Add counts of messages that no mapping takes, and drop what is too old or too much."""
    await connection.execute(SQL["add_ignored"], *arrays(map(ignored_row, counted), width=6))
    await connection.execute(SQL["drop_ignored"], most, micros(before) if before else 0)


async def purge_some(connection: Connection, kind: RetentionKind, before: datetime) -> int:
    """Drop some of the old rows of a kind; 0 when there are no more."""
    return len(await connection.fetch(SQL[f"purge_{kind}"], micros(before), _SOME))


async def purge_some_dedupe_keys(connection: Connection, before: datetime) -> int:
    """Drop some of the old message keys; 0 when there are no more."""
    return len(await connection.fetch(SQL["purge_dedupe_keys"], micros(before), _SOME))
