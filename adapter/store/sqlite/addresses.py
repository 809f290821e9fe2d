"""The index of email addresses, and what is left to be looked for of erased people; inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apsw

from adapter.store.addresses import Row, all_rows, rewritten
from adapter.store.contract import Forgotten
from adapter.store.erasures import amended, fingerprints
from adapter.store.moments import micros
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.copying import KEYS
from adapter.store.sqlite.statements import SQL
from adapter.store.tables import REWRITTEN, delete_sql, select_sql, update_sql


def put(connection: apsw.Connection, rows: Iterable[Row]) -> None:
    """Note addresses."""
    connection.executemany(SQL["put_address"], rows)


def note_some(connection: apsw.Connection, limit: int) -> bool:
    """Note the addresses of some customers whose are not noted yet; returns whether there are no more."""
    found: list[Any] = connection.execute(SQL["some_unaddressed"], (limit,)).fetchall()
    for name, named in found:
        put(connection, sorted(all_rows(name, _documents(connection, name))))
        connection.execute(SQL["name_addressed" if named else "reach_addressed"], (name,))
    if not found:
        connection.execute(SQL["end_addressing"])
    return not found


def forget(connection: apsw.Connection, source_id: str, address: str) -> int:
    """Remove an address from what is stored of a customer beside their record; returns the rows changed."""
    changed = 0
    for table, (owner, columns) in REWRITTEN.items():
        key = KEYS[table]
        rows: list[Any] = connection.execute(
            select_sql(table, owner, (*key, *columns), "?"), (source_id,)
        ).fetchall()
        for row in rows:
            kept = rewritten(row[: len(key)], row[len(key) :], address)
            if kept is not None:
                sql = update_sql(table, columns, key, "?") if kept else delete_sql(table, key, "?")
                connection.execute(sql, (*kept, *row[: len(key)]))
                changed += 1
    return changed


def finish(connection: apsw.Connection, done: Forgotten, removed: Mapping[str, int]) -> None:
    """Forget the names of an erasure, and add to its receipts what else was removed."""
    connection.execute(SQL["end_erasure"], (done.number,))
    if connection.changes() and removed:
        for customer in fingerprints(done.customers):
            receipts: list[Any] = connection.execute(
                SQL["receipts_of"], (customer, micros(done.erased_at))
            ).fetchall()
            for number, told in receipts:
                connection.execute(SQL["amend_receipt"], (number, amended(told, removed)))


def _documents(connection: apsw.Connection, source_id: str) -> Iterator[bytes]:
    for body, _ in connection.execute(SQL["record_of"], (source_id,)):
        yield body
    for _, body in connection.execute(SQL["past"], (array([source_id]),)):
        yield body
