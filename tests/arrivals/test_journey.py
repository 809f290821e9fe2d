"""The journey of a message: as it came, what mappings and rules made of it, and what followed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import app
from adapter.app import App
from adapter.errors import NotFound, Unreadable
from adapter.services.arrivals.filter_text import parsed
from adapter.services.arrivals.journey import Journeys
from adapter.services.arrivals.journey_report import Journey, SeenValue
from adapter.services.arrivals.listed import PersonName
from adapter.services.arrivals.search import Search
from adapter.services.environment import Environment
from adapter.services.loaded_files import read_files
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.fields import Keys, build
from adapter.sources.decoded_body import Decoded
from adapter.sources.registry import SOURCES

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PATIENCE = ReadTimeout(5)
MAPPINGS = """\
source: segment
mappings:
  - name: Customer
    subscribe: type = "identify"
    action: customer.upsert
    fields: {source_id: {"@path": $.userId}, email: {"@path": $.traits.email}, traits: {"@path": $.traits}}
  - name: Event
    subscribe: type = "track" and event != "ignored"
    action: event
    fields:
      id: {"@path": $.messageId}
      name: {"@path": $.event}
      occurred_at: {"@path": $.timestamp}
      source_id: {"@path": $.userId}
      attributes: {cart_value: {"@path": $.properties.total}}
"""
RULES = """\
rules:
  - name: big-cart
    trigger: checkout_started
    conditions: cart_value >= 120 && tier == "gold"
    action: {type: free_shipping}
    guardrails: {per_user_limit: 1}
  - {name: any-cart, trigger: checkout_started, conditions: cart_value > 999, action: {type: free_shipping}}
