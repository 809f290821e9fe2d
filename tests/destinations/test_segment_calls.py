"""What a delivery becomes at Segment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter import __version__
from adapter.destinations.events.names import snake, title
from adapter.destinations.segment import calls
from adapter.model.actions import FreeShipping, PercentageOff, StoreCredit, UnitOff
from adapter.model.customers import Customer
from adapter.model.discounts import Benefit
from adapter.model.own_messages import is_own_call
from adapter.settings.destinations.base import EVENT_TYPES
from tests.destinations.cdp_doubles import NOON, delivery, discount, leased, rendered, segment

CAPTURES = Path(__file__).parents[1] / "sources" / "captures"


def track(found: Any, **settings: Any) -> dict[str, Any]:
    call: dict[str, Any] = rendered(segment(**settings), found)[0]
    return call


def test_an_issued_discount_is_a_track_call_with_every_member() -> None:
    assert track(delivery()) == {
        "type": "track",
        "event": "Discount Issued",
        "userId": "c-1",
        "messageId": "bd-d-9",
        "timestamp": "2026-11-21T12:00:00.000Z",
        "properties": {
            "issued_for_event_id": "e-1",
            "coupon_id": "SAVE-1",
            "coupon_name": "big-cart",
            "discount_type": "amount_off",
            "discount": 15.0,
            "currency": "EUR",
            "status": "issued",
            "stackable": False,
        },
        "context": {"library": {"name": "behaviour-discounts", "version": __version__}},
        "integrations": {},
    }


def test_amounts_keep_their_digits() -> None:
    body = leased(segment(), delivery()).body
    assert b'"discount":15.00' in body


def _captured() -> Iterator[dict[str, Any]]:
    for line in (CAPTURES / "segment-sdks.jsonl").read_text().splitlines():
        request = json.loads(line)
        yield json.loads(request["body"]) if isinstance(request["body"], str) else request["body"]


def test_a_track_call_has_the_members_of_those_that_the_sdks_send() -> None:
    """Except what only one SDK sends: its own metadata, and ids that are null."""
    sent = [call for body in _captured() for call in body["batch"] if call["type"] == "track"]
    common = set.intersection(*(set(call) for call in sent)) - {"userId"}
    own = track(delivery())
    assert set(own) - {"userId"} == common - {"anonymousId"}
    assert set(own["context"]) == {"library"}
    assert set(own["context"]["library"]) == {"name", "version"}


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        (Customer("c-1"), {"userId": "c-1"}),
        (None, {"userId": "c-1"}),
        (Customer("a-1", identities={"anonymous_id": "a-1"}), {"anonymousId": "a-1"}),
        (Customer("77", identities={"mpid": "77"}), {"anonymousId": "77"}),
        (Customer("c-1", identities={"anonymous_id": "a-1"}), {"userId": "c-1"}),
    ],
)
def test_an_anonymous_customer_has_an_anonymous_id(
    customer: Customer | None, expected: dict[str, str]
) -> None:
    call = track(delivery(customer=customer))
    assert {name: call[name] for name in ("userId", "anonymousId") if name in call} == expected


def test_every_event_has_a_name_of_its_own() -> None:
    assert [title(each) for each in EVENT_TYPES] == [
        "Discount Issued", "Discount Applied", "Discount Released", "Discount Used", "Discount Redeemed",
        "Discount Expired", "Discount Revoked", "Discount Reminded", "Discount Extended",
        "Redemption Held", "Redemption Created",
        "Redemption Released", "Redemption Rolled Back",
    ]  # fmt: skip
    assert snake("redemption.rolled_back") == "redemption_rolled_back"


BENEFITS = [
    (PercentageOff(value=Decimal("12.5"), max_amount=Decimal(40), currency="USD"),
     {"discount_percent": 12.5, "discount_max": 40, "currency": "USD"}),
    (FreeShipping(), {}),
    (StoreCredit(value=Decimal(20), left=Decimal("7.5"), currency="EUR"),
     {"discount": 20, "discount_left": 7.5, "currency": "EUR"}),
    (UnitOff(value=Decimal(30), unit_type="minutes", left=Decimal(12)),
     {"units": 30, "units_left": 12, "unit_type": "minutes"}),
]  # fmt: skip


@pytest.mark.parametrize(("action", "expected"), BENEFITS, ids=lambda each: type(each).__name__)
def test_the_benefit_is_told_by_its_type(action: Any, expected: dict[str, Any]) -> None:
    properties = track(delivery(data=discount(action)))["properties"]
    others = {"issued_for_event_id", "coupon_id", "coupon_name", "discount_type", "status", "stackable"}
    assert {name: value for name, value in properties.items() if name not in others} == expected


def test_metadata_becomes_flat_and_hides_nothing() -> None:
    found = discount(coupon_id="forged", campaign="spring", nested={"a": {"b": 1}, "c": [1, 2]}, nothing=None)
    properties = track(delivery(data=found))["properties"]
    assert properties["coupon_id"] == "SAVE-1"
    assert (properties["campaign"], properties["nested_a_b"], properties["nested_c"]) == ("spring", 1, [1, 2])
    assert not {"nothing", "user_id", "rule"} & set(properties)


def test_the_order_and_the_currency_come_from_the_event_where_the_discount_has_none() -> None:
    found = delivery(data=discount(PercentageOff(value=Decimal(10))), order_id="o-1", currency="SEK")
    properties = track(found)["properties"]
    assert (properties["order_id"], properties["currency"]) == ("o-1", "SEK")


REDEMPTION = {
    "id": "red-1", "state": "redeemed", "source_id": "c-1", "order_id": "o-1", "currency": "EUR",
    "created_at": NOON, "redeemed": [{"code": "A", "rule": "r", "amount": "9.00"}],
}  # fmt: skip


def test_a_redemption_is_told_with_its_amount() -> None:
    call = track(delivery(data=REDEMPTION, kind="redemption.created"))
    assert call["event"] == "Redemption Created"
    assert call["properties"] == {
        "redemption_id": "red-1", "order_id": "o-1", "currency": "EUR", "state": "redeemed", "coupon_id": "A",
        "coupon_ids": ["A"], "coupon_name": "r", "discount": 9,
    }  # fmt: skip


def test_several_codes_are_a_list_and_an_unknown_amount_is_left_out() -> None:
    two = [{"code": "A", "rule": "r", "amount": "9.00"}, {"code": "B", "rule": None, "amount": None}]
    call = track(delivery(data={**REDEMPTION, "redeemed": two}, kind="redemption.held"))
    assert call["properties"]["coupon_ids"] == ["A", "B"]
    assert not {"coupon_id", "coupon_name", "discount"} & set(call["properties"])


def test_a_rollback_is_told_with_its_refund() -> None:
    rollback = {"id": "b-1", "redemption": "red-1", "currency": "EUR", "refund": "51.00",
                "returned": {"A": "9.00"}, "reason": "too small"}  # fmt: skip
    call = track(delivery(data=rollback, kind="redemption.rolled_back"))
    assert call["event"] == "Redemption Rolled Back"
    assert call["properties"] == {
        "redemption_id": "red-1", "rollback_id": "b-1", "currency": "EUR", "reason": "too small",
        "coupon_id": "A", "coupon_ids": ["A"], "discount": 9, "refund": 51,
    }  # fmt: skip


def test_a_profile_is_an_identify_with_the_codes_at_the_first_attempt() -> None:
    _, identify = rendered(segment(profile=True), delivery(codes=("A", "B")))
    assert identify == {
        "type": "identify",
        "userId": "c-1",
        "messageId": "bd-d-9-profile",
        "timestamp": "2026-11-21T12:00:00.000Z",
        "traits": {"active_discount_codes": ["A", "B"]},
        "context": {"library": {"name": "behaviour-discounts", "version": __version__}},
        "integrations": {},
    }
    assert is_own_call(identify)


def test_a_profile_follows_events_that_are_not_tracked() -> None:
    destination = segment(profile=True, events=("discount.issued",))
    kinds = {
        kind: [call["type"] for call in rendered(destination, delivery(kind=kind))]
        for kind in ("discount.issued", "discount.expired")
    }
    assert kinds == {"discount.issued": ["track", "identify"], "discount.expired": ["identify"]}


def test_development_traffic_says_so() -> None:
    assert track(delivery(environment="development"))["context"]["environment"] == "development"


def test_ids_are_the_same_at_every_rendering_and_never_too_long() -> None:
    long = delivery("x" * 120)
    [first], [again] = rendered(segment(), long), rendered(segment(), long)
    assert first == again
    assert len(first["messageId"]) <= 99
    assert first["messageId"].startswith("bd-")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ({"type": "track", "event": "A", "userId": None, "anonymousId": ""}, "no_user_anon_id"),
        ({"type": "track", "event": "A", "userId": 42}, "id_not_string"),
        ({"type": "track", "event": "", "userId": "c-1"}, "event_not_defined"),
        ({"type": "track", "event": 5, "userId": "c-1"}, "event_not_string"),
    ],
)
def test_what_segment_would_drop_is_refused_with_its_code(call: dict[str, Any], code: str) -> None:
    assert (calls.refusal(msgspec.json.encode(call)) or "").split(":")[0] == code


def test_each_of_several_benefits_has_properties_of_its_own() -> None:
    several = discount(UnitOff(Decimal(15), "minutes"), variant="B")
    several = msgspec.structs.replace(
        several,
        actions=(
            Benefit(several.action, "issued"),
            Benefit(UnitOff(Decimal(1), "unlocks", left=Decimal(0)), "redeemed"),
        ),
    )
    properties = track(delivery(data=several))["properties"]
    assert {name: value for name, value in properties.items() if name.endswith("_2")} == {
        "discount_type_2": "unit_off", "units_2": 1, "units_left_2": 0, "unit_type_2": "unlocks",
        "status_2": "redeemed",
    }  # fmt: skip
    assert (properties["unit_type"], properties["variant"]) == ("minutes", "B")
