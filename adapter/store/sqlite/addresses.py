"""The index of email addresses, and the end of erasures; runs inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import apsw

from adapter.model.removals import Removal
from adapter.store.addresses import Row, address_digest, all_rows, from_place, rewritten
from adapter.store.erasures import amended, fingerprints
from adapter.store.scanning import bounded
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.statements import REDACTIONS, SQL
from adapter.store.timestamps import micros
from adapter.store.values import Forgotten, Place


def put(connection: apsw.Connection, rows: Iterable[Row]) -> None:
    """Add addresses to the index."""
    connection.executemany(SQL["put_address"], rows)


def note_some(connection: apsw.Connection, limit: int) -> bool:
    """Index the addresses of some customers that are not indexed; returns whether none are left."""
    found: list[Any] = connection.execute(SQL["some_unaddressed"], (limit,)).fetchall()
    for name, named in found:
        put(connection, sorted(all_rows(name, _documents(connection, name))))
        connection.execute(SQL["name_addressed" if named else "reach_addressed"], (name,))
    if not found:
        connection.execute(SQL["end_addressing"])
    return not found


def redact(
    connection: apsw.Connection, source_id: str, removal: Removal, after: Place | None
) -> tuple[int, Place | None]:
    """Remove an address or ids from some rows of a customer; returns the number and the next place."""
    changed = 0
    for table, redaction in from_place(REDACTIONS, after):
        start, width = after[1] if after is not None and after[0] == table else (), len(redaction.key)
        sql = redaction.next if start else redaction.first
        with closing(connection.execute(sql, (source_id, *start))) as found:
            rows, more = bounded(found)
        for row in rows:
            kept = rewritten(table, row[:width], row[width:], removal)
            if kept is not None:
                sql = redaction.update if kept else redaction.delete
                connection.execute(sql, (*kept, source_id, *row[:width]))
                changed += 1
        if more:
            return changed, (table, tuple(rows[-1][:width]))
    if removal.address:
        connection.execute(SQL["drop_address"], (address_digest(removal.address), source_id))
    return changed, None


def finish(connection: apsw.Connection, done: Forgotten, removed: Mapping[str, int]) -> None:
    """Delete the names of an erasure, and add to its receipts what else was removed."""
    connection.execute(SQL["end_erasure"], (done.number,))
    if connection.changes() and removed:
        for customer in fingerprints(done.customers):
            receipts: list[Any] = connection.execute(
                SQL["receipts_of"], (customer, micros(done.erased_at))
            ).fetchall()
            for number, removed_before in receipts:
                connection.execute(SQL["amend_receipt"], (number, amended(removed_before, removed)))


def _documents(connection: apsw.Connection, source_id: str) -> Iterator[bytes]:
    for body, _ in connection.execute(SQL["record_of"], (source_id,)):
        yield body
    for _, body in connection.execute(SQL["past"], (array([source_id]),)):
        yield body
