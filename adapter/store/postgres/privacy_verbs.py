"""What the PostgreSQL store says of all that it holds of a person."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, TypeVar

from adapter.model.erasures import Receipt
from adapter.model.pages import Page
from adapter.store.addresses import incomplete
from adapter.store.postgres import addresses
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.reads import Reads
from adapter.store.scanning import Looks, Slice, Spot
from adapter.store.values import CustomerData, Forgotten

T = TypeVar("T")


class PrivacyVerbs(ABC):
    """The verbs of `adapter.store.privacy_contract.PrivacyVerbs`; the engine says how a read runs."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a read, or a write of one statement, on a connection."""

    async def held(self, source_id: str, *, apart: bool = False) -> CustomerData:
        """Return all that is held of a person."""
        return await self._read(lambda connection: Reads(connection).held(source_id, apart=apart))

    async def oldest(
        self, kind: Literal["events", "decisions"], source_id: str, after: str | None = None
    ) -> Page[Any]:
        """Return a page of a customer's events or decisions, oldest first."""
        return await self._read(lambda connection: Reads(connection).oldest(kind, source_id, after))

    async def note_addresses(self, limit: int) -> bool:
        """Index the addresses of some customers."""
        if await self._read(lambda connection: Reads(connection).noted()):
            return True
        return await self._read(lambda connection: addresses.note_some(connection, limit))

    async def addressed(self, address: str, after: str = "", limit: int = 100) -> list[str]:
        """Return a page of customers whose data may contain an address."""
        found = await self._read(lambda connection: Reads(connection).addressed(address, after, limit))
        if found is None:
            raise incomplete()
        return found

    async def scan(self, spot: Spot, looks: Looks) -> Slice:
        """Look at one slice of all customers' data."""
        return await self._read(lambda connection: Reads(connection).scan(spot, looks))

    async def forgotten(self, limit: int) -> list[Forgotten]:
        """Return erasures under way."""
        return await self._read(lambda connection: Reads(connection).forgotten(limit))

    async def finish_erasure(self, done: Forgotten, removed: Mapping[str, int]) -> None:
        """Delete the names of an erasure."""
        await self._read(lambda connection: addresses.finish(connection, done, removed))

    async def receipts(self, source_id: str) -> list[Receipt]:
        """Return the receipts of erasures of an id."""
        return await self._read(lambda connection: Reads(connection).receipts(source_id))
