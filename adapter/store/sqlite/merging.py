"""Merges customers: gives their rows to the surviving customer; runs inside a transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import apsw

from adapter.model.events import Event
from adapter.store.owners import given_to
from adapter.store.rows import discount_row, read_held, read_lost
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.statements import SQL
from adapter.store.tables.customer_sql import of_customers
from adapter.store.tables.description import Combine, CustomerRows, DeletedWith, Fold, Move, Rewrite
from adapter.store.tables.registry import TABLES

_TABLES = of_customers(TABLES, "sqlite")


class Merging:
    """Gives rows to other customers; the cost does not depend on what the surviving customer has."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def move(self, owners: Mapping[str, str]) -> dict[str, list[Event]]:
        """Give all rows of each old customer to their new owner, and save a redirect.

        Returns, by old customer, the events that are deleted, because another of the merged customers has
        them.
        """
        pairs = sorted(owners.items())
        lost: list[Any] = []
        for table, rows in _TABLES:
            owned = [(old, new) for old, new in pairs if old and new] if rows.shared else pairs
            if isinstance(rows.merge, Rewrite):
                self._rewrite_discounts(owners)
            elif not isinstance(rows.merge, Fold):
                lost += self._move(table.name, rows, rows.merge, owned)
        for table, rows in _TABLES:
            if isinstance(rows.merge, Fold):
                self._many(f"erase_{table.name}", [(old,) for old, _ in pairs])
        self._many("end_redirect", [(new,) for new in sorted(set(owners.values()))])
        self._many("put_identity", [("source_id", *pair) for pair in pairs])
        return read_lost(lost)

    def _move(
        self, table: str, rows: CustomerRows, merge: Move | Combine, pairs: Sequence[tuple[str, str]]
    ) -> list[Any]:
        """Move or combine the rows of a table, and delete and return those that are left."""
        combined = isinstance(merge, Combine)
        self._many(merge.statement if isinstance(merge, Combine) else f"move_{table}", pairs)
        if isinstance(rows.erase, DeletedWith) or not (combined or merge == Move(keep_existing=True)):
            return []
        left = SQL[f"erase_{table}"]
        if isinstance(merge, Combine) and merge.returned:
            left += f" RETURNING {rows.column}, {merge.returned}"
        return self._connection.executemany(left, [(old,) for old, _ in pairs]).fetchall()

    def _rewrite_discounts(self, owners: Mapping[str, str]) -> None:
        moved = [given_to(held, owners) for held in self._discounts(owners)]
        self._many("replace_discount", map(discount_row, moved))

    def _discounts(self, owners: Collection[str]) -> list[Any]:
        rows: list[Any] = self._connection.execute(SQL["discounts_held"], (array(owners),)).fetchall()
        return [read_held(row[0]) for row in rows]

    def _many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._connection.executemany(SQL[statement], rows)
