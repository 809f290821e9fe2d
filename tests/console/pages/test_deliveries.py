"""Destinations and deliveries are shown with their attempts, retried, resumed and tested."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from adapter.model.deliveries import Past, PastAttempt, Pause
from adapter.settings.scalars import Secret
from adapter.store.values import DeliveryResult
from tests.console.opened import OPERATOR, READER
from tests.console.pages.conftest import MARKUP, Shop, shop_in

HOME = "/console/deliveries"
ANSWER = PastAttempt(datetime(2026, 11, 21, 12, tzinfo=UTC), 1, 503, "it answered 503", f"{MARKUP} down")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop with a webhook that nothing listens to; nothing is sent by itself."""
    webhook = {
        "destinations__webhook__type": "webhook",
        "destinations__webhook__url": "http://127.0.0.1:9/hook",
        "destinations__webhook__allow_private_addresses": True,
        "destinations__webhook__secrets": (Secret("whsec_" + "A" * 32),),
    }
    async with shop_in(tmp_path, **webhook) as running:
        yield running


async def give_up(shop: Shop, count: int = 1) -> list[str]:
    """Let the next deliveries be given up, and return their ids."""
    now = datetime.now(UTC)
    leased = await shop.app.store.lease(now, now + timedelta(minutes=1), count, "webhook")
    past = Past((ANSWER,), 0, 1)
    results = [DeliveryResult(each.id, each.attempt, False, error=ANSWER.error, past=past) for each in leased]
    await shop.app.store.settle(results)
    return [each.id for each in leased]


async def test_a_destination_shows_its_queue_and_what_was_given_up(shop: Shop) -> None:
    for number in range(3):
        await shop.started(f"u{number}")
    [given_up] = await give_up(shop)
    await shop.client.sign_in(READER)
    found = await shop.client.twin(HOME)
    [line] = found["destinations"]
    assert (line["name"], line["state"], line["waiting"], line["given_up"]) == ("webhook", "sending", 2, 1)
    assert [each["id"] for each in found["found"]["deliveries"]] == [given_up]
    assert found["counted"] == {"count": 1, "more": False}


async def test_a_delivery_shows_its_attempts_with_time_status_and_answer(shop: Shop) -> None:
    await shop.started("ann")
    [given_up] = await give_up(shop)
    await shop.client.sign_in(READER)
    for query in (f"id={given_up}", f"id={given_up}&customer=ann"):
        page = (await shop.client.get(f"/console/delivery?{query}")).text
        assert "2026-11-21 12:00:00" in page
        assert ">503<" in page
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
    assert (await shop.client.get("/console/delivery?id=none")).status_code == 404


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2), ("&error=503", 2), ("&error=404", 0), ("&type=discount.issued", 2), ("&type=none", 0),
        ("&destination=webhook", 2), ("&since=2999-01-01T00:00", 0), ("&until=2999-01-01T00:00", 2),
    ],
)  # fmt: skip
async def test_what_was_given_up_is_filtered_and_retried_by_filter(
    shop: Shop, query: str, count: int
) -> None:
    for number in range(2):
        await shop.started(f"u{number}")
    await give_up(shop, 2)
    await shop.client.sign_in(OPERATOR)
    page = f"{HOME}?status=dead{query}"
    text = (await shop.client.get(page)).text
    assert (f"Send {count} deliveries now" in text) == (count > 0)
    form = dict(each.split("=") for each in f"status=dead{query}".split("&"))
    done = await shop.act(f"{HOME}/retry", page, **form)
    assert f"{count} deliveries are due now." in done.text
    assert len(await shop.app.store.deliveries("dead")) == 2 - count


async def test_one_delivery_is_sent_now(shop: Shop) -> None:
    await shop.started("ann")
    [given_up] = await give_up(shop)
    await shop.client.sign_in(OPERATOR)
    await shop.act(f"{HOME}/retry", f"/console/delivery?id={given_up}", id=given_up)
    assert [each.id for each in await shop.app.store.deliveries("due")] == [given_up]
    assert (await shop.app.store.audit())[0].subject == f"delivery {given_up}"


