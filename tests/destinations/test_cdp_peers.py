"""Our calls and batches beside those of the SDKs themselves, and beside what a checkout really says."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from adapter.model.actions import FreeShipping
from adapter.model.customers import Customer
from adapter.model.redemptions import CodeUse, Redemption, Rollback
from adapter.services.checkout import documents
from adapter.settings.destinations.mparticle import IDENTITY_TYPES
from tests.destinations.cdp_doubles import NOON, delivery, discount, mparticle, rendered, segment


def test_a_call_has_the_members_of_a_call_of_segments_own_client() -> None:
    from segment.analytics import Client

    _, theirs = Client("key", send=False).track("c-1", "Discount Issued", {"coupon_id": "SAVE-1"})
    [ours] = rendered(segment(), delivery())
    assert set(theirs) - {"anonymousId"} == set(ours)
    assert {name: type(ours[name]) for name in ours} == {name: type(theirs[name]) for name in ours}


def calls() -> list[dict[str, Any]]:
    """Return calls of each kind, without what names this program."""
    profiled = segment(profile=True)
    found = rendered(profiled, delivery(codes=("SAVE-1",)))
    for kind in ("discount.redeemed", "discount.expired"):
        found += rendered(segment(), delivery(data=discount(FreeShipping(), note={"x": [1]}), kind=kind))
    found += rendered(segment(), delivery(order_id="o-1"))
    return [{name: each for name, each in call.items() if name != "context"} for call in found]


def test_calls_are_those_that_segments_own_voucherify_destination_has_read() -> None:
    """`verify_segment_calls.cjs` has its code read them; run it after a change here."""
    kept = (Path(__file__).parent / "cases" / "segment_calls.jsonl").read_text("utf-8").splitlines()
    assert calls() == [json.loads(line) for line in kept]
    assert {call["type"] for call in calls()} == {"track", "identify"}


@pytest.fixture(scope="module")
def sdk() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mparticle as sdk
    return sdk


def test_a_batch_has_only_members_that_mparticles_own_models_have(sdk: Any) -> None:
    customer = Customer("c-1", identities={"email": "a@example.com", "mpid": "5", "loyalty": "L"})
    destination = mparticle(profile=True, identities=("loyalty:other_id_2",))
    batch = rendered(destination, delivery(customer=customer, codes=("A",)))
    assert set(batch) <= set(sdk.Batch().attribute_map.values())
    [event] = batch["events"]
    known = sdk.AppEvent("discount_issued", "transaction")
    assert set(event["data"]) <= set(known.attribute_map.values())
    assert set(event) == {"data", "event_type"}
    # The SDK sends `customerid`, which the published schema does not have.
    assert set(batch["user_identities"]) - {"customer_id"} <= set(sdk.UserIdentities().attribute_map.values())


def test_all_kinds_of_identities_that_may_be_chosen_are_those_of_the_sdk(sdk: Any) -> None:
    known = set(sdk.UserIdentities().attribute_map.values())
    assert set(IDENTITY_TYPES) == known - {"customerid", "email", "alias"}


USE = CodeUse(code="A", rule="r", amount=900, discount=discount(FreeShipping()))
REDEMPTION = Redemption(
    id="red-1", source_id="c-1", state="redeemed", at=NOON, uses=(USE,), order_id="o-1", currency="EUR"
)


@pytest.mark.parametrize("kind", ["redemption.held", "redemption.created", "redemption.released"])
def test_a_booking_is_told_as_the_checkout_describes_it(kind: str) -> None:
    found = delivery(data=documents.booked(REDEMPTION, NOON), kind=kind)
    [call] = rendered(segment(), found)
    assert call["properties"] == {
        "redemption_id": "red-1", "order_id": "o-1", "currency": "EUR", "state": "redeemed", "coupon_id": "A",
        "coupon_ids": ["A"], "coupon_name": "r", "discount": 9,
    }  # fmt: skip
    [event] = rendered(mparticle(), found)["events"]
    assert event["data"]["custom_attributes"]["discount"] == "9.00"
    assert event["data"]["custom_attributes"]["coupon_ids"] == '["A"]'


def test_a_booking_without_amounts_has_none() -> None:
    unknown = Redemption(id="red-2", source_id="c-1", state="redeemed", at=NOON, uses=(CodeUse(code="A"),))
    [call] = rendered(segment(), delivery(data=documents.booked(unknown, NOON), kind="redemption.created"))
    assert call["properties"] == {
        "redemption_id": "red-2", "state": "redeemed", "coupon_id": "A", "coupon_ids": ["A"],
    }  # fmt: skip


def test_a_rollback_is_told_as_the_checkout_describes_it() -> None:
    back = Rollback(
        id="b-1", redemption="red-1", source_id="c-1", number=1, at=NOON, currency="KWD", refund=51_500,
        returned={"A": 1_250},
    )  # fmt: skip
    found = delivery(data=documents.rolled_back(back), kind="redemption.rolled_back")
    [event] = rendered(mparticle(), found)["events"]
    attributes = event["data"]["custom_attributes"]
    assert (attributes["refund"], attributes["discount"]) == ("51.500", "1.250")
    assert (attributes["redemption_id"], attributes["rollback_id"]) == ("red-1", "b-1")
