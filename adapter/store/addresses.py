"""The index of email addresses in customers' data by digest, as both engines have it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any

from adapter.errors import Unavailable
from adapter.model.customers import Customer
from adapter.model.emails import each_in, may_hold
from adapter.model.encoding import encode
from adapter.model.redemptions import Redemption
from adapter.model.removals import Removal
from adapter.store.tables.redaction_sql import Redaction
from adapter.store.values import Place

#: (digest of an address, source_id).
Row = tuple[bytes, str]
#: At most so many addresses of one document are indexed; a customer with more is found by every address.
MOST = 1_000
MANY = b""


def incomplete() -> Unavailable:
    """Return the error while customers cannot be found by an address."""
    message = "the email addresses that an older program stored are still being indexed: ask again"
    return Unavailable(message, retry_after=5)


def address_digest(address: str) -> bytes:
    """Return the 16-byte digest of the normal spelling of an address."""
    return blake2b(address.encode("utf-8", "replace"), digest_size=16).digest()


def addresses_in(document: bytes) -> set[bytes]:
    """Return the digests of all addresses in a document."""
    if not may_hold(document):
        return set()
    found = list(islice(each_in(document.decode("utf-8", "replace")), MOST + 1))
    return {MANY} if len(found) > MOST else set(map(address_digest, found))


def address_rows(
    records: Iterable[tuple[Customer, bytes]],
    events: Iterable[tuple[str, bytes]],
    customers: Mapping[str, Customer],
) -> list[Row]:
    """Return the rows to index, in order: of records whose facts changed, and of events by their owners.

    The addresses of an event's own customer, among `customers`, are noted with their record.
    """
    rows = {(digest, each.source_id) for each, body in records for digest in addresses_in(body)}
    for owner, body in events:
        if may_hold(body):
            own = customers.get(owner)
            rest = body if own is None else _without_own(body, own.names())
            rows.update((digest, owner) for digest in addresses_in(rest))
    return sorted(rows)


def redemption_addresses(redemptions: Iterable[Redemption], owner: Callable[[str], str]) -> list[Row]:
    """Return the rows to index of redemptions of customers, in order."""
    found = {
        (digest, owner(each.source_id))
        for each in redemptions
        if each.source_id
        for digest in addresses_in(encode(each))
    }
    return sorted(found)


def all_rows(source_id: str, documents: Iterable[bytes]) -> set[Row]:
    """Return the rows to index of all documents of one customer."""
    return {(digest, source_id) for document in documents for digest in addresses_in(document)}


def from_place(redactions: Mapping[str, Redaction], after: Place | None) -> list[tuple[str, Redaction]]:
    """Return the tables that are still to be rewritten, first the one that `after` names."""
    tables = list(redactions.items())
    return tables if after is None else tables[list(redactions).index(after[0]) :]


def rewritten(
    table: str, key: Sequence[Any], values: Sequence[Any], removal: Removal
) -> tuple[Any, ...] | None:
    """Return a row's values without what is removed, none where its key holds it; None where all stays."""
    if any(isinstance(part, str) and removal.is_key(table, part) for part in key):
        return ()
    kept = tuple(_rewritten(table, value, removal) for value in values)
    return None if kept == tuple(values) else kept


def _rewritten(table: str, value: Any, removal: Removal) -> Any:
    if isinstance(value, bytes):
        return removal.document(value, table)
    return removal.text(value) if isinstance(value, str) else value


def _without_own(body: bytes, names: Collection[str]) -> bytes:
    for name in names:
        if "@" in name:
            body = body.replace(encode(name), b"")
    return body
