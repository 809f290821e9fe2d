"""A connection that reads, and what all reads use."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import apsw

from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.store.erasures import meant, name_digests
from adapter.store.owners import given_to, own_names
from adapter.store.paging import Cursor, page
from adapter.store.rows import read_customer
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.statements import SQL

T = TypeVar("T")


class Reading:
    """One connection, whose reads block."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def connection(self) -> apsw.Connection:
        """The connection, for queries of other modules."""
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _page(
        self, statement: str, owner: str, limit: int, begin: Cursor, read: Callable[[bytes], T]
    ) -> Page[T]:
        values = (owner, limit + 1, begin.moment, begin.tie, begin.skip)
        return page(self._connection.execute(SQL[statement], values), begin, limit, read)

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        return self._connection.execute(SQL[statement], values).fetchall()

    def _names(self, keys: Collection[str]) -> dict[str, str]:
        return own_names(self._rows("known_as", array(keys))) if keys else {}

    def _named(self, discounts: list[DiscountRecord]) -> list[DiscountRecord]:
        names = self._names({held.source_id for held in discounts})
        return [given_to(held, names) for held in discounts] if names else discounts

    def _resolve(self, name: str) -> str:
        return str(self._rows("resolve", name)[0][0])

    def _digests_of(self, name: str) -> list[bytes]:
        source_id = self._resolve(name)
        [(body, _)] = self._rows("record_of", source_id) or [(None, b"")]
        customer = read_customer(body) if body else None
        return name_digests(meant({source_id}, customer, self._rows("names_of", source_id)))
