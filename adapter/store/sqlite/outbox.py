"""Writes without decisions: leases, results of deliveries, replayed quarantine, deletion by age."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import apsw
from msgspec.structs import replace

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
from adapter.store.sqlite.connection import array as texts
from adapter.store.sqlite.statements import SQL
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

#: Row numbers looked at in one transaction when old rows are dropped, so that none holds the writer for long.
_SPAN = 5_000


def lease(
    connection: apsw.Connection,
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
    """Lease due deliveries; runs inside a transaction."""
    if destination is None:
        rows = connection.execute(SQL["leasable"], (micros(now), limit)).fetchall()
    else:
        rows = _leasable_for(
            connection, now, until, limit, destination, order=order, pacing=pacing, favour=favour
        )
    found = [replace(each, attempt=each.attempt + 1) for each in map(read_delivery, rows)]
    if reading != "nothing":
        found = _held(connection, found, now, reading)
    leased = [rendered(each, render) for each in found]
    connection.executemany(SQL["lease"], [(each.id, micros(until), *rendered_row(each)) for each in leased])
    return leased


def _leasable_for(
    connection: apsw.Connection,
    now: datetime,
    until: datetime,
    limit: int,
    destination: str,
    *,
    order: Ordering,
    pacing: Pacing,
    favour: Favour | None,
) -> list[Any]:
    breaker = _breaker(connection, destination)
    limit = limit if breaker is None else breaker.allowed(now, limit)
    pace = _pace(connection, destination, pacing, now)
    limit = limit if pace is None else pace.allowed(now, limit)
    # An array without members cannot be bound; NULL has none either.
    given_up = texts(order.given_up) if order.given_up else None
    wanted = micros(now), limit, destination, order.kept, given_up
    rows: list[Any] = connection.execute(SQL["leasable_for"], wanted).fetchall()
    new = share_of_new(limit, favour)
    if new and len(rows) == limit:
        wanted_new = micros(now), new, destination, NEW_LOOKED_AT
        rows = _with_new(rows, connection.execute(SQL["leasable_new"], wanted_new).fetchall())
    if rows and breaker is not None and breaker.state(now) == "half_open":
        connection.execute(SQL["keep_breaker"], breaker_row(breaker.probing(until)))
    if rows and pace is not None:
        connection.execute(SQL["keep_pace"], (destination, micros(pace.after(now, len(rows)))))
    return rows


def _with_new(longest_due: list[Any], new: list[Any]) -> list[Any]:
    """Return as many rows as before, new ones first; each row begins with its id."""
    taken = {row[0] for row in new}
    rest = [row for row in longest_due if row[0] not in taken]
    return new + rest[: len(longest_due) - len(new)]


def _pace(connection: apsw.Connection, destination: str, pacing: Pacing, now: datetime) -> Pace | None:
    """Return the pace of a destination; None where any number may be leased now."""
    if not pacing.limits:
        return None
    rows: list[Any] = connection.execute(SQL["pace"], (destination,)).fetchall()
    paused_until, used = rows[0]
    rate = pacing.rate(now, None if paused_until is None else moment(paused_until))
    return Pace(rate, moment(used or 0)) if rate else None


def _held(
    connection: apsw.Connection, found: Sequence[Delivery], now: datetime, reading: HolderReading
) -> list[Delivery]:
    """Return deliveries with their customers."""
    keys = holders.wanted(found)
    if not keys:
        return list(found)
    named = texts(keys)
    customers = connection.execute(SQL["holders"], (named,)).fetchall()
    codes = connection.execute(SQL["discounts_of_holders"], (named,)) if reading == "codes" else ()
    return holders.with_holders(found, customers, codes, now)


def settle(connection: apsw.Connection, settlements: Sequence[DeliveryResult], tally: Tally | None) -> int:
    """Record outcomes; runs inside a transaction."""
    if tally is not None:
        before = _breaker(connection, tally.destination)
        now = after(before, tally)
        if now is None and before is not None:
            connection.execute(SQL["drop_breaker"], (tally.destination,))
        elif now is not None and now != before:
            connection.execute(SQL["keep_breaker"], breaker_row(now))
    counted = _changed(connection, "settle", [settled_row(settlement) for settlement in settlements])
    if erasures := settled_erasures(settlements):
        connection.executemany(SQL["settle_erasure"], erasures)
        connection.executemany(SQL["forget_erased"], [(row[0], FORGOTTEN) for row in erasures])
    return counted


def resume(connection: apsw.Connection, destination: str | None) -> None:
    """End pauses and close breakers; runs inside a transaction."""
    connection.execute(SQL["resume"], (destination,))
    connection.execute(SQL["drop_breaker"], (destination,))


def _breaker(connection: apsw.Connection, destination: str) -> Breaker | None:
    rows: list[Any] = connection.execute(SQL["breaker"], (destination,)).fetchall()
    return read_breaker(rows[0]) if rows else None


def revive(
    connection: apsw.Connection, now: datetime, selection: Selection, statuses: Collection[DeliveryStatus]
) -> int:
    """Make dead deliveries due, or waiting ones; runs inside a transaction."""
    wanted: Sequence[str | None] = [None] if selection.ids is None else selection.ids
    rows = [(micros(now), ROUND, one, *selection_row(selection)) for one in wanted]
    # Those that wait come first: what is revived would count twice.
    hurried = _changed(connection, "hurry", rows) if "due" in statuses else 0
    return hurried + (_changed(connection, "revive", rows) if "dead" in statuses else 0)


def release_quarantined(connection: apsw.Connection, ids: Sequence[int]) -> int:
    """Remove quarantine entries; runs inside a transaction."""
    if not ids:
        return 0
    # What a trigger removes with them must not count.
    wanted = apsw.carray(array("q", ids), flags=apsw.SQLITE_CARRAY_INT64)
    connection.execute(SQL["release_quarantined"], (wanted,))
    return connection.changes()


def purge_slice(connection: apsw.Connection, lower: bytes, upper: bytes, before: datetime) -> int:
    """Drop the old message keys of one slice; runs inside a transaction."""
    return _changed(connection, "purge_dedupe_keys", [(lower, upper, micros(before))])


def add_ignored(
    connection: apsw.Connection, counted: Sequence[Ignored], most: int, before: datetime | None
) -> None:
    """Add counts of messages that no mapping takes, and drop what is too old or too much."""
    connection.executemany(SQL["add_ignored"], map(ignored_row, counted))
    connection.execute(SQL["drop_ignored"], (most, micros(before) if before else 0))


def spans(connection: apsw.Connection, kind: RetentionKind) -> list[tuple[int, int]]:
    """Return spans of row numbers, the first exclusive, that together hold all rows of a kind."""
    rows: list[Any] = connection.execute(SQL[f"span_{kind}"]).fetchall()
    first, last = rows[0]
    return [(start, start + _SPAN) for start in range(first - 1, last, _SPAN)]


def purge_span(
    connection: apsw.Connection, kind: RetentionKind, span: tuple[int, int], before: datetime
) -> int:
    """Drop the old rows of one span; runs inside a transaction."""
    connection.execute(SQL[f"purge_{kind}"], (*span, micros(before)))
    return connection.changes()


def _changed(connection: apsw.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    before = connection.total_changes()
    connection.executemany(SQL[statement], rows)
    return connection.total_changes() - before
