"""Quarantined messages with whom they name, and the removal of a person; runs inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import apsw

from adapter.model.quarantine import Quarantined
from adapter.store.erasures import erasure_row, meant, name_digests, named_by, receipt_rows
from adapter.store.rows import quarantined_row, read_customer
from adapter.store.sqlite.statements import SQL
from adapter.store.values import Erasure

#: What is removed in one statement each: the kind in a receipt, by statement.
_DROPS = {
    "drop_events": "events",
    "drop_decisions": "decisions",
    "drop_discounts": "discounts",
    "drop_deliveries": "deliveries",
    "drop_timers": "timers",
    "drop_pending_moves": "pending_moves",
    "drop_redemptions": "redemptions",
    "drop_rollbacks": "rollbacks",
    "drop_order_codes": "order_codes",
    "drop_identities": "identities",
    "blank_messages": "answers",
    "drop_counters": "counters",
}
#: Under an empty key are rows that belong to no customer.
_SHARED = ("drop_counters", "drop_redemptions", "drop_rollbacks", "drop_order_codes")


def keep_quarantined(connection: apsw.Connection, messages: Iterable[Quarantined]) -> None:
    """Append messages to the quarantine, each with the names that it holds."""
    for message in messages:
        connection.execute(SQL["add_quarantined"], quarantined_row(message))
        kept = connection.last_insert_rowid()
        connection.executemany(SQL["add_quarantine_name"], [(name, kept) for name in named_by(message)])


def erase(connection: apsw.Connection, erasure: Erasure, at: datetime) -> None:
    """Remove all that is held of a person, and leave receipts."""
    keep_quarantined(connection, erasure.quarantined)
    source_id = erasure.source_id
    names = _names(connection, erasure)
    connection.execute(SQL["add_erasure"], erasure_row(erasure, names, at))
    digests = name_digests(names)
    connection.execute(SQL["drop_quarantined"], (apsw.carray(tuple(digests)),))
    removed = {"quarantined": connection.changes()}
    removed["customers"] = _changed(connection, "drop_customer", source_id)
    for statement, kind in _DROPS.items():
        if source_id or statement not in _SHARED:
            removed[kind] = _changed(connection, statement, source_id)
    connection.execute(SQL["blank_redemption_uses"], (source_id,))
    removed["identities"] += _changed(connection, "end_redirect", source_id)
    connection.executemany(SQL["add_receipt"], receipt_rows(erasure, removed, at))


def _names(connection: apsw.Connection, erasure: Erasure) -> set[str]:
    source_id = erasure.source_id
    bodies = list(connection.execute(SQL["record_of"], (source_id,)))
    customer = read_customer(bodies[0][0]) if bodies else None
    return meant({source_id, *erasure.asked}, customer, connection.execute(SQL["names_of"], (source_id,)))


def _changed(connection: apsw.Connection, statement: str, source_id: str) -> int:
    connection.execute(SQL[statement], (source_id,))
    return connection.changes()
