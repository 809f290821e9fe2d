"""Writes that decide nothing: leases, settlements, replayed quarantine, forgotten keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import apsw
from msgspec.structs import replace

from adapter.model.deliveries import Delivery
from adapter.store.contract import Settlement
from adapter.store.moments import micros
from adapter.store.rows import read_delivery, settled_row
from adapter.store.sqlite.statements import SQL


def lease(
    connection: apsw.Connection, now: datetime, until: datetime, limit: int, destination: str | None
) -> list[Delivery]:
    """Take due deliveries; runs inside a transaction."""
    if destination is None:
        rows = connection.execute(SQL["leasable"], (micros(now), limit)).fetchall()
    else:
        rows = connection.execute(SQL["leasable_for"], (micros(now), limit, destination)).fetchall()
    leased = [read_delivery(row) for row in rows]
    connection.executemany(SQL["lease"], [(delivery.id, micros(until)) for delivery in leased])
    return [replace(delivery, attempt=delivery.attempt + 1) for delivery in leased]


def settle(connection: apsw.Connection, settlements: Sequence[Settlement]) -> int:
    """Record outcomes; runs inside a transaction."""
    return _changed(connection, "settle", [settled_row(settlement) for settlement in settlements])


def release_quarantined(connection: apsw.Connection, ids: Sequence[int]) -> int:
    """Remove quarantine entries; runs inside a transaction."""
    return _changed(connection, "release_quarantined", [(id_,) for id_ in ids])


def forget_slice(connection: apsw.Connection, lower: bytes, upper: bytes, before: datetime) -> int:
    """Drop the old message keys of one slice; runs inside a transaction."""
    return _changed(connection, "forget_messages", [(lower, upper, micros(before))])


def _changed(connection: apsw.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    before = connection.total_changes()
    connection.executemany(SQL[statement], rows)
    return connection.total_changes() - before
