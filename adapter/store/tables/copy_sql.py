"""The statements by which a copy reads and verifies tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.store.tables.description import Kind, Table

#: A page of a table ends with the row at which it has so many bytes.
PAGE_BYTES = 8_000_000
Row = tuple[Any, ...]


def columns_of(table: Table) -> str:
    """Return the column list, as SQL."""
    return ", ".join(column.name for column in table.columns)


def page_sql(table: Table, key: tuple[str, ...], placeholder: str, *, first: bool) -> str:
    """Return the SELECT of the rows after a key, in its order; `placeholder` is `?` or `$`."""
    marks = [f"{placeholder}{at}" for at in range(1, len(key) + 2)]
    after = "" if first else f" WHERE ({', '.join(key)}) > ({', '.join(marks[:-1])})"
    limit = marks[0] if first else marks[-1]
    return f"SELECT {columns_of(table)} FROM {table.name}{after} ORDER BY {', '.join(key)} LIMIT {limit}"  # noqa: S608 - names are ours


def sized_page_sql(table: Table, key: tuple[str, ...], *, first: bool) -> str:
    """Return `page_sql` for PostgreSQL, up to and including the row at which the page has PAGE_BYTES."""
    columns = columns_of(table)
    sized = [column.name for column in table.columns if column.kind == "bytes"]
    size = " + ".join([f"coalesce(octet_length({name}), 0)" for name in sized]) or "0"
    order = ", ".join(key)
    return (
        f"SELECT {columns} FROM (SELECT page.*, sum({size}) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING)"  # noqa: S608 - names are ours
        f" - ({size}) AS before FROM ({page_sql(table, key, '$', first=first)}) AS page) AS sized"
        f" WHERE before < {PAGE_BYTES} ORDER BY {order}"
    )


def sums_sql(table: Table, lengths: Mapping[Kind, str]) -> str:
    """Return the SELECT of the row count and, for each column, the sum of its numbers or lengths in bytes.

    `lengths` has SQL for the length in bytes of text and of bytes. Numbers are summed modulo a prime, because
    the sum of ten million moments in microseconds overflows 64 bits.
    """
    values = {"number": "{} % 1000000007", "boolean": "CASE WHEN {} THEN 1 ELSE 0 END", **lengths}
    sums = [f"coalesce(sum({values[column.kind].format(column.name)}), 0)" for column in table.columns]
    return f"SELECT count(*), {', '.join(sums)} FROM {table.name}"  # noqa: S608 - names are ours
