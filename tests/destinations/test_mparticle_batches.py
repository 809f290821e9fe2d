"""What a delivery becomes at mParticle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.destinations.mparticle import batches
from adapter.model.customers import Customer
from tests.destinations.cdp_doubles import NOON, delivery, discount, leased, mparticle, raw, rendered

CAPTURES = Path(__file__).parents[1] / "sources" / "captures"
#: More than a float of 64 bits can hold.
MPID = 7346244611012968789


def test_an_issued_discount_is_a_batch_with_one_custom_event() -> None:
    customer = Customer("c-1", identities={"email": "a@example.com", "mpid": str(MPID)})
    assert rendered(mparticle(), delivery(customer=customer)) == {
        "environment": "production",
        "source_request_id": "bd-d-9",
        "user_identities": {"customer_id": "c-1", "email": "a@example.com"},
        "mpid": MPID,
        "events": [
            {
                "event_type": "custom_event",
                "data": {
                    "event_name": "discount_issued",
                    "custom_event_type": "transaction",
                    "source_message_id": "bd-d-9",
                    "timestamp_unixtime_ms": 1795262400000,
                    "custom_attributes": {
                        "sent_by": "behaviour-discounts",
                        "issued_for_event_id": "e-1",
                        "coupon_id": "SAVE-1",
                        "coupon_name": "big-cart",
                        "discount_type": "amount_off",
                        "discount": "15.00",
                        "currency": "EUR",
                        "status": "issued",
                        "stackable": "false",
                    },
                },
            }
        ],
    }


def test_the_id_of_mparticle_is_exact_to_the_last_digit() -> None:
    for mpid in (MPID, -3876453215678901234):
        customer = Customer("c-1", identities={"mpid": str(mpid)})
        assert f'"mpid":{mpid},'.encode() in leased(mparticle(), delivery(customer=customer)).body


def _captured() -> Iterator[dict[str, Any]]:
    for line in (CAPTURES / "mparticle-python.jsonl").read_text().splitlines():
        request = json.loads(line)
        if request["name"] == "py_discount_issued_custom_event":
            yield json.loads(request["body"])


def test_a_batch_has_the_members_of_that_of_the_sdk() -> None:
    [captured] = _captured()
    batch = rendered(mparticle(), delivery(customer=Customer("c-1")))
    assert set(batch) == set(captured)
    [ours], [theirs] = batch["events"], captured["events"]
    assert set(ours) == set(theirs)
    assert set(ours["data"]) == set(theirs["data"])
    assert {type(value) for value in ours["data"]["custom_attributes"].values()} == {str}


def test_only_known_and_chosen_identities_are_sent() -> None:
    customer = Customer("c-1", email="b@example.com", identities={"loyalty_no": "L-1", "device_id": "D"})
    found = delivery(customer=customer)
    assert rendered(mparticle(), found)["user_identities"] == {
        "customer_id": "c-1",
        "email": "b@example.com",
    }
    chosen = mparticle(identities=("loyalty_no:other_id_2",))
    assert rendered(chosen, found)["user_identities"]["other_id_2"] == "L-1"


def test_a_customer_known_by_the_mpid_alone_has_no_customer_id() -> None:
    customer = Customer("77", identities={"mpid": "77"})
    batch = rendered(mparticle(), delivery(customer=customer))
    assert (batch["user_identities"], batch["mpid"]) == ({}, 77)


def test_a_profile_is_a_user_attribute() -> None:
    batch = rendered(mparticle(profile=True), delivery(codes=("A", "B")))
    assert batch["user_attributes"] == {"active_discount_codes": ["A", "B"]}


def test_a_profile_is_set_by_events_that_are_not_tracked() -> None:
    destination = mparticle(profile=True, events=("discount.issued",))
    batch = rendered(destination, delivery(kind="discount.expired", codes=("A",)))
    assert (batch["user_attributes"], "events" in batch) == ({"active_discount_codes": ["A"]}, False)
    assert batches.refusal(leased(destination, delivery(kind="discount.expired")), NOON) is None


def test_the_environment_is_that_of_the_traffic() -> None:
    batch = rendered(mparticle(), delivery(environment="development"))
    assert batch["environment"] == "development"


def test_attributes_keep_the_limits() -> None:
    many: dict[str, Any] = {f"m{n:03}": n for n in range(120)}
    many = {"n" * 257: "x", "long": "x" * 4_097, "fits": "x" * 4_096} | many
    found = delivery(data=discount(**many))
    [event] = rendered(mparticle(), found)["events"]
    attributes = event["data"]["custom_attributes"]
    assert len(attributes) == 100
    assert {"sent_by", "coupon_id", "discount", "currency"} <= set(attributes)
    assert max(map(len, attributes)) <= 256
    assert ("long" in attributes, "fits" in attributes) == (False, True)


VALID = {
    "environment": "production",
    "user_identities": {"customer_id": "c-1"},
    "events": [{"event_type": "custom_event", "data": {"event_name": "discount_issued"}}],
}
DROPPED = {
    "no environment": ({**VALID, "environment": None}, "`environment`"),
    "no identity": ({**VALID, "user_identities": {}}, "no identity"),
    "no event type": ({**VALID, "events": [{"data": {"event_name": "x"}}]}, "`event_type`"),
    "no event name": ({**VALID, "events": [{"event_type": "custom_event", "data": {}}]}, "`event_name`"),
    "too large": ({**VALID, "user_attributes": {"a": "x" * 128_000}}, "mParticle takes 128,000 bytes"),
}


@pytest.mark.parametrize(("body", "reason"), DROPPED.values(), ids=DROPPED)
def test_what_mparticle_would_drop_is_refused(body: dict[str, Any], reason: str) -> None:
    known = {name: value for name, value in body.items() if value is not None}
    assert reason in (batches.refusal(raw("d-1", known), NOON) or "")


def test_an_event_that_is_too_old_is_refused() -> None:
    assert batches.refusal(raw("d-1", VALID), NOON + timedelta(days=29)) is None
    assert "30 days" in (batches.refusal(raw("d-1", VALID), NOON + timedelta(days=30)) or "")


def test_a_batch_with_only_an_mpid_is_sent() -> None:
    body = {**VALID, "user_identities": {}, "mpid": MPID}
    assert batches.refusal(raw("d-1", body), NOON) is None
    assert msgspec.json.decode(raw("d-1", body).body)["mpid"] == MPID
