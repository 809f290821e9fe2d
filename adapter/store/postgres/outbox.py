"""Writes without decisions: leases, results of deliveries, replayed quarantine, deletion by age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapter.model.deliveries import ROUND, Delivery
from adapter.model.ignored import Ignored
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import arrays
from adapter.store.rows import ignored_row, read_delivery, rendered, rendered_row, settled_row
from adapter.store.timestamps import micros
from adapter.store.values import DeliveryResult, Render, RetentionKind

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
) -> list[Delivery]:
    """Lease due deliveries, the longest due first."""
    if render is None:
        return await _lease(connection, now, until, limit, destination)
    async with connection.transaction():
        leased = await _lease(connection, now, until, limit, destination)
        after = [rendered(delivery, render) for delivery in leased]
        changed = [new for old, new in zip(leased, after, strict=True) if new is not old]
        if changed:
            rows = [(each.source_id, each.id, *rendered_row(each)) for each in changed]
            await connection.execute(SQL["render"], *arrays(rows))
    return after


async def _lease(
    connection: Connection, now: datetime, until: datetime, limit: int, destination: str | None
) -> list[Delivery]:
    if destination is None:
        rows = await connection.fetch(SQL["lease"], micros(now), micros(until), limit)
    else:
        rows = await connection.fetch(SQL["lease_for"], micros(now), micros(until), limit, destination)
    rows.sort(key=lambda row: (row["was"], row["number"]))
    return [read_delivery(tuple(row)[2:]) for row in rows]


async def settle(connection: Connection, settlements: Sequence[DeliveryResult]) -> int:
    """Record outcomes."""
    if not settlements:
        return 0
    rows = map(settled_row, settlements)
    return len(await connection.fetch(SQL["settle"], *arrays(rows)))


async def revive(
    connection: Connection, now: datetime, ids: Sequence[str] | None, destination: str | None
) -> int:
    """Make dead deliveries due."""
    wanted = None if ids is None else list(ids)
    return len(await connection.fetch(SQL["revive"], micros(now), ROUND, wanted, destination))


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
