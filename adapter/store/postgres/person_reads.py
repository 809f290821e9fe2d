"""Reads of all that is held of a person, and of erasures."""

from __future__ import annotations

import asyncio
from typing import Any

from adapter.model.erasures import Receipt, fingerprint
from adapter.store.addresses import address_digest
from adapter.store.erasures import (
    meant,
    name_digests,
    occurrence,
    read_forgotten,
    read_receipt,
    with_forwarded,
)
from adapter.store.owners import leading
from adapter.store.postgres.reading import Reading
from adapter.store.postgres.statements import REDACTIONS
from adapter.store.postgres.text import array
from adapter.store.rows import read_customer, read_decision, read_event
from adapter.store.scanning import Looks, Slice, Spot, query, scanned
from adapter.store.tables.customer_sql import of_customers
from adapter.store.tables.description import Listed
from adapter.store.tables.registry import TABLES
from adapter.store.unmapped_rows import read_excerpt
from adapter.store.values import CustomerData, Forgotten

_TABLES = of_customers(TABLES, "postgres")


class PersonReads(Reading):
    """See the contract for what each returns."""

    async def held(self, name: str, *, apart: bool) -> CustomerData:
        """Return all that is held of a person, as one snapshot."""
        async with self._snapshot():
            key = await self._resolve(name)
            record = await self._rows("record_of", key)
            customer = read_customer(record[0][0]) if record else None
            own = (customer.known_as if customer else "") or key
            names = [(row[0], row[1]) for row in await self._rows("names_of", key)]
            named = name_digests(meant({key}, customer, names))
            one = array([] if apart else [key])
            events = [read_event(row[1]) for row in await self._rows("past", one)]
            return CustomerData(
                source_id=own,
                customer=customer.named() if customer else None,
                history=record[0][1] if record else b"",
                names=leading(names, key, own),
                events=sorted(events, key=occurrence),
                decisions=[read_decision(own, row[1]) for row in await self._rows("all_decisions", one)],
                quarantined=[read_excerpt(row) for row in await self._rows("quarantined_naming", named)],
                **await self._listed(key, own),
            )

    async def noted(self) -> bool:
        """Return whether the addresses of all customers are indexed."""
        return not (await self._rows("is_unaddressed"))[0][0]

    async def addressed(self, address: str, after: str, limit: int) -> list[str] | None:
        """Return a page of customers whose data may contain an address; None while not all are indexed."""
        found = await self._rows("addressed", address_digest(address), after, limit)
        # Checked last, because a customer who was added meanwhile may be missing.
        if not await self.noted():
            return None
        return [row[0] for row in found]

    async def scan(self, spot: Spot, looks: Looks) -> Slice:
        """Look at one slice of all customers' data."""
        asked = query(spot, REDACTIONS, "postgres")
        rows = list(map(tuple, await self._connection.fetch(asked.sql, *asked.values)))
        return await asyncio.to_thread(scanned, spot, asked, rows, looks)

    async def forgotten(self, limit: int) -> list[Forgotten]:
        """Return erasures under way."""
        return [read_forgotten(row) for row in await self._rows("erasures_under_way", limit)]

    async def receipts(self, source_id: str) -> list[Receipt]:
        """Return receipts, newest first."""
        customer = fingerprint(source_id)
        receipts = [read_receipt(row) for row in await self._rows("receipts", customer)]
        rows = await self._rows("forwarded_erasures", customer) if receipts else []
        return with_forwarded(receipts, [tuple(row) for row in rows])

    async def _listed(self, key: str, own: str) -> dict[str, Any]:
        """Return the members of an export that are lists of rows."""
        found: dict[str, Any] = {}
        for table, described in _TABLES:
            if isinstance(described.export, Listed):
                shared = described.shared and not key
                rows = [] if shared else await self._rows(f"export_{table.name}", key)
                found[described.export.member] = described.export.values(rows, key, own)
        return found
