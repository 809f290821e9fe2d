"""A PostgreSQL store as one end of a copy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asyncpg import UniqueViolationError

from adapter.store.copy import taken
from adapter.store.postgres.connection import Connection, transaction
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import arrays
from adapter.store.tables.copy_sql import Row, columns_of, sized_page_sql, sums_sql
from adapter.store.tables.description import Kind, Table

_TYPES = {"text": "text", "bytes": "bytea", "number": "bigint", "boolean": "boolean"}
#: Text is as long as it was before its zero characters were escaped (see `text`).
_LENGTHS: dict[Kind, str] = {
    "text": r"octet_length(replace(replace({}, E'\x010', '-'), E'\x011', '-'))",
    "bytes": "octet_length({})",
}
#: Whole tables are read for the sums.
_TIMEOUT = 3600.0
Use = Callable[[Callable[[Connection], Awaitable[Any]]], Awaitable[Any]]


class PostgresEnd:
    """See `adapter.store.copy.CopyEndpoint`; `use` runs work on a connection."""

    def __init__(self, use: Use) -> None:
        self._use = use

    def key(self, table: Table) -> tuple[str, ...]:
        """Return the key by which the table is read."""
        return table.key_in("postgres")

    async def page(self, table: Table, after: Row | None, limit: int) -> list[Row]:
        """Return the rows after a key."""
        sql = sized_page_sql(table, self.key(table), first=after is None)
        rows = await self._use(lambda connection: connection.fetch(sql, *(after or ()), limit))
        return [tuple(row) for row in rows]

    async def put(self, table: Table, rows: list[Row], reached: str) -> None:
        """Insert rows, and of discounts their codes."""
        given = ", ".join(f"${at}::{_TYPES[column.kind]}[]" for at, column in enumerate(table.columns, 1))
        sql = f"INSERT INTO {table.name} ({columns_of(table)}) SELECT * FROM unnest({given})"  # noqa: S608 - names are ours
        columns = arrays(rows)
        for at, column in enumerate(table.columns):
            if column.kind == "boolean":
                columns[at] = [bool(value) for value in columns[at]]

        async def put(connection: Connection) -> None:
            async with transaction(connection):
                await connection.execute(sql, *columns)
                if table.name == "discounts":
                    codes = columns[table.index("code")], columns[table.index("source_id")]
                    await connection.execute(SQL["add_codes"], *codes)
                await connection.execute(SQL["reach"], table.name, reached)

        try:
            await self._use(put)
        except UniqueViolationError as error:
            raise taken(table.name) from error

    async def clear(self, table: Table) -> None:
        """Delete the rows of a table."""
        sql = f"DELETE FROM {table.name}"  # noqa: S608 - names are ours
        await self._use(lambda connection: connection.execute(sql))

    async def reach(self, name: str, reached: str) -> None:
        """Store an entry."""
        await self._use(lambda connection: connection.execute(SQL["reach"], name, reached))

    async def reached(self, name: str) -> str | None:
        """Return an entry."""
        found = await self._use(lambda connection: connection.fetchval(SQL["reached"], name))
        return None if found is None else str(found)

    async def sums(self, table: Table) -> tuple[int, ...]:
        """Return count and sums."""
        sql = sums_sql(table, _LENGTHS)
        row = await self._use(lambda connection: connection.fetchrow(sql, timeout=_TIMEOUT))
        return tuple(int(value) for value in row)

    async def clear_note(self, name: str) -> None:
        """Delete an entry."""
        await self._use(lambda connection: connection.execute(SQL["clear_note"], name))

    async def finish(self) -> None:
        """Let numbering go on, and forget the progress."""

        async def finish(connection: Connection) -> None:
            await connection.execute(SQL["next_numbers"])
            await connection.execute(SQL["clear_progress"])

        await self._use(finish)
