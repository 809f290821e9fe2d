"""A SQLite store as one end of a copy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import apsw

from adapter.store.copy import taken
from adapter.store.sqlite.statements import SQL
from adapter.store.tables.copy_sql import PAGE_BYTES, Row, columns_of, page_sql, sums_sql
from adapter.store.tables.description import Table

Write = Callable[[Callable[[apsw.Connection], Any]], Awaitable[Any]]


class SqliteEnd:
    """See `adapter.store.copy.CopyEndpoint`; `write` runs work in a transaction on the writer thread."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def key(self, table: Table) -> tuple[str, ...]:
        """Return the key by which the table is read."""
        return table.key_in("sqlite")

    async def page(self, table: Table, after: Row | None, limit: int) -> list[Row]:
        """Return the rows after a key."""
        sql = page_sql(table, self.key(table), "?", first=after is None)

        def read(connection: apsw.Connection) -> list[Row]:
            rows, size = list[Row](), 0
            for row in connection.execute(sql, (*(after or ()), limit)):
                rows.append(row)
                size += sum(len(value) for value in row if type(value) is bytes)
                if size >= PAGE_BYTES:
                    break
            return rows

        return list(await self._write(read))

    async def put(self, table: Table, rows: list[Row], reached: str) -> None:
        """Insert rows."""
        marks = ", ".join("?" for _ in table.columns)
        sql = f"INSERT INTO {table.name} ({columns_of(table)}) VALUES ({marks})"  # noqa: S608 - names are ours

        def put(connection: apsw.Connection) -> None:
            connection.executemany(sql, rows)
            connection.execute(SQL["reach"], (table.name, reached))
            if table.name == "events":
                connection.execute(SQL["count_events"], (len(rows),))

        try:
            await self._write(put)
        except apsw.ConstraintError as error:
            raise taken(table.name) from error

    async def clear(self, table: Table) -> None:
        """Delete the rows of a table."""
        sql = f"DELETE FROM {table.name}"  # noqa: S608 - names are ours
        await self._write(lambda connection: connection.execute(sql))

    async def reach(self, name: str, reached: str) -> None:
        """Store an entry."""
        await self._write(lambda connection: connection.execute(SQL["reach"], (name, reached)))

    async def reached(self, name: str) -> str | None:
        """Return an entry."""
        found = await self._write(lambda connection: connection.execute(SQL["reached"], (name,)).get)
        return None if found is None else str(found)

    async def sums(self, table: Table) -> tuple[int, ...]:
        """Return count and sums."""
        sql = sums_sql(table, {"text": "length(CAST({} AS BLOB))", "bytes": "length({})"})
        row = await self._write(lambda connection: connection.execute(sql).fetchone())
        return tuple(row)

    async def clear_note(self, name: str) -> None:
        """Delete an entry."""
        await self._write(lambda connection: connection.execute(SQL["clear_note"], (name,)))

    async def finish(self) -> None:
        """Forget the progress."""
        await self._write(lambda connection: connection.execute(SQL["clear_progress"]))
