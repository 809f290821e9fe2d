"""Making several customers one: what the rows of those who were merged become; runs inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapter.model.events import Event
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.rows import MOVES, discount_row, given_to, read_held, read_lost


class Merging:
    """Gives rows to other customers, all at once: a statement for each table, however many are merged."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def move(self, owners: Mapping[str, str]) -> dict[str, list[Event]]:
        """Give all that each old customer has to their new owner, and leave a redirect.

        Returns, by old customer, the events that are not moved: another of those who become one has them.
        """
        pairs = sorted(owners.items())
        await self._move_discounts(owners)
        await self._many("move_codes", pairs)
        left = await self._connection.fetch(SQL["move_events"], *arrays(pairs))
        for statement in MOVES:
            await self._many(statement, pairs)
        await self._connection.execute(SQL["drop_moved_customers"], array(sorted(owners)))
        await self._connection.execute(SQL["end_redirects"], array(sorted(set(owners.values()))))
        await self._many("put_identities", [("source_id", *pair) for pair in pairs])
        await self._many("move_counters", [(old, new) for old, new in pairs if old and new])
        return read_lost((row["old"], row["body"]) for row in left)

    async def _move_discounts(self, owners: Mapping[str, str]) -> None:
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
