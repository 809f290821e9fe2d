"""Merges customers: gives their rows to the surviving customer; runs inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapter.model.events import Event
from adapter.store.owners import given_to
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.rows import discount_row, read_held, read_lost
from adapter.store.tables.customer_sql import of_customers
from adapter.store.tables.description import Combine, Fold, Move, Rewrite
from adapter.store.tables.registry import TABLES

_TABLES = of_customers(TABLES, "postgres")


class Merging:
    """Gives rows to other customers with one statement for each table, for all merges of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def move(self, owners: Mapping[str, str]) -> dict[str, list[Event]]:
        """Give all rows of each old customer to their new owner, and save a redirect.

        Returns, by old customer, the events that are deleted, because another of the merged customers has
        them.
        """
        pairs = sorted(owners.items())
        lost: list[Any] = []
        for table, rows in _TABLES:
            owned = [(old, new) for old, new in pairs if old and new] if rows.shared else pairs
            if isinstance(rows.merge, Rewrite):
                await self._rewrite_discounts(owners)
            elif not isinstance(rows.merge, Fold):
                lost += await self._move(table.name, rows.merge, owned)
        for table, rows in _TABLES:
            if isinstance(rows.merge, Fold):
                await self._connection.execute(SQL[f"drop_moved_{table.name}"], array(sorted(owners)))
        await self._connection.execute(SQL["end_redirects"], array(sorted(set(owners.values()))))
        await self._many("put_identities", [("source_id", *pair) for pair in pairs])
        return read_lost((row["old"], row["body"]) for row in lost)

    async def _move(
        self, table: str, merge: Move | Combine, pairs: Sequence[tuple[str, str]]
    ) -> Sequence[Any]:
        if isinstance(merge, Combine) and merge.returned:
            return await self._connection.fetch(SQL[merge.statement], *arrays(pairs, 2))
        await self._many(merge.statement if isinstance(merge, Combine) else f"move_{table}", pairs)
        return ()

    async def _rewrite_discounts(self, owners: Mapping[str, str]) -> None:
        rows = await self._connection.fetch(SQL["discounts_held"], array(owners))
        if rows:
            moved = [given_to(read_held(row[0]), owners) for row in rows]
            await self._connection.execute(SQL["drop_moved_discounts"], array(owners))
            await self._many("put_discounts", map(discount_row, moved))

    async def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Bind rows as one array per column."""
        taken = arrays(rows)
        if taken:
            await self._connection.execute(SQL[statement], *taken)
