"""Reads the schema of a closed store, plants a row of a customer in each table, and reads all rows back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import apsw
import asyncpg
from msgspec.structs import replace

from adapter.model.deliveries import Past, PastAttempt
from adapter.model.encoding import encode
from adapter.store.engines import open_store
from adapter.store.tables.description import CustomerRows, Engine, Table
from adapter.store.tables.registry import BOOKKEEPING

#: Columns that tell nothing of a person: table and column.
IMPERSONAL = {
    ("redemption_uses", column) for column in ("redemption", "rule", "currency", "state")
} | {(table, "destination") for table in ("deliveries", "taken", "forwards")} | {
    ("audit", column) for column in ("who", "role", "action", "state")
}  # fmt: skip
#: Columns that say whose a row is.
OWNERS = {"source_id", "owner", "scope"}
#: These too, by digests of ids.
INDIRECT = {"customer", "customers"}
#: Without these settings triggers of PostgreSQL do the work of a newer program for an older one.
SETTINGS = {"adapter.notes_addresses": "on", "adapter.keeps_redemptions": "on"}

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
Rows = dict[str, list[dict[str, Any]]]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Any]:
    """Open a store for a while."""
    store = open_store(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


_SCHEMA = {
    "sqlite": """
        SELECT tables.name AS table_, columns.name AS column_
        FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'
    """,
    "postgres": """
        SELECT tables.relname::text AS table_, columns.column_name::text AS column_
        FROM pg_class AS tables JOIN information_schema.columns ON columns.table_name = tables.relname
        WHERE columns.table_schema = 'public' AND tables.relkind IN ('r', 'p') AND NOT tables.relispartition
    """,
}


class ClosedStore:
    """The tables of a store that no program has open, read and written without the store's own code."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = "sqlite" if url.startswith("sqlite") else "postgres"

    async def run(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Run a statement with `?` for values, and return its rows."""
        if self.engine == "sqlite":
            connection = apsw.Connection(self.url.removeprefix("sqlite:///"))
            cursor = connection.execute(sql, tuple(values))
            rows = [
                dict(zip((each[0] for each in cursor.getdescription()), row, strict=True)) for row in cursor
            ]
            connection.close()
            return rows
        for at in range(1, len(values) + 1):
            sql = sql.replace("?", f"${at}", 1)
        server = await asyncpg.connect(self.url, server_settings=SETTINGS)
        found = await server.fetch(sql, *values)
        await server.close()
        return [dict(row) for row in found]

    async def schema(self) -> dict[str, set[str]]:
        """Return the columns of each table; partitions are their table."""
        found = await self.run(_SCHEMA[self.engine])
        tables: dict[str, set[str]] = {}
        for row in found:
            tables.setdefault(row["table_"], set()).add(row["column_"])
        return tables

    async def rows(self) -> Rows:
        """Return all rows of all tables."""
        return {table: await self.run(f"SELECT * FROM {table}") for table in await self.schema()}

    async def plant(self, tables: Sequence[Table], customer: str, make: Any, number: int) -> Rows:
        """Insert a row of a customer into each table that has a customer's key, and return the rows.

        Texts contain the customer's id, wherever a text can tell something of a person.
        """
        planted: Rows = {}
        for table in tables:
            if isinstance(table.rows, CustomerRows) and table.engine in (None, self.engine):
                row = planted_row(table, table.rows.column, customer, bodies(make, customer, number), number)
                marks = ", ".join("?" for _ in row)
                sql = f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({marks})"
                await self.run(sql, [self._bound(value) for value in row.values()])
                planted[table.name] = [row]
        return planted

    def _bound(self, value: Any) -> Any:
        return int(value) if isinstance(value, bool) and self.engine == "sqlite" else value


def planted_row(
    table: Table, owner: str, customer: str, body: Mapping[str, bytes], number: int
) -> dict[str, Any]:
    """Return a row of a customer by columns."""
    row: dict[str, Any] = {}
    for column in table.columns:
        text = column.name if (table.name, column.name) in IMPERSONAL else f"{column.name} of {customer}"
        row[column.name] = {
            "text": f"{number} {text}",
            "bytes": f"{number} {table.name} {column.name}".encode(),
            "number": number,
            "boolean": True,
        }[column.kind]
    row |= {owner: customer}
    row |= dict.fromkeys(row.keys() & {"body", "rendered"}, body.get(table.name))
    if "attempts" in row:
        row["attempts"] = encode(Past((PastAttempt(NOW, 1, 500, answer=f"no {customer}"),)))
    if "history" in row:
        row["history"] = b""
    return row


def bodies(make: Any, customer: str, number: int) -> dict[str, bytes]:
    """Return the bodies of a customer's rows by table."""
    event = replace(make.event(f"event of {customer}"), attributes={"note": customer})
    values = {
        "customers": make.customer(customer, name=customer).customer,
        "discounts": make.held(f"{number} code of {customer}", customer),
        "events": event,
        "forwards": event,
        "decisions": make.decision(customer),
        "deliveries": {"user_id": customer},
        "timers": event,
        "pending_moves": make.pending(source_id=customer),
        "redemptions": make.redemption(source_id=customer),
        "rollbacks": make.rollback(source_id=customer),
    }
    return {table: encode(value) for table, value in values.items()}


def naming(rows: Rows, customer: str) -> set[str]:
    """Return the tables with a value that contains a customer's id."""
    mark = customer.encode()
    return {
        table
        for table, found in rows.items()
        for row in found
        for value in row.values()
        if mark in (value if isinstance(value, bytes) else str(value).encode())
    }


def gaps(schema: Mapping[str, set[str]], tables: Sequence[Table], engine: Engine) -> list[str]:
    """Return how the description of the tables differs from the schema of an engine."""
    described = {table.name: table for table in tables if table.engine in (None, engine)}
    found = [f"{name} is described and not there" for name in described.keys() - schema.keys()]
    for name, columns in schema.items():
        if name in BOOKKEEPING:
            found += [f"{name} has customer data" for _ in columns & (OWNERS | INDIRECT)]
        elif name not in described:
            found.append(f"{name} is not described")
        else:
            found += _differences(described[name], columns, engine)
    return found


def _differences(table: Table, columns: set[str], engine: Engine) -> list[str]:
    named = {column.name for column in table.columns}
    # SQLite numbers the rows of wide tables; these numbers are its own.
    unknown = columns - named - ({"id", "number"} if engine == "sqlite" else set())
    found = [f"{table.name}.{column} is not described" for column in unknown]
    found += [f"{table.name}.{column} is not there" for column in {*named, *table.key_in(engine)} - columns]
    if isinstance(table.rows, CustomerRows):
        return found + [f"{table.name} has no {table.rows.column}" for _ in {table.rows.column} - columns]
    return found + [f"{table.name}.{column} is a customer's key" for column in columns & OWNERS]
