"""Making several customers one: what the rows of those who were merged become; runs inside a transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import apsw

from adapter.model.events import Event
from adapter.store.rows import MOVES, discount_row, given_to, read_held, read_lost
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.statements import SQL


class Merging:
    """Gives rows to other customers; what a customer takes over costs nothing of what they have."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def move(self, owners: Mapping[str, str]) -> dict[str, list[Event]]:
        """Give all that each old customer has to their new owner, and leave a redirect.

        Returns, by old customer, the events that are not moved: another of those who become one has them.
        """
        pairs = sorted(owners.items())
        moved = [given_to(held, owners) for held in self._discounts(owners)]
        self._many("replace_discount", map(discount_row, moved))
        for statement in ("move_events", *MOVES):
            self._many(statement, pairs)
        olds = [(old,) for old, _ in pairs]
        left: list[Any] = self._connection.executemany(SQL["drop_left_events"], olds).fetchall()
        for statement in ("drop_timers", "drop_pending_moves", "drop_customer"):
            self._many(statement, olds)
        self._many("end_redirect", [(new,) for new in sorted(set(owners.values()))])
        self._many("put_identity", [("source_id", *pair) for pair in pairs])
        self._move_counters({old: new for old, new in pairs if old and new})
        return read_lost(left)

    def _move_counters(self, owners: Mapping[str, str]) -> None:
        self._many("move_counters", owners.items())
        self._many("drop_counters", [(old,) for old in owners])

    def _discounts(self, owners: Collection[str]) -> list[Any]:
        rows: list[Any] = self._connection.execute(SQL["discounts_held"], (array(owners),)).fetchall()
        return [read_held(row[0]) for row in rows]

    def _many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._connection.executemany(SQL[statement], rows)
