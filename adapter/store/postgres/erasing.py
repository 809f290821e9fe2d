"""Saves quarantined messages with the names in them, and erases a person; runs inside a transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapter.model.quarantine import Quarantined
from adapter.store.erasures import (
    erasure_row,
    forwarded,
    forwarded_rows,
    meant,
    name_digests,
    named_by,
    receipt_rows,
)
from adapter.store.outbox_rows import delivery_row
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import arrays
from adapter.store.rows import read_customer
from adapter.store.tables.customer_sql import counted_as, of_customers
from adapter.store.tables.description import DeletedWith
from adapter.store.tables.registry import TABLES
from adapter.store.unmapped_rows import quarantined_row
from adapter.store.values import Erasure

_TABLES = of_customers(TABLES, "postgres")


async def keep_quarantined(connection: Connection, messages: Sequence[Quarantined]) -> None:
    """Append messages to the quarantine, each with the names that it holds."""
    if not messages:
        return
    ids = [row[0] for row in await connection.fetch(SQL["quarantine_ids"], len(messages))]
    rows = [(*quarantined_row(message), id_) for message, id_ in zip(messages, ids, strict=True)]
    await connection.execute(SQL["add_quarantined"], *arrays(rows))
    names = [(name, id_) for message, id_ in zip(messages, ids, strict=True) for name in named_by(message)]
    if names:
        await connection.execute(SQL["add_quarantine_names"], *arrays(names))


async def erase(connection: Connection, erasure: Erasure, at: datetime) -> None:
    """Delete or anonymise all rows of a person, and save receipts."""
    await keep_quarantined(connection, erasure.quarantined)
    source_id = erasure.source_id
    rows = await connection.fetch(SQL["record_of"], source_id)
    found = await connection.fetch(SQL["names_of"], source_id)
    customer = read_customer(rows[0][0]) if rows else None
    names = meant({source_id, *erasure.asked}, customer, [(row[0], row[1]) for row in found])
    sent = [(row[0], row[1]) for row in await connection.fetch(SQL["taken_by"], source_id)]
    onward = forwarded(sent, customer, at)
    await connection.execute(SQL["add_erasure"], *erasure_row(erasure, names, at))
    digests = name_digests(names)
    removed = Counter({"quarantined": await _changed(connection, "drop_quarantined", digests)})
    await connection.execute(SQL["forget_journal_names"], digests)
    await connection.execute(SQL["drop_refused_naming"], digests)
    for table, described in _TABLES:
        if not isinstance(described.erase, DeletedWith) and (source_id or not described.shared):
            changed = await _changed(connection, f"erase_{table.name}", source_id)
            if kind := counted_as(described):
                removed[kind] = changed
    removed["customers"] = len(rows)  # not the empty row that only holds the place of an unknown customer
    removed["identities"] += await _changed(connection, "end_redirect", source_id)
    await connection.executemany(SQL["add_receipt"], receipt_rows(erasure, removed, at))
    if onward:
        await connection.execute(SQL["add_deliveries"], *arrays(map(delivery_row, onward)))
        states = forwarded_rows(erasure, onward, at)
        await connection.execute(SQL["add_forwarded_erasures"], *arrays(states))


async def _changed(connection: Connection, statement: str, *values: Any) -> int:
    """Run a statement, and return how many rows its command tag counts, as in `DELETE 3`."""
    return int((await connection.execute(SQL[statement], *values)).rpartition(" ")[2])
