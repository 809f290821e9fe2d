"""One shopper's journey through the official SDKs of either CDP ends the same.

anonymous view → identify → cart → checkout → discount → coupon applied → order completed → redeemed
"""

from __future__ import annotations

import time
import uuid
import warnings
from typing import Any, Protocol

import pytest

with warnings.catch_warnings():
    # Both packages compare strings with `is` and warn about it when they are first compiled.
    warnings.simplefilter("ignore")
    import mparticle
    from segment.analytics import Client

TRAITS = {
    "email": "lena@example.org",
    "locale": "de-DE",
    "plan": "premium",
    "favourites": ["shoes", "bags"],
}
TEE = {"product_id": "p1", "sku": "TEE-001", "name": "Organic tee", "price": 50.0, "quantity": 1}
DENIM = {"product_id": "p2", "sku": "DENIM-034", "name": "Raw denim", "price": 95.75, "quantity": 1}


class Shopper(Protocol):
    """A person as one CDP's SDK tells of them."""

    def views(self) -> None: ...
    def signs_in(self, source_id: str) -> None: ...
    def adds_to_cart(self) -> None: ...
    def checks_out(self) -> None: ...
    def applies(self, code: str) -> None: ...
    def orders(self, code: str) -> None: ...


class SegmentShopper:
    """Through segment-analytics-python, as a browser would: the anonymous id goes along."""

    def __init__(self, url: str) -> None:
        self._client = Client("write-key", host=url, sync_mode=True, gzip=True, max_retries=0)
        self._who: dict[str, Any] = {"anonymous_id": f"anon-{uuid.uuid4()}"}

    def views(self) -> None:
        self._track("Product Viewed", TEE | {"currency": "USD"})

    def signs_in(self, source_id: str) -> None:
        self._who["user_id"] = source_id
        self._client.identify(traits=TRAITS, **self._who)

    def adds_to_cart(self) -> None:
        self._track("Product Added", TEE | {"cart_id": "c1", "currency": "USD"})

    def checks_out(self) -> None:
        self._track("Checkout Started", self._order())

    def applies(self, code: str) -> None:
        self._track("Coupon Applied", {"order_id": "O-1", "coupon_id": code})

    def orders(self, code: str) -> None:
        self._track("Order Completed", self._order() | {"total": 145.75, "coupon": code})

    def _order(self) -> dict[str, Any]:
        return {
            "order_id": "O-1",
            "value": 145.75,
            "currency": "USD",
            "shipping_country": "US",
            "products": [TEE, DENIM],
        }

    def _track(self, event: str, properties: dict[str, Any]) -> None:
        self._client.track(event=event, properties=properties, **self._who)


class MParticleShopper:
    """Through the mparticle package: one mpid, to which the customer id is added at sign-in."""

    def __init__(self, url: str) -> None:
        configuration = mparticle.Configuration()
        configuration.host = f"{url}/v2"
        configuration.api_key, configuration.api_secret = "key", "secret"
        self._api = mparticle.EventsApi(configuration)
        self._mpid = -7346244611012968789 + uuid.uuid4().int % 1000
        self._identities = mparticle.UserIdentities()

    def views(self) -> None:
        self._commerce("view_detail", [TEE])

    def signs_in(self, source_id: str) -> None:
        self._identities = mparticle.UserIdentities(customerid=source_id, email=TRAITS["email"])
        self._upload([], user_attributes={name: TRAITS[name] for name in ("locale", "plan", "favourites")})

    def adds_to_cart(self) -> None:
        self._commerce("add_to_cart", [TEE])

    def checks_out(self) -> None:
        self._commerce("checkout", [TEE, DENIM], total_amount=145.75, transaction_id="O-2")

    def applies(self, code: str) -> None:
        event = mparticle.AppEvent("Coupon Applied", "transaction", **self._marks())
        event.custom_attributes = {"order_id": "O-2", "coupon_id": code}
        self._upload([event])

    def orders(self, code: str) -> None:
        self._commerce("purchase", [TEE, DENIM], total_amount=145.75, transaction_id="O-2", coupon_code=code)

    def _commerce(self, action: str, products: list[dict[str, Any]], **fields: Any) -> None:
        listed = [
            mparticle.Product(
                id=product["product_id"], name=product["name"], price=product["price"], quantity=1,
                custom_attributes={"sku": product["sku"]},
            )
            for product in products
        ]  # fmt: skip
        taken = mparticle.ProductAction(action=action, products=listed, **fields)
        event = mparticle.CommerceEvent(taken, currency_code="USD", **self._marks())
        event.custom_attributes = {"shipping_country": "US"}
        self._upload([event])

    def _marks(self) -> dict[str, Any]:
        return {"timestamp_unixtime_ms": int(time.time() * 1000), "source_message_id": str(uuid.uuid4())}

    def _upload(self, events: list[Any], **fields: Any) -> None:
        batch = mparticle.Batch(
            environment="production",
            mpid=self._mpid,
            source_request_id=str(uuid.uuid4()),
            user_identities=self._identities,
            **fields,
        )
        batch.events = events
        self._api.upload_events(batch)


@pytest.mark.parametrize("kind", [SegmentShopper, MParticleShopper])
def test_a_shopper_is_rewarded_once_and_redeems(shop: Any, kind: type[Any]) -> None:
    shopper: Shopper = kind(shop.url)
    source_id = f"lena-{uuid.uuid4()}"
    shopper.views()
    shopper.signs_in(source_id)
    shopper.adds_to_cart()
    shopper.checks_out()
    [issued] = shop.get(f"/v1/customers/{source_id}/discounts")["discounts"]
    assert issued["status"] == "issued"
    assert issued["action"] == {"type": "percentage_off", "value": 15, "max_amount": 40}
    assert issued["metadata"]["rule"] == "high-value-cart-first-purchase"
    assert issued["metadata"]["user_id"] == source_id
    shopper.applies(issued["code"])
    assert shop.get(f"/v1/discounts/{issued['code']}")["status"] == "applied"
    shopper.orders(issued["code"])
    assert shop.get(f"/v1/discounts/{issued['code']}")["status"] == "redeemed"
    events = shop.get(f"/v1/customers/{source_id}/events")["events"]
    assert [event["name"] for event in reversed(events)] == [
        "product_viewed",
        "product_added",
        "checkout_started",
        "coupon_applied",
        "order_completed",
    ]
    started = next(event for event in events if event["name"] == "checkout_started")
    assert started["attributes"]["cart_value"] == 145.75
    assert [item["product_id"] for item in started["attributes"]["products"]] == ["p1", "p2"]
    customer = shop.get(f"/v1/customers/{source_id}")
    assert customer["email"] == TRAITS["email"]
    assert {name: customer["traits"][name] for name in ("locale", "plan", "favourites")} == {
        name: TRAITS[name] for name in ("locale", "plan", "favourites")
    }
