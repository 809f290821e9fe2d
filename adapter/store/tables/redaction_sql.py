"""The statements by which an address or an id is removed from the rows of a customer, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from adapter.store.tables.customer_sql import of_customers
from adapter.store.tables.description import Engine, Key, Table

#: At most so many rows of a table are rewritten in one transaction.
ROWS = 500


class Redaction(Struct, frozen=True):
    """The statements of one table.

    `owner` is the column of the customer's key, `key` are those that tell the rows of a customer apart, and
    `columns` those that are rewritten. `first` selects a page of them, key first,
    by the customer's key, and `next` the page after a key. `update` takes the new values, the customer's
    key and the row's key, and `delete` the last two.
    """

    owner: str
    key: Key
    columns: Key
    first: str
    next: str
    update: str
    delete: str


def redactions(tables: Iterable[Table], engine: Engine) -> dict[str, Redaction]:
    """Return the statements by table, in the order in which tables are rewritten."""
    found: dict[str, Redaction] = {}
    for table, rows in of_customers(tables, engine):
        if rows.redact is not None:
            at_sqlite = engine == "sqlite" and rows.redact.sqlite_key
            key = rows.redact.sqlite_key if at_sqlite else rows.redact.key
            found[table.name] = _redaction(table.name, rows.column, key, rows.redact.columns, engine)
    return found


def _redaction(table: str, owner: str, key: Key, columns: Key, engine: Engine) -> Redaction:
    mark = "?" if engine == "sqlite" else "$"
    select = f"SELECT {', '.join((*key, *columns))} FROM {table} WHERE {owner} = {mark}1"  # noqa: S608 - names are ours
    after = f" AND ({', '.join(key)}) > ({', '.join(f'{mark}{at}' for at in range(2, len(key) + 2))})"
    page = f" ORDER BY {', '.join(key)} LIMIT {ROWS}"
    changes = ", ".join(f"{column} = {mark}{at}" for at, column in enumerate(columns, 1))
    return Redaction(
        owner=owner,
        key=key,
        columns=columns,
        first=select + page,
        next=select + after + page,
        update=f"UPDATE {table} SET {changes} WHERE {_is_row((owner, *key), mark, len(columns) + 1)}",  # noqa: S608 - names are ours
        delete=f"DELETE FROM {table} WHERE {_is_row((owner, *key), mark, 1)}",  # noqa: S608 - names are ours
    )


def _is_row(key: Key, mark: str, first: int) -> str:
    return " AND ".join(f"{column} = {mark}{at}" for at, column in enumerate(key, first))