"""


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


class Shop:
    """A server over files in a folder; a minute passes with each message."""

    def __init__(self, server: App, clock: Clock, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self._clock = clock

    async def send(self, id_: str, **members: Any) -> None:
        self._clock.now += timedelta(minutes=1)
        given = {"type": "track", "event": "checkout_started", "timestamp": "2026-03-04T12:00:00Z"}
        body = {**given, "messageId": id_, "userId": "ann", **members}
        decoded = SOURCES["segment"].decode(json.dumps(body).encode(), self._clock.now)
        await self.server.ingest.receive(Decoded(decoded.messages, decoded.quarantined))

    async def journey(self, text: str) -> Journey:
        page = await Search(self.server.store, PATIENCE).page(parsed(text, self._clock.now))
        server = self.server
        journeys = Journeys(server.store, server.books, server.settings, PATIENCE)
        return await journeys.of(page.messages[0].id)


def write(folder: Path, rules: str = RULES) -> None:
    for name, text in (("mappings", MAPPINGS), ("rules", rules)):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "segment.yaml").write_text(text)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    write(tmp_path)
    clock = Clock()
    settings: dict[Keys, Any] = {
        ("files", "mappings"): str(tmp_path / "mappings"),
        ("files", "rules"): str(tmp_path / "rules"),
        ("store", "url"): "sqlite:///:memory:",
    }
    server = app.compose(build(settings), world=Environment(clock=clock))
    async with server.working():
        yield Shop(server, clock, tmp_path)


GOLD = {"type": "identify", "traits": {"tier": "gold", "email": "ann@example.com"}, "event": None}


async def test_a_processed_message_has_its_whole_journey(shop: Shop) -> None:
    await shop.send("who", **GOLD)
    await shop.send("m1", properties={"total": 150})
    found = await shop.journey("message:m1")
    assert (found.message.outcome, found.message.rules) == ("processed", ("big-cart",))
    assert found.names == [PersonName("id", "ann")]
    assert found.document["properties"] == {"total": 150}
    [taken, other] = found.mappings
    assert (taken.name, taken.matched, other.matched) == ("Event", True, False)
    assert {field.name: field.paths for field in taken.fields}["attributes"] == ("$.properties.total",)
    assert "type" in other.why_not
    assert found.customer is not None
    assert (found.customer.how, found.customer.messages) == ("recomputed", 2)
    assert found.customer.facts["traits"]["tier"] == "gold"
    [event] = found.events
    [big, any_cart] = event.rules
    assert (big.rule, big.at_the_time, big.in_force, big.differs) == ("big-cart", "issued", "issued", False)
    assert [each.holds for each in big.conditions] == [True, True]
    assert (any_cart.at_the_time, [each.holds for each in any_cart.conditions]) == ("not_met", [False])
    assert any_cart.missing
    [discount] = found.discounts
    assert (discount.code, discount.rule, discount.status) == (big.code, "big-cart", "issued")
    assert found.notes == []


async def test_the_customer_is_the_one_of_that_moment(shop: Shop) -> None:
    await shop.send("early", properties={"total": 150})
    await shop.send("who", **GOLD)
    found = await shop.journey("message:early")
    assert found.customer is not None
    assert "traits" not in found.customer.facts
    assert {each.rule: each.in_force for each in found.events[0].rules} == {
        "big-cart": "not_met", "any-cart": "not_met",
    }  # fmt: skip


async def test_a_limit_that_earlier_messages_reached_is_said(shop: Shop) -> None:
    await shop.send("who", **GOLD)
    for name in ("m1", "m2"):
        await shop.send(name, properties={"total": 150})
    [event] = (await shop.journey("message:m2")).events
    assert (event.rules[0].at_the_time, event.rules[0].in_force) == ("withheld", "withheld")
    assert event.rules[0].guardrail


async def test_what_changed_files_would_say_is_marked(shop: Shop) -> None:
    await shop.send("who", **GOLD)
    await shop.send("m1", properties={"total": 100})
    write(shop.folder, RULES.replace("120", "90"))
    books = read_files(shop.server.settings)
    shop.server.books.rules = books.rules
    [event] = (await shop.journey("message:m1")).events
    [big, *_] = [each for each in event.rules if each.rule == "big-cart"]
    assert (big.at_the_time, big.in_force, big.differs) == ("not_met", "issued", True)
    assert not event.by_files_in_force


async def test_a_quarantined_message_says_which_field_failed(shop: Shop) -> None:
    await shop.send("m1", userId=None, anonymousId="visitor", properties={"total": 5})
    found = await shop.journey("outcome:quarantined")
    assert "source_id" in found.message.reason
    assert "source_id" in found.mappings[0].error
    assert (found.events, found.discounts, found.deliveries) == ([], [], [])


async def test_a_duplicate_shows_the_decision_of_the_first(shop: Shop) -> None:
    await shop.send("who", **GOLD)
    await shop.send("m1", properties={"total": 150})
    for _ in range(3):
        await shop.send("m1", properties={"total": 150})
    found = await shop.journey("outcome:duplicate")
    assert [each.rule for each in found.discounts] == ["big-cart"]
    assert found.events[0].rules[0].at_the_time == "issued"


async def test_a_message_that_no_mapping_takes_says_why_each_does_not(shop: Shop) -> None:
    await shop.send("m1", event="ignored")
    await shop.send("m2")
    found = await shop.journey("outcome:ignored")
    assert [each.matched for each in found.mappings] == [False, False]
    assert '`event` is "ignored"' in found.mappings[1].why_not


async def test_a_body_that_could_not_be_read_is_shown_as_text(shop: Shop) -> None:

    shop.server.ingest.note_refused("segment", b'{"broken', Unreadable("it is no JSON"), NOON)
    await shop.send("m1")
    found = await shop.journey("outcome:refused")
    assert (found.document, found.text, found.mappings) == (None, '{"broken', [])


async def test_without_a_past_the_values_of_the_decision_are_shown(shop: Shop) -> None:
    await shop.send("who", **GOLD)
    await shop.send("m1", properties={"total": 150})
    (shop.folder / "mappings" / "segment.yaml").write_text(
        MAPPINGS.replace('event != "ignored"', 'event = "other"')
    )
    shop.server.books.mappings = read_files(shop.server.settings).mappings
    found = await shop.journey("message:m1")
    assert found.customer is not None
    assert found.customer.how == "stored"
    assert SeenValue("cart_value", 150) in found.customer.seen
    assert found.events[0].rules[0].at_the_time == "issued"
    assert "could not be decided again" in found.notes[0]


async def test_looking_at_a_message_counts_nothing(shop: Shop) -> None:
    await shop.send("m1", userId="undefined")
    met = shop.server.books.mappings.placeholders.met.copy()
    assert met
    decisions = list(await shop.server.store.decisions("ann"))
    await shop.journey("message:m1")
    assert shop.server.books.mappings.placeholders.met == met
    assert list(await shop.server.store.decisions("ann")) == decisions


async def test_a_message_that_is_gone_is_not_found(shop: Shop) -> None:
    server = shop.server
    with pytest.raises(NotFound):
        await Journeys(server.store, server.books, server.settings, PATIENCE).of("7-0-00000000")
