"""Whatever a sender writes where amounts and products belong, the order is not held back.

Only a coupon that is an object holds it back, for a code of ours may be in it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.mapping import mapping_set
from adapter.mapping.mapping_set import MappingSet
from adapter.model.operations import DiscountMove, EventOccurred, Operation
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

RECEIVED_AT = datetime(2026, 12, 1, tzinfo=UTC)
CODES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 10**20)
    | st.floats(-5, 5)
    | st.sampled_from(["", " ", "HV15"])
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", " ", "$", "free", "1,299", "$145.75", "HV15-1", "[1", "{}", '[{"price": 5}]']),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["price", "quantity", "sku"]), inner, max_size=3)
    | st.fixed_dictionaries({"coupon": CODES, "coupon_code": CODES}),
    max_leaves=6,
)  # fmt: skip
NAMES = (
    "value", "total", "revenue", "subtotal", "cart_value", "coupon_used", "items", "products",
    "currency", "shipping_address", "shipping_country", "discount", "tax",
)  # fmt: skip
CODED = ("coupon", "coupon_code", "coupon_id")
ORDERS = st.builds(
    lambda order, codes: order | codes,
    st.dictionaries(st.sampled_from(NAMES), JUNK, max_size=5),
    st.dictionaries(st.sampled_from(CODED), CODES, max_size=2),
)


@pytest.fixture(scope="module")
def starter() -> MappingSet:
    loaded, _ = mapping_set.load(Path(__file__).parents[2] / "mappings")
    assert loaded is not None
    return loaded


def operations(starter: MappingSet, source: Any, body: Any) -> list[Operation]:
    decoded = source.decode(json.dumps(body).encode(), RECEIVED_AT)
    assert decoded.quarantined == []
    return [done for message in decoded.messages for done in starter.operations(message)]


def kept(done: list[Operation]) -> EventOccurred:
    assert {type(each) for each in done} <= {EventOccurred, DiscountMove}
    [event] = [each for each in done if isinstance(each, EventOccurred)]
    assert event.event.name == "order_completed"
    return event


@given(ORDERS)
def test_an_order_of_segment_is_kept(starter: MappingSet, properties: dict[str, Any]) -> None:
    call = {"type": "track", "event": "Order Completed", "userId": "u", "properties": properties}
    kept(operations(starter, webhook, call))


@given(ORDERS)
def test_a_custom_order_of_mparticle_is_kept(starter: MappingSet, attributes: dict[str, Any]) -> None:
    data = {"event_name": "Order Completed", "custom_attributes": attributes}
    kept(operations(starter, batches, {"mpid": 5, "events": [{"event_type": "custom_event", "data": data}]}))


@given(JUNK, CODES, ORDERS, JUNK)
def test_a_purchase_of_mparticle_is_kept(
    starter: MappingSet, amount: Any, code: Any, attributes: dict[str, Any], products: Any
) -> None:
    product = {
        "id": "p",
        "price": amount,
        "quantity": amount,
        "coupon_code": code,
        "custom_attributes": attributes,
    }
    action = {
        "action": "purchase", "total_amount": amount, "tax_amount": amount, "coupon_code": code,
        "products": [product] if products is None else products,
    }  # fmt: skip
    data = {"product_action": action, "custom_attributes": attributes}
    kept(
        operations(starter, batches, {"mpid": 5, "events": [{"event_type": "commerce_event", "data": data}]})
    )


@pytest.mark.parametrize("coupon", [True, False])
def test_a_flag_for_a_coupon_redeems_nothing_and_is_a_misfit(starter: MappingSet, coupon: Any) -> None:
    properties = {"order_id": "o", "total": 5, "coupon": coupon}
    call = {"type": "track", "event": "Order Completed", "userId": "u", "properties": properties}
    done = operations(starter, webhook, call)
    assert [each for each in done if isinstance(each, DiscountMove)] == []
    assert len(kept(done).misfits) == 1
