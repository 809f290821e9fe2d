"""Everything that the official SDKs can send arrives as it was sent."""

from __future__ import annotations

import time
import uuid
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest

with warnings.catch_warnings():
    # Both packages compare strings with `is` and warn about it when they are first compiled.
    warnings.simplefilter("ignore")
    import mparticle
    from mparticle.models import UserAttributeChangeEvent
    from segment.analytics import Client

NESTED = {
    "plan": "premium",
    "address": {"city": "Berlin", "postalCode": "10115"},
    "tags": ["a", {"b": [1, 2]}],
}


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def segment(shop: Any, request: pytest.FixtureRequest) -> Client:
    return Client("write-key", host=shop.url, sync_mode=True, gzip=request.param, max_retries=0)


@pytest.fixture
def source_id() -> str:
    return f"user-{uuid.uuid4()}"


def test_segment_identify_keeps_every_trait_with_its_nesting(
    shop: Any, segment: Client, source_id: str
) -> None:
    segment.identify(source_id, NESTED | {"email": "ada@example.org", "firstName": "Ada"})
    customer = shop.get(f"/v1/customers/{source_id}")
    assert customer["email"] == "ada@example.org"
    assert {name: customer["traits"][name] for name in NESTED} == NESTED
    assert customer["traits"]["firstName"] == "Ada"


def test_segment_track_keeps_every_property_and_its_moment(
    shop: Any, segment: Client, source_id: str
) -> None:
    moment = datetime(2026, 11, 20, 10, 30, 15, 250_000, tzinfo=UTC)
    properties = {"level": 7, "score": 1.5, "ok": True, "none": None, "deep": {"list": [1, {"x": "y"}]}}
    segment.track(source_id, "Level Finished", properties, timestamp=moment, message_id=f"m-{source_id}")
    [event] = shop.get(f"/v1/customers/{source_id}/events")["events"]
    assert event["name"] == "level_finished"
    assert event["id"] == f"m-{source_id}"
    assert datetime.fromisoformat(event["occurred_at"]) == moment
    assert {name: event["attributes"][name] for name in properties} == properties


def test_segment_page_and_screen_are_events(shop: Any, segment: Client, source_id: str) -> None:
    segment.page(source_id, "Docs", "Home", {"url": "https://example.org/"})
    segment.screen(source_id, "Main", "Start", {"first": True})
    events = shop.get(f"/v1/customers/{source_id}/events")["events"]
    assert {event["name"] for event in events} == {"page_viewed", "screen_viewed"}
    page = next(event for event in events if event["name"] == "page_viewed")
    assert page["attributes"]["url"] == "https://example.org/"


def test_segment_group_belongs_to_the_customer(shop: Any, segment: Client, source_id: str) -> None:
    segment.group(source_id, "team-1", {"plan": "team", "seats": 5})
    customer = shop.get(f"/v1/customers/{source_id}")
    assert customer["groups"] == {"team-1": {"plan": "team", "seats": 5}}


def test_an_alias_of_segment_merges_two_histories(shop: Any, segment: Client, source_id: str) -> None:
    previous = f"old-{source_id}"
    segment.track(previous, "Level Finished", {"level": 1})
    segment.alias(previous, source_id)
    segment.track(previous, "Level Finished", {"level": 2})
    levels = {
        event["attributes"]["level"] for event in shop.get(f"/v1/customers/{source_id}/events")["events"]
    }
    assert levels == {1, 2}
    assert shop.get(f"/v1/customers/{previous}")["source_id"] == source_id


@pytest.fixture
def events_api(shop: Any) -> Any:
    configuration = mparticle.Configuration()
    configuration.host = f"{shop.url}/v2"
    configuration.api_key, configuration.api_secret = "key", "secret"
    return mparticle.EventsApi(configuration)


def _batch(source_id: str, *events: Any, **fields: Any) -> Any:
    batch = mparticle.Batch(
        environment="production",
        source_request_id=str(uuid.uuid4()),
        user_identities=mparticle.UserIdentities(customerid=source_id, email="ada@example.org"),
        **fields,
    )
    batch.events = list(events)
    return batch


def _marks() -> dict[str, Any]:
    return {"timestamp_unixtime_ms": int(time.time() * 1000), "source_message_id": str(uuid.uuid4())}


def test_mparticle_custom_and_screen_events_keep_their_attributes(
    shop: Any, events_api: Any, source_id: str
) -> None:
    custom = mparticle.AppEvent("Level Finished", "navigation", **_marks())
    custom.custom_attributes = {"level": 7, "ratio": 1.5, "flag": True, "none": None}
    screen = mparticle.ScreenViewEvent(screen_name="Start", **_marks())
    events_api.upload_events(_batch(source_id, custom, screen))
    events = {event["name"]: event for event in shop.get(f"/v1/customers/{source_id}/events")["events"]}
    assert set(events) == {"level_finished", "screen_viewed"}
    attributes = events["level_finished"]["attributes"]
    assert {name: attributes[name] for name in custom.custom_attributes} == custom.custom_attributes


def test_mparticle_purchase_is_an_order(shop: Any, events_api: Any, source_id: str) -> None:
    product = mparticle.Product(id="sku-1", name="Runner", price=89.95, quantity=2, brand="Acme")
    action = mparticle.ProductAction(
        action="purchase",
        transaction_id="order-9001",
        total_amount=185.85,
        tax_amount=29.67,
        shipping_amount=5.95,
        products=[product],
    )
    event = mparticle.CommerceEvent(action, currency_code="EUR", **_marks())
    events_api.upload_events(_batch(source_id, event))
    [order] = shop.get(f"/v1/customers/{source_id}/events")["events"]
    assert order["name"] == "order_completed"
    attributes = order["attributes"]
    expected = {"order_id": "order-9001", "total": 185.85, "tax": 29.67, "shipping": 5.95, "currency": "EUR"}
    assert {name: attributes[name] for name in expected} == expected
    assert attributes["products"][0]["product_id"] == "sku-1"


def test_mparticle_attributes_alone_make_the_customer(shop: Any, events_api: Any, source_id: str) -> None:
    attributes = {"$firstname": "Ada", "tier": "gold", "points": 1250, "interests": ["shoes", "bags"]}
    events_api.upload_events(_batch(source_id, user_attributes=attributes))
    events_api.upload_events(
        _batch(source_id, user_attributes={"tier": "platinum"}, deleted_user_attributes=["points"])
    )
    customer = shop.get(f"/v1/customers/{source_id}")
    assert customer["email"] == "ada@example.org"
    traits = customer["traits"]
    assert (traits["tier"], traits["interests"], "points" in traits) == ("platinum", ["shoes", "bags"], False)
    assert traits["first_name"] == "Ada"


def test_mparticle_attribute_changes_and_bulk_batches_are_taken(
    shop: Any, events_api: Any, source_id: str
) -> None:
    change = UserAttributeChangeEvent(user_attribute_name="tier", new="gold", old="silver", **_marks())
    other = mparticle.AppEvent("Level Finished", "navigation", **_marks())
    events_api.bulk_upload_events([_batch(source_id, change), _batch(source_id, other)])
    assert shop.get(f"/v1/customers/{source_id}")["traits"]["tier"] == "gold"
    names = [event["name"] for event in shop.get(f"/v1/customers/{source_id}/events")["events"]]
    assert "level_finished" in names
