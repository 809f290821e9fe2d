"""Saves quarantined messages with the names in them, and erases a person; runs inside a transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import apsw

from adapter.model.customers import Customer
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
from adapter.store.rows import read_customer
from adapter.store.sqlite.statements import SQL
from adapter.store.tables.customer_sql import counted_as, of_customers
from adapter.store.tables.description import DeletedWith
from adapter.store.tables.registry import TABLES
from adapter.store.unmapped_rows import quarantined_row
from adapter.store.values import Erasure

_TABLES = of_customers(TABLES, "sqlite")


def keep_quarantined(connection: apsw.Connection, messages: Iterable[Quarantined]) -> None:
    """Append messages to the quarantine, each with the names that it holds."""
    for message in messages:
        connection.execute(SQL["add_quarantined"], quarantined_row(message))
        kept = connection.last_insert_rowid()
        connection.executemany(SQL["add_quarantine_name"], [(name, kept) for name in named_by(message)])


def erase(connection: apsw.Connection, erasure: Erasure, at: datetime) -> None:
    """Delete or anonymise all rows of a person, and save receipts."""
    keep_quarantined(connection, erasure.quarantined)
    source_id = erasure.source_id
    customer = _customer(connection, source_id)
    names = meant({source_id, *erasure.asked}, customer, connection.execute(SQL["names_of"], (source_id,)))
    connection.execute(SQL["add_erasure"], erasure_row(erasure, names, at))
    digests = name_digests(names)
    connection.execute(SQL["drop_quarantined"], (apsw.carray(tuple(digests)),))
    removed = Counter({"quarantined": connection.changes()})
    connection.execute(SQL["forget_journal_names"], (apsw.carray(tuple(digests)),))
    connection.execute(SQL["drop_refused_naming"], (apsw.carray(tuple(digests)),))
    onward = forwarded(connection.execute(SQL["taken_by"], (source_id,)), customer, at)
    for table, rows in _TABLES:
        if not isinstance(rows.erase, DeletedWith) and (source_id or not rows.shared):
            changed = _changed(connection, f"erase_{table.name}", source_id)
            if kind := counted_as(rows):
                removed[kind] = changed
    removed["identities"] += _changed(connection, "end_redirect", source_id)
    connection.executemany(SQL["add_receipt"], receipt_rows(erasure, removed, at))
    connection.executemany(SQL["add_delivery"], map(delivery_row, onward))
    connection.executemany(SQL["add_forwarded_erasure"], forwarded_rows(erasure, onward, at))


def _customer(connection: apsw.Connection, source_id: str) -> Customer | None:
    bodies = list(connection.execute(SQL["record_of"], (source_id,)))
    return read_customer(bodies[0][0]) if bodies else None


def _changed(connection: apsw.Connection, statement: str, source_id: str) -> int:
    connection.execute(SQL[statement], (source_id,))
    return connection.changes()