async def test_a_paused_destination_says_until_when_and_is_resumed(shop: Shop) -> None:
    now = datetime.now(UTC)
    await shop.app.store.pause(Pause("webhook", now, now + timedelta(hours=1), "it asked for it"))
    await shop.client.sign_in(OPERATOR)
    page = (await shop.client.get(HOME)).text
    assert "it asked for it" in page
    assert "in 60 minutes" in page or "in 59 minutes" in page or "in 1 hour" in page
    done = await shop.act(f"{HOME}/resume", HOME, destination="webhook")
    assert "webhook is sent to again" in done.text
    assert await shop.app.store.pauses(datetime.now(UTC)) == []


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("retry", {"status": "dead"}),
        ("resume", {"destination": "webhook"}),
        ("test", {"destination": "webhook"}),
    ],
)
async def test_a_reader_cannot_act(shop: Shop, act: str, form: dict[str, str]) -> None:
    await shop.started("ann")
    await give_up(shop)
    await shop.client.sign_in(READER)
    assert '<form method="post" action="/console/deliveries' not in (await shop.client.get(HOME)).text
    assert (await shop.act(f"{HOME}/{act}", HOME, **form)).status_code == 403
    assert len(await shop.app.store.deliveries("dead")) == 1


async def sent(shop: Shop, count: int) -> None:
    """Let the next deliveries be made."""
    now = datetime.now(UTC)
    leased = await shop.app.store.lease(now, now + timedelta(minutes=1), count, "webhook")
    await shop.app.store.settle([DeliveryResult(each.id, each.attempt, True) for each in leased])


async def listed(shop: Shop, query: str) -> list[str]:
    """Return the customers of the deliveries of a list, in its order, through all its pages."""
    found: list[str] = []
    after = ""
    while True:
        page = await shop.client.twin(f"{HOME}?{query}{after}")
        found += [each["source_id"] for each in page["found"]["deliveries"]]
        if page["found"]["next"] is None:
            return found
        after = f"&after={page['found']['next']}"


@pytest.mark.parametrize(
    ("query", "whose"),
    [
        ("status=all", ["u2", "u1", "u0"]), ("status=done", ["u1"]),
        ("status=done&destination=webhook", ["u1"]),
        ("status=all&destination=other", []), ("status=all&customer=u1", ["u1"]), ("customer=u0", ["u0"]),
        ("customer=u1", []), ("status=due&customer=u2&type=discount.issued", ["u2"]),
        ("status=all&type=none", []), ("status=all&since=2999-01-01", []),
        ("status=all&until=2999-01-01", ["u2", "u1", "u0"]),
        ("status=all&until=1999-01-01", []), ("status=all&code=NONE", []),
    ],
)  # fmt: skip
async def test_all_deliveries_are_listed_newest_first_by_status_customer_type_and_time(
    shop: Shop, query: str, whose: list[str]
) -> None:
    for number in range(3):
        await shop.started(f"u{number}")
    await give_up(shop)
    await sent(shop, 1)
    await shop.client.sign_in(READER)
    assert await listed(shop, query) == whose


async def test_the_deliveries_about_a_discount_are_found_by_its_code_in_any_spelling(shop: Shop) -> None:
    for number in range(2):
        await shop.started(f"u{number}")
    [held] = await shop.app.store.discounts("u1")
    await shop.client.sign_in(READER)
    assert await listed(shop, f"status=all&code={held.discount.code.lower()}") == ["u1"]


async def test_a_long_list_goes_on_behind_each_page_and_links_to_what_was_made(shop: Shop) -> None:
    await asyncio.gather(*(shop.started(f"u{number}") for number in range(60)))
    await sent(shop, 60)
    await shop.client.sign_in(READER)
    found = await listed(shop, "status=done")
    assert (len(found), len(set(found))) == (60, 60)
    page = LexborHTMLParser((await shop.client.get(f"{HOME}?status=done")).text)
    for link in (*page.css("#found tbody a[href^='/console/delivery?']")[:1], *page.css("a[rel=next]")):
        assert (await shop.client.get(str(link.attributes["href"]))).status_code == 200
    wrong = await shop.client.get(f"{HOME}?status=done&after=7")
    assert (wrong.status_code, "`after` is the `next`" in wrong.text) == (400, True)
