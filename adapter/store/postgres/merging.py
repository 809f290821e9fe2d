"""Making several customers one: what the rows of those who were merged become; runs inside a transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from adapter.model.events import Event
from adapter.model.window_slots import Limit, extra, keeping_slots, sorted_anew
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.rows import MOVES, discount_row, given_to, joining, read_held, read_lost


class Merging:
    """Gives rows to other customers, all at once: a statement for each table, however many are merged."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection = connection
        self._now = now

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
        await self._move_counters({old: new for old, new in pairs if old and new})
        return read_lost((row["old"], row["body"]) for row in left)

    async def _move_discounts(self, owners: Mapping[str, str]) -> None:
        rows = await self._connection.fetch(SQL["discounts_held"], array(owners))
        if rows:
            moved = [given_to(read_held(row[0]), owners) for row in rows]
            await self._connection.execute(SQL["drop_moved_discounts"], array(owners))
            await self._many("put_discounts", map(discount_row, moved))

    async def _move_counters(self, owners: Mapping[str, str]) -> None:
        slots = await self._slots(owners.keys() | set(owners.values()))
        await self._many("move_counters", sorted(owners.items()))
        for new, holders in joining(owners, slots).items():
            more = extra(holders, self._now)
            await self._many("take_slots", [(new, key, used) for key, used in sorted(more.items())])
            if limits := sorted_anew(holders, self._now):
                await self._keep_slots(new, limits)

    async def _keep_slots(self, owner: str, limits: Collection[Limit]) -> None:
        open_ones = [
            read_held(row[0]) for row in await self._connection.fetch(SQL["open_discounts_of"], owner)
        ]
        kept = [keeping_slots(held, limits) for held in open_ones]
        changed = [one for one, held in zip(kept, open_ones, strict=True) if one is not held]
        await self._many("put_discounts", map(discount_row, changed))

    async def _slots(self, scopes: Iterable[str]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for row in await self._connection.fetch(SQL["slot_counters"], array(sorted(scopes))):
            found[row["scope"]][row["key"]] = row["used"]
        return found

    async def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Bind rows as one array per column."""
        taken = arrays(rows)
        if taken:
            await self._connection.execute(SQL[statement], *taken)
