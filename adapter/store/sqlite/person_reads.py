"""Reads of all that is held of a person, and of erasures."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import apsw

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
from adapter.store.rows import read_customer, read_decision, read_event
from adapter.store.scanning import Looks, Slice, Spot, query, scanned
from adapter.store.sqlite.connection import array, snapshot
from adapter.store.sqlite.reading import Reading
from adapter.store.sqlite.statements import REDACTIONS
from adapter.store.tables.customer_sql import of_customers
from adapter.store.tables.description import Listed
from adapter.store.tables.registry import TABLES
from adapter.store.unmapped_rows import read_excerpt
from adapter.store.values import CustomerData, Forgotten

_TABLES = of_customers(TABLES, "sqlite")


class PersonReads(Reading):
    """See the contract for what each returns."""

    def held(self, name: str, *, apart: bool) -> CustomerData:
        """Return all that is held of a person, in one transaction."""
        with snapshot(self._connection):
            key = self._resolve(name)
            held, one = self._held(key), array([key])
            if not apart:
                held.events = sorted((read_event(row[1]) for row in self._rows("past", one)), key=occurrence)
                decisions = self._rows("all_decisions", one)
                held.decisions = [read_decision(held.source_id, body) for _, body in decisions]
            return held

    def noted(self) -> bool:
        """Return whether the addresses of all customers are indexed."""
        return not self._rows("is_unaddressed")[0][0]

    def addressed(self, address: str, after: str, limit: int) -> list[str] | None:
        """Return a page of customers whose data may contain an address; None while not all are indexed."""
        with snapshot(self._connection):
            if not self.noted():
                return None
            return [row[0] for row in self._rows("addressed", address_digest(address), after, limit)]

    def scan(self, spot: Spot, looks: Looks) -> Slice:
        """Look at one slice of all customers' data."""
        asked = query(spot, REDACTIONS, "sqlite")
        with closing(self._connection.execute(asked.sql, asked.values)) as rows:
            return scanned(spot, asked, rows, looks)

    def forgotten(self, limit: int) -> list[Forgotten]:
        """Return erasures under way."""
        return [read_forgotten(row) for row in self._rows("erasures_under_way", limit)]

    def receipts(self, source_id: str) -> list[Receipt]:
        """Return receipts, newest first."""
        customer = fingerprint(source_id)
        receipts = [read_receipt(row) for row in self._rows("receipts", customer)]
        return with_forwarded(receipts, self._rows("forwarded_erasures", customer)) if receipts else []

    def _held(self, key: str) -> CustomerData:
        [(body, history)] = self._rows("record_of", key) or [(None, b"")]
        customer = read_customer(body) if body else None
        own = (customer.known_as if customer else "") or key
        names = self._rows("names_of", key)
        named = apsw.carray(tuple(name_digests(meant({key}, customer, names))))
        return CustomerData(
            source_id=own,
            customer=customer.named() if customer else None,
            history=history,
            names=leading(names, key, own),
            events=[],
            decisions=[],
            quarantined=[read_excerpt(row) for row in self._rows("quarantined_naming", named)],
            **self._listed(key, own),
        )

    def _listed(self, key: str, own: str) -> dict[str, Any]:
        """Return the members of an export that are lists of rows."""
        found: dict[str, Any] = {}
        for table, described in _TABLES:
            if isinstance(described.export, Listed):
                shared = described.shared and not key
                rows = [] if shared else self._rows(f"export_{table.name}", key)
                found[described.export.member] = described.export.values(rows, key, own)
        return found
