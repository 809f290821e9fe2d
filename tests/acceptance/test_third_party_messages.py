"""Messages that third parties wrote, each with its right outcome."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Server
from tests.acceptance.senders import SENT, ago, checkout, customer, last_event, sent

LINES = {line["id"]: line for line in map(json.loads, (SENT / "third-party.jsonl").read_text().splitlines())}


def received(shop: Server, number: str) -> dict[str, Any]:
    """Send a line of the file; return its last result, of which each line has at most two."""
    line = LINES[number]
    source = "mparticle" if line["source"] == "mparticle" else "segment"
    return sent(shop, line["body"], source)


def test_an_event_in_another_spelling_earns_the_same_discount(shop: Server) -> None:
    [discount] = sent(shop, LINES["F1"]["body"] | {"userId": "f1"})["discounts"]
    assert discount["metadata"]["rule"] == "high-value-cart-first-purchase"
    assert last_event(shop, "f1")["attributes"]["cart_value"] == 150


def test_the_traits_of_an_identify_in_its_context_arrive(shop: Server) -> None:
    received(shop, "F2")
    found = customer(shop, "u2")
    assert (found["email"], found["name"], found["traits"]["first_name"]) == ("a@example.com", "Ada", "Ada")


def test_an_audience_whose_key_is_in_the_context_alone_is_joined(shop: Server) -> None:
    received(shop, "F3")
    assert customer(shop, "u3")["segments"] == ["vips"]


def test_an_audience_that_is_false_in_text_is_left(shop: Server) -> None:
    joined = LINES["F4"]["body"] | {"traits": {"vips": "true"}, "timestamp": ago(hours=1).isoformat()}
    sent(shop, joined)
    assert customer(shop, "u4")["segments"] == ["vips"]
    received(shop, "F4")
    assert customer(shop, "u4").get("segments", []) == []


def test_a_timestamp_with_a_month_of_one_digit_is_read_as_it_says(shop: Server) -> None:
    result = received(shop, "F5")
    assert result.get("discounts", []) == []
    assert last_event(shop, "u5")["occurred_at"].startswith("2015-02-02T00:30:12")


def test_a_total_with_a_currencys_sign_is_read(shop: Server) -> None:
    assert received(shop, "F6")["outcome"] == "processed"
    attributes = last_event(shop, "u6")["attributes"]
    assert (attributes["total"], attributes["cart_value"]) == (145.75, 145.75)


def test_an_unreadable_amount_is_a_misfit_and_keeps_the_order(shop: Server) -> None:
    order = LINES["F6"]["body"] | {"userId": "u6b"}
    order["properties"] = {
        "order_id": "o6b",
        "total": "1,299",
        "coupon_used": "perhaps",
        "products": [{"price": "on request", "quantity": "some"}, {"price": "£5", "quantity": 1}],
    }
    result = sent(shop, order)
    assert result["outcome"] == "processed"
    assert len(result["misfits"]) == 7
    attributes = last_event(shop, "u6b")["attributes"]
    assert attributes["total"] == attributes["cart_value"] == "1,299"
    assert [item["price"] for item in attributes["items"]] == ["on request", 5]


@pytest.mark.parametrize("currency", ["", "  ", "\u00a0\t"])
def test_a_blank_currency_is_as_if_there_were_none(currency: Any, shop: Server) -> None:
    body = checkout(properties={"value": 5, "currency": currency})
    assert sent(shop, body).get("misfits", []) == []
    assert "currency" not in last_event(shop, body["userId"])["attributes"]


@pytest.mark.parametrize("currency", [" USD ", "usd", "USD"])
def test_a_padded_currency_is_trimmed(currency: str, shop: Server) -> None:
    body = checkout(properties={"value": 5, "currency": currency})
    assert sent(shop, body).get("misfits", []) == []
    assert last_event(shop, body["userId"])["attributes"]["currency"] == "USD"


def test_the_coupon_of_a_product_counts_alike_from_both_sources(shop: Server) -> None:
    received(shop, "F7")
    product = {"id": "s", "coupon_code": "SUMMER"}
    action = {"action": "purchase", "transaction_id": "o7", "total_amount": 150, "products": [product]}
    event = {"event_type": "commerce_event", "data": {"product_action": action}}
    sent(shop, {"mpid": "7", "events": [event]}, "mparticle")
    ours, theirs = last_event(shop, "u7")["attributes"], last_event(shop, "7")["attributes"]
    for name in ("coupon_used", "cart_value", "order_id"):
        assert ours[name] == theirs[name]
    assert ours["coupon_used"] is True


@pytest.mark.parametrize("source", ["segment", "mparticle"])
def test_a_code_on_a_product_is_redeemed_from_either_source(source: str, shop: Server) -> None:
    start = checkout()
    [discount] = sent(shop, start)["discounts"]
    if source == "segment":
        properties = {"order_id": "o-1", "total": 120, "products": [{"sku": "s", "coupon": discount["code"]}]}
        sent(shop, start | {"event": "Order Completed", "messageId": f"{start['messageId']}-o",
                            "properties": properties})  # fmt: skip
    else:
        action = {
            "action": "purchase", "transaction_id": "o-2", "total_amount": 120,
            "products": [{"id": "s", "coupon_code": discount["code"]}],
        }  # fmt: skip
        known = [{"identity_type": "customer_id", "identity": start["userId"]}]
        event = {"event_type": "commerce_event", "data": {"product_action": action}}
        sent(shop, {"mpid": "71", "user_identities": known, "events": [event]}, "mparticle")
    assert shop.get(f"/v1/discounts/{discount['code']}")["status"] == "redeemed"


def test_a_custom_cart_event_of_mparticle_has_items_and_their_worth(shop: Server) -> None:
    received(shop, "F8")
    attributes = last_event(shop, "8")["attributes"]
    assert attributes["items"] == [{"sku": "s", "price": 5, "qty": 2}]
    assert attributes["cart_value"] == 10


def test_custom_attributes_do_not_displace_the_fields_of_an_order(shop: Server) -> None:
    received(shop, "F9")
    attributes = last_event(shop, "9")["attributes"]
    assert (attributes["order_id"], attributes["total"], attributes["affiliation"]) == ("T1", 10, "A")
    assert attributes["custom_attributes"] == {"order_id": "O9", "total": "99", "affiliation": "B"}
    assert attributes["cart_value"] == 10


def test_the_noise_of_single_precision_is_no_misfit(shop: Server) -> None:
    assert received(shop, "F10").get("misfits", []) == []
    assert last_event(shop, "10")["attributes"]["cart_value"] == 22.86


@pytest.mark.parametrize("event", ["Trait Computed", "trait computed", "traitComputed", "LTV"])
def test_the_key_of_a_computed_trait_is_no_trait(event: str, shop: Server) -> None:
    body = LINES["F11"]["body"] | {"event": event}
    if event == "LTV":
        body["context"] = {"personas": {"computation_class": "trait", "computation_key": "ltv"}}
    body["userId"] = f"u11-{event}".replace(" ", "")
    sent(shop, body)
    assert customer(shop, body["userId"])["traits"] == {"ltv": 12}


def test_a_cart_without_a_value_is_worth_its_products(shop: Server) -> None:
    received(shop, "F12")
    assert last_event(shop, "u12")["attributes"]["cart_value"] == 38


def test_the_locale_and_the_offset_of_a_device_arrive(shop: Server) -> None:
    received(shop, "F13")
    context = last_event(shop, "13")["context"]
    assert (context["locale"], context["timezone"]) == ("de-DE", "+01:00")


def test_the_traits_at_the_top_of_a_page_arrive(shop: Server) -> None:
    received(shop, "F14")
    assert customer(shop, "u14")["email"] == "a@example.com"


def test_a_data_subject_request_at_the_firehose_is_refused_with_its_reason(shop: Server) -> None:
    answer = httpx.post(f"{shop.url}/webhooks/mparticle/firehose", json=LINES["F15"]["body"])
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "refused"


def test_the_name_is_whole_when_its_parts_come_one_by_one(shop: Server) -> None:
    def identify(**traits: Any) -> None:
        sent(shop, {"type": "identify", "userId": "u17", "traits": traits})

    identify(last_name="Lovelace")
    identify(firstName="Ada")
    assert customer(shop, "u17")["name"] == "Ada Lovelace"
    identify(plan="gold")
    identify(first_name="Ada")
    assert customer(shop, "u17")["name"] == "Ada Lovelace"
