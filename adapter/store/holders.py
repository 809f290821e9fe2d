"""The customers of leased deliveries, for destinations that render them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.deliveries import Delivery, Holder
from adapter.model.discounts import DiscountRecord
from adapter.store.rows import read_customer, read_held

#: The codes of a customer that are read, the newest: a profile has room for few.
MOST_CODES: Final = 100


def wanted(deliveries: Iterable[Delivery]) -> list[str]:
    """Return the keys of the customers of deliveries.

    Those that were rendered before count too: a destination of another type may have done it.
    """
    return sorted({each.source_id for each in deliveries if each.source_id})


def with_holders(
    deliveries: Sequence[Delivery],
    customers: Iterable[Iterable[Any]],
    discounts: Iterable[Iterable[Any]],
    now: datetime,
) -> list[Delivery]:
    """Return deliveries with their customers, of rows of key and body."""
    known = {key: read_customer(body) for key, body in customers}
    by_owner: dict[str, list[DiscountRecord]] = defaultdict(list)
    for key, body in discounts:
        held = read_held(body)
        if held.status_at(now) in ("issued", "applied"):
            by_owner[key].append(held)
    holders = {key: _holder(known.get(key), by_owner.get(key, ())) for key in wanted(deliveries)}
    return [
        replace(each, holder=holders[each.source_id]) if each.source_id in holders else each
        for each in deliveries
    ]


def _holder(customer: Customer | None, discounts: Sequence[DiscountRecord]) -> Holder:
    newest = sorted(discounts, key=attrgetter("issued_at"), reverse=True)
    found = {
        development: [held.discount.code for held in newest if held.is_development is development]
        for development in (False, True)
    }
    codes, tested = (tuple(sorted(found[development][:MOST_CODES])) for development in (False, True))
    return Holder(None if customer is None else customer.named(), codes, tested)
