"""All that mParticle says of a commerce event arrives, under whatever name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.mapping import mapping_set
from adapter.mapping.actions.as_json import plain
from adapter.mapping.mapping_set import MappingSet
from adapter.model.operations import EventOccurred
from adapter.sources.mparticle import batches

MAPPINGS = Path(__file__).parents[2] / "mappings"
ACTIONS = ("add_to_cart", "remove_from_cart", "checkout", "checkout_option", "click", "view_detail",
           "purchase", "refund", "add_to_wishlist", "remove_from_wish_list")  # fmt: skip


def product(name: str) -> dict[str, Any]:
    """Return a product with a value of its own in each field that mParticle documents."""
    texts = ("id", "name", "brand", "category", "variant", "coupon_code")
    number = sum(name.encode())
    numbers = ("position", "price", "quantity", "added_to_cart_time_ms", "total_product_amount")
    return (
        {field: f"{field} of {name}" for field in texts}
        | {field: number + at / 8 for at, field in enumerate(numbers)}
        | {"custom_attributes": {"size": f"size of {name}", f"only {name}": f"mark of {name}"}}
    )


def event(action: str, products: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what an action says, the name of the action aside, which becomes the event's."""
    told = {
        "checkout_step": 2, "checkout_options": "opt", "product_action_list": "list",
        "product_list_source": "source", "transaction_id": "T-1", "affiliation": "shop", "total_amount": 99.5,
        "tax_amount": 1.25, "shipping_amount": 4.75, "coupon_code": "ORDER", "products": products,
    }  # fmt: skip
    return {
        "product_action": {"action": action} | told, "currency_code": "EUR", "screen_name": "a screen",
        "is_non_interactive": True, "lifetime_value_change": 3.5, "location": {"latitude": 54.25},
        "custom_attributes": {"channel": "app", "size": "size of the event"},
    }  # fmt: skip


def leaves(value: Any) -> Iterator[Any]:
    """Yield what stands at the ends of a document."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    else:
        yield value


@pytest.fixture(scope="module")
def starter() -> MappingSet:
    loaded, _ = mapping_set.load(MAPPINGS)
    assert loaded is not None
    return loaded


@pytest.mark.parametrize("names", [["one"], ["one", "two"]])
@pytest.mark.parametrize("action", ACTIONS)
def test_every_value_of_a_commerce_event_arrives(action: str, names: list[str], starter: MappingSet) -> None:
    said = event(action, [product(name) for name in names])
    body = {"mpid": 9, "events": [{"event_type": "commerce_event", "data": said}]}
    [message] = batches.decode(json.dumps(body).encode(), datetime(2026, 3, 1, tzinfo=UTC)).messages
    [arrived] = [plain(done) for done in starter.operations(message) if isinstance(done, EventOccurred)]
    missing = set(leaves(said)) - set(leaves(arrived["event"])) - {action}
    assert missing == set()
