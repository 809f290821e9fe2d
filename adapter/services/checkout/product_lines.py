"""Lines of orders in the event stream, named by their products; a product may be on several lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.model.redemptions import Redemption
from adapter.pricing.numbers import QUANTITY_DIGITS, quantity, scaled
from adapter.services.checkout.requests import Returned

#: Stands between the name of a product and the number of its line, from the second on.
_AGAIN = "#"


def with_distinct_lines(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order in which a product's second line is `PRODUCT#2`: each line needs an id of its own."""
    taken: set[str] = set()
    document = dict(order)
    for name in ("lines", "shipping"):
        rows = order.get(name)
        if isinstance(rows, list):
            document[name] = [_distinct(row, taken) for row in rows]
    return document


def _distinct(row: Any, taken: set[str]) -> Any:
    if not isinstance(row, Mapping) or row.get("id") in (None, ""):
        return row
    id_, again = str(row["id"]), 1
    while id_ in taken:
        again += 1
        id_ = f"{row['id']}{_AGAIN}{again}"
    taken.add(id_)
    return {**row, "id": id_} if again > 1 else row


def returned_lines(lines: Sequence[Mapping[str, Any]], redemption: Redemption) -> tuple[Returned, ...]:
    """Return the lines that come back, each product's from its first line on.

    Units that the redemption does not know are left out.
    """
    left = {line["id"]: line["left"] for line in redemption.refundable["lines"]}
    found: list[Returned] = []
    for line in lines:
        found += _of_product(str(line.get("id")), line.get("quantity"), left)
    return tuple(found)


def _of_product(product: str, given: Any, left: dict[str, int]) -> list[Returned]:
    own = [id_ for id_ in left if id_ == product or id_.startswith(f"{product}{_AGAIN}")]
    wanted = None if given is None else scaled(given, QUANTITY_DIGITS)
    if len(own) < 2 or wanted is None:
        return [Returned(id_, given) for id_ in own if left[id_]] or [Returned(id_, given) for id_ in own[:1]]
    found = []
    for id_ in own:
        taken = min(wanted, left[id_])
        left[id_] -= taken
        wanted -= taken
        if taken:
            found.append(Returned(id_, quantity(taken)))
    return found
