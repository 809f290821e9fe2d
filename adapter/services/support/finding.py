"""Find customers by whatever somebody has of them: an id of any kind, an email address, or a code."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from adapter.errors import AdapterError
from adapter.model.customers import Customer
from adapter.model.emails import normal
from adapter.services.discounts import DiscountService
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store

Matched = Literal["source_id", "merged id", "identity", "email", "code", "message"]
#: So many rows of the journal are looked at for ids that no index has.
_ROWS = 20


class FoundCustomer(Struct, frozen=True):
    """A customer, and by what they were found; `kind` is that of the identity."""

    customer: Customer
    by: Matched
    kind: str = ""


class Finder:
    """Finds customers; raises Unavailable where the store cannot be read."""

    def __init__(self, store: Store, discounts: DiscountService, patience: ReadTimeout) -> None:
        self._store = store
        self._discounts = discounts
        self._read = patience.read

    async def find(self, text: str) -> list[FoundCustomer]:
        """Return whom a text may mean, those whose own id it is first; at most 100 have an address.

        Ids of kinds that link no customers, as a phone number, are found by messages in the journal alone.
        """
        named = text.strip()
        if not named:
            return []
        found = await self._by_name(named)
        found += await self._by_email(named)
        if not found:
            found = await self._by_code(named) or await self._by_journal(named)
        first: dict[str, FoundCustomer] = {}
        for each in found:
            first.setdefault(each.customer.source_id, each)
        return list(first.values())

    async def _by_name(self, named: str) -> list[FoundCustomer]:
        customer = await self._read(self._store.customer(named))
        return [] if customer is None else [matched(customer, named)]

    async def _by_email(self, named: str) -> list[FoundCustomer]:
        if normal(named) is None:
            return []
        return [FoundCustomer(each, "email") for each in await self._discounts.customers_with(named)]

    async def _by_code(self, named: str) -> list[FoundCustomer]:
        try:
            held = await self._read(self._store.discount(named))
        except AdapterError:  # the text may be several codes
            return []
        customer = None if held is None else await self._read(self._store.customer(held.source_id))
        return [] if customer is None else [FoundCustomer(customer, "code")]

    async def _by_journal(self, named: str) -> list[FoundCustomer]:
        """Return customers who have an identity that stands in recorded messages."""
        rows = await self._read(self._store.journal_of(named, limit=_ROWS))
        names = {
            name
            for row in rows
            for entry in row.entries()
            if named in entry.names
            for name in entry.names
            if name != named
        }
        found = [await self._read(self._store.customer(name)) for name in sorted(names)[:_ROWS]]
        return [matched(each, named, "message") for each in found if each is not None]


def matched(customer: Customer, named: str, otherwise: Matched = "merged id") -> FoundCustomer:
    """Return by what a customer was found under a name."""
    if customer.source_id == named:
        return FoundCustomer(customer, "source_id")
    kind = next((kind for kind, value in customer.identities.items() if value == named), "")
    return FoundCustomer(customer, "identity", kind) if kind else FoundCustomer(customer, otherwise)
