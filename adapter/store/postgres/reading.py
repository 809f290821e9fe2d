"""A connection that reads, and what all reads use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.store.erasures import meant, name_digests
from adapter.store.owners import given_to, own_names
from adapter.store.paging import Cursor, page
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array
from adapter.store.rows import read_customer
from adapter.store.values import PAGE_BYTES

T = TypeVar("T")


class Reading:
    """One connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[None]:
        """Let all reads inside see one moment; where they end early the connection is not used again."""
        await self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
        await self._connection.execute("COMMIT")

    async def _page(
        self, statement: str, owner: str, limit: int, begin: Cursor, read: Callable[[bytes], T]
    ) -> Page[T]:
        rows = await self._rows(statement, owner, limit + 1, begin.moment, begin.tie, begin.skip, PAGE_BYTES)
        return page(((row[0], row[1], row[2]) for row in rows), begin, limit, read)

    async def _rows(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(SQL[statement], *values)

    async def _names(self, keys: Collection[str]) -> dict[str, str]:
        rows = await self._rows("known_as", array(keys)) if keys else []
        return own_names((row[0], row[1]) for row in rows)

    async def _named(self, discounts: list[DiscountRecord]) -> list[DiscountRecord]:
        names = await self._names({held.source_id for held in discounts})
        return [given_to(held, names) for held in discounts] if names else discounts

    async def _resolve(self, name: str) -> str:
        return str((await self._rows("resolve", name))[0][0])

    async def _digests_of(self, name: str) -> list[bytes]:
        source_id = await self._resolve(name)
        record = await self._rows("record_of", source_id)
        customer = read_customer(record[0][0]) if record else None
        names = [(row[0], row[1]) for row in await self._rows("names_of", source_id)]
        return name_digests(meant({source_id}, customer, names))
