"""What an order has already: the hold that a redemption takes over, and a redemption that is asked for again.

A hold is named by its id. Without the id, it is found by its order and one of its codes, and only for its own
customer: a hold without a customer belongs to whoever has the id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapter.model.codes import folded
from adapter.model.discounts import DiscountRecord
from adapter.model.redemptions import Redemption
from adapter.pricing import Order
from adapter.services.checkout.documents import money
from adapter.store.checkout_values import BookedState


def hold_by_id(wanted: str | None, booked: BookedState) -> Redemption | None:
    """Return the hold that is named."""
    return None if wanted is None else booked.redemptions.get(wanted)


def hold_by_order(
    codes: Iterable[str], booked: BookedState, usable: Callable[[Redemption], bool]
) -> Redemption | None:
    """Return the hold of one of these codes on the same order, of those that the caller may take."""
    asked = set(map(folded, codes))
    ids = {id_ for (_, code), id_ in booked.on_orders.items() if folded(code) in asked}
    found = [booked.redemptions[id_] for id_ in sorted(ids) if id_ in booked.redemptions]
    return next((each for each in found if usable(each)), None)


def applied_holds(records: Iterable[DiscountRecord]) -> list[str]:
    """Return the ids of the holds that applications of discounts have made."""
    return sorted({held.terms.applied_in for held in records if held.terms.applied_in is not None})


def same_lines(first: Redemption, order: Order | None) -> bool:
    """Tell whether a redemption was booked for these lines at these prices, shipping included.

    True where one of the two says nothing of lines. An order of the event stream has ids of its own.
    """
    if order is None or first.priced is None or first.origin == "stream":
        return True
    return (first.currency, _before(first.priced)) == (order.currency, _of(order))


def _before(priced: Mapping[str, Any]) -> dict[str, str]:
    return {str(line["id"]): str(line["before"]) for line in priced["lines"]}


def _of(order: Order) -> dict[str, str]:
    items = {line.id: line.total for line in order.lines}
    shipping = {one.id: one.price for one in order.shipping}
    return {id_: money(amount, order.currency) for id_, amount in {**items, **shipping}.items()}
