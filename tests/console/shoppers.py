"""What the customers of a shop do in some days, as the calls that Segment and mParticle make of it.

The same seed gives the same customers and baskets; the times are those of the span.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

FIXTURES = Path(__file__).parents[2] / "fixtures"

_FIRST = (
    "Ada", "Bo", "Chloé", "Dmitri", "Emma", "Femke", "Grace", "Håkon", "Inés", "Jun", "Kwame", "Lea", "Mira",
    "Nils", "Olga", "Priya", "Quinn", "Rosa", "Søren", "Tomás", "Uma", "Viktor", "Wanda", "Xiu", "Zoë",
)  # fmt: skip
_LAST = (
    "Okafor",
    "Lindgren",
    "Marchetti",
    "Nowak",
    "Fernández",
    "Tanaka",
    "O’Neill",
    "Schäfer",
    "Silva",
    "Brandt",
)
_GOODS = (
    ("NL-RUN-42", "Aurora running shoes", "Shoes", "89.95"),
    ("NL-JKT-M", "Fjord rain jacket", "Jackets", "129.00"),
    ("NL-CAP-1", "Polar cap", "Accessories", "24.50"),
    ("NL-BTL-7", "Steel bottle", "Accessories", "19.90"),
    ("NL-TNT-2", "Two-person tent", "Camping", "249.00"),
    ("NL-SCK-3", "Merino socks", "Accessories", "14.95"),
)
_TIERS = ("silver", "silver", "gold", "basic")
_COUNTRIES = ("US", "US", "CA", "GB", "GB", "DE")


class Customer(NamedTuple):
    """Somebody who shops, with the ids that they have."""

    id: str
    visitor: str
    first: str
    last: str
    country: str
    tier: str

    @property
    def email(self) -> str:
        return f"{self.id.replace('-', '.')}@mail.example"


class Call(NamedTuple):
    """A request that one sends at a time."""

    at: datetime
    path: str
    body: Any


def customers(many: int, seed: int = 24) -> list[Customer]:
    """Return so many customers, always the same."""
    random = Random(seed)
    return [
        Customer(
            f"cust-{1001 + number}", f"visitor-{random.getrandbits(48):012x}", random.choice(_FIRST),
            random.choice(_LAST), random.choice(_COUNTRIES), random.choice(_TIERS),
        )
        for number in range(many)
    ]  # fmt: skip


def visits(
    people: Sequence[Customer], start: datetime, end: datetime, many: int, seed: int = 24
) -> list[Call]:
    """Return the calls of so many visits in a span, in the order of their times."""
    random = Random(seed)
    found: list[Call] = []
    known: set[str] = set()
    for at in sorted(start + random.random() * (end - start) for _ in range(many)):
        who = random.choice(people)
        calls = _in_app(who, at, random) if random.random() < 0.2 else _on_site(who, at, random, known)
        found += [each for each in calls if each.at < end]
    return sorted(found, key=lambda each: each.at)


def buyers(people: Sequence[Customer], at: datetime, seed: int = 3) -> list[Call]:
    """Return the calls of customers who certainly earn a discount: a basket of 130 or more, to the US."""
    random = Random(seed)
    goods = [("NL-TNT-2", "Two-person tent", "Camping", "249.00", 1)]
    return [
        _segment(who, at, random, "track", event=event, properties=_basket(who._replace(country="US"), goods))
        for who in people
        for event in ("Cart Viewed", "Checkout Started")
    ]


def _on_site(who: Customer, at: datetime, random: Random, known: set[str]) -> Iterator[Call]:
    """Yield the calls of a visit to the web site: a look, a basket, a checkout, an order, each less often."""
    if who.id not in known:
        known.add(who.id)
        yield _segment(who, at, random, "identify", traits=_traits(who))
    goods = [(*each, random.choice((1, 1, 2))) for each in random.sample(_GOODS, random.choice((1, 2, 3)))]
    for sku, name, category, price, _ in goods:
        at += timedelta(seconds=random.randint(5, 60))
        properties = {
            "sku": sku,
            "name": name,
            "category": category,
            "price": float(price),
            "currency": "USD",
        }
        yield _segment(who, at, random, "track", event="Product Viewed", properties=properties)
        if random.random() < 0.6:
            yield _segment(who, at, random, "track", event="Product Added", properties=properties)
    for event, share in (("Cart Viewed", 0.8), ("Checkout Started", 0.7), ("Order Completed", 0.5)):
        if random.random() > share:
            if event == "Order Completed":
                yield _segment(
                    who, at, random, "track", event="Cart Abandoned", properties=_basket(who, goods)
                )
            return
        at += timedelta(seconds=random.randint(10, 240))
        order = {"order_id": f"ord-{random.getrandbits(32):08x}"} if event == "Order Completed" else {}
        yield _segment(who, at, random, "track", event=event, properties=_basket(who, goods) | order)


def _basket(who: Customer, goods: Sequence[tuple[str, str, str, str, int]]) -> dict[str, Any]:
    value = sum(float(price) * quantity for _, _, _, price, quantity in goods)
    lines = [
        {
            "product_id": sku,
            "sku": sku,
            "name": name,
            "category": category,
            "price": float(price),
            "quantity": n,
        }
        for sku, name, category, price, n in goods
    ]
    return {"value": round(value, 2), "currency": "USD", "shipping_country": who.country, "products": lines}


def _traits(who: Customer) -> dict[str, Any]:
    return {
        "email": who.email, "first_name": who.first, "last_name": who.last, "tier": who.tier,
        "phone": f"+1202555{int(who.id[-4:]):04d}", "address": {"country": who.country},
    }  # fmt: skip


def _segment(who: Customer, at: datetime, random: Random, type_: str, **members: Any) -> Call:
    id_ = f"ajs-next-{int(at.timestamp() * 1000)}-{random.getrandbits(64):016x}"
    body = {
        "type": type_, "messageId": id_, "userId": who.id, "anonymousId": who.visitor, "channel": "browser",
        "timestamp": at.isoformat(), "sentAt": at.isoformat(), **members,
        "context": {"library": {"name": "analytics.js", "version": "next-1.76.0"}, "locale": "en-US"},
    }  # fmt: skip
    return Call(at, "/webhooks/segment", body)


def _in_app(who: Customer, at: datetime, random: Random) -> Iterator[Call]:
    """Yield the batches of a visit in the app, as mParticle sends them."""
    for name in ("commerce-view-detail", "commerce-add-to-cart", "commerce-checkout", "commerce-purchase"):
        at += timedelta(seconds=random.randint(10, 90))
        body = deepcopy(_fixture(name))
        body |= {"user_identities": [_identity("customer_id", who.id), _identity("email", who.email)]}
        body["user_attributes"] = {"$firstname": who.first, "$lastname": who.last, "tier": who.tier}
        body["mpid"] = int(who.visitor.removeprefix("visitor-"), 16)
        for event in body["events"]:
            data, moment = event["data"], str(int(at.timestamp() * 1000))
            data |= {
                "event_id": str(random.getrandbits(62)),
                "source_message_id": f"{random.getrandbits(64):x}",
            }
            data |= {"timestamp_unixtime_ms": moment, "event_start_unixtime_ms": moment}
            if (action := data.get("product_action") or {}).get("transaction_id"):
                action["transaction_id"] = f"app-{random.getrandbits(32):08x}"
        yield Call(at, "/webhooks/mparticle", body)
        if random.random() < 0.4:
            return


def _identity(kind: str, value: str) -> dict[str, Any]:
    return {"identity_type": kind, "identity": value, "timestamp_unixtime_ms": 1795100000000}


@cache
def _fixture(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FIXTURES / "mparticle" / f"{name}.json").read_text())
    return read


def faults(people: Sequence[Customer], at: datetime, seed: int = 7) -> list[Call]:
    """Return calls that something is wrong with: values that do not fit, no customer, an unknown type."""
    random = Random(seed)
    found = []
    for number, properties in enumerate((
        {"value": "a lot", "currency": "USD"}, {"value": "129,00 €", "currency": "EUR"}, {"value": -5},
        {"value": 99.5, "currency": "Dollars"}, {"value": "lots", "currency": "USD"},
    )):  # fmt: skip
        found.append(
            _segment(people[number], at, random, "track", event="Checkout Started", properties=properties)
        )
    nobody = _segment(people[0], at, random, "track", event="Product Viewed", properties={})
    found.append(Call(at, nobody.path, nobody.body | {"userId": "undefined", "anonymousId": None}))
    found.append(
        Call(at, nobody.path, nobody.body | {"type": "conversion", "messageId": "m-of-no-known-type"})
    )
    found.append(
        Call(at, nobody.path, nobody.body | {"type": "track", "event": "", "messageId": "m-without-a-name"})
    )
    found.append(Call(at, "/webhooks/mparticle", _fixture("bad-event-in-batch")))
    return found
