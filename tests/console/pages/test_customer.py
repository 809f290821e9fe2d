"""Customers are found, told about, explained, exported and erased on their pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.console.opened import ADMIN, OPERATOR, READER
from tests.console.pages.conftest import MARKUP, Shop, shop_in

SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()


@pytest.mark.parametrize("text", ["ann", "a-ann", "ANN@shop.example"])
async def test_a_customer_is_found(shop: Shop, text: str) -> None:
    await shop.known("ann", email="ann@shop.example")
    await shop.client.sign_in(READER)
    page = await shop.client.get("/console/customers", params={"q": text})
    assert '<a href="/console/customer?id=ann">ann</a>' in page.text


async def test_the_page_of_a_customer_has_facts_with_times_and_what_happened(shop: Shop) -> None:
    await shop.known("ann", email="ann@shop.example")
    code = (await shop.started("ann")).discounts[0].code
    await shop.client.sign_in(READER)
    found = await shop.client.twin("/console/customer?id=a-ann")
    assert found["facts"][0]["name"] == "email"
    assert [each["kind"] for each in found["timeline"]["entries"]].count("discounts") == 1
    page = (await shop.client.get("/console/customer?id=ann")).text
    assert f'href="/console/discount?code={code}"' in page
    assert "Erase" not in page


async def test_one_kind_is_shown_alone_and_paged(shop: Shop) -> None:
    for _ in range(45):
        await shop.started("ann", 1)
    await shop.client.sign_in(READER)
    first = await shop.client.twin("/console/customer?id=ann&kind=events")
    second = await shop.client.twin(
        f"/console/customer?id=ann&kind=events&before={first['timeline']['next']}"
    )
    assert [len(each["timeline"]["entries"]) for each in (first, second)] == [40, 5]
    assert second["timeline"]["next"] is None


async def test_why_not_says_what_was_missing(shop: Shop) -> None:
    await shop.started("ann", 4)
    await shop.client.sign_in(READER)
    page = await shop.client.get("/console/customer/why", params={"id": "ann", "rule": "gift", "at": SOON})
    assert "cart_value is 4, needs 10: 6 more" in page.text
    assert (await shop.client.get("/console/customer/why?id=ann&rule=gfit")).status_code == 404


async def test_a_customer_is_erased_when_the_id_is_typed(shop: Shop) -> None:
    await shop.known("ann", email="ann@shop.example")
    await shop.client.sign_in(ADMIN)
    page = "/console/customer?id=ann"
    refused = await shop.act("/console/customer/erase", page, customer="ann", typed="an")
    assert refused.status_code == 400
    assert await shop.app.store.customer("ann") is not None
    done = await shop.act("/console/customer/erase", page, customer="ann", typed="ann")
    assert "The customer was erased." in done.text
    assert await shop.app.store.customer("ann") is None
    erased = (await shop.client.twin("/console/audit"))["entries"][0]
    assert (erased["state"], erased["customer"], erased["before"]) == ("done", "", None)
    assert "ann" not in str(erased)


async def test_an_export_by_another_id_leaves_the_audit_log_with_the_customer(shop: Shop) -> None:
    await shop.known("ann")
    await shop.client.sign_in(ADMIN)
    await shop.client.get("/console/customer/export?id=a-ann")
    assert (await shop.client.twin("/console/audit?customer=ann"))["entries"] != []
    await shop.act("/console/customer/erase", "/console/customer?id=ann", customer="a-ann", typed="a-ann")
    assert "a-ann" not in str(await shop.client.twin("/console/audit"))


async def test_an_export_is_that_of_the_api_and_is_noted(shop: Shop) -> None:
    await shop.known("ann", email="ann@shop.example")
    await shop.client.sign_in(ADMIN)
    mine = await shop.client.get("/console/customer/export?id=ann")
    api = await shop.client.get("/v1/customers/ann/export", headers={"Authorization": f"Bearer {ADMIN}"})
    assert mine.json()["customer"] == api.json()["customer"]
    log = await shop.client.twin("/console/audit")
    assert log["entries"][0]["action"] == "Export a customer"


@pytest.mark.parametrize("token", [READER, OPERATOR])
async def test_only_an_admin_erases_and_exports(shop: Shop, token: str) -> None:
    await shop.known("ann")
    await shop.client.sign_in(token)
    erased = await shop.act(
        "/console/customer/erase", "/console/customer?id=ann", customer="ann", typed="ann"
    )
    exported = await shop.client.get("/console/customer/export?id=ann")
    assert (erased.status_code, exported.status_code) == (403, 403)
    assert await shop.app.store.customer("ann") is not None


async def test_markup_in_facts_ids_and_events_is_shown_as_text(shop: Shop) -> None:
    await shop.known(MARKUP, name=MARKUP)
    await shop.started(MARKUP)
    await shop.client.sign_in(ADMIN)
    for path in ("/console/customer", "/console/customer/why", "/console/customers"):
        query = {"q": MARKUP} if path.endswith("customers") else {"id": MARKUP}
        page = await shop.client.get(path, params=query | ({"rule": "gift"} if "why" in path else {}))
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


async def test_a_masked_address_is_seen_by_operators_alone(tmp_path: Path) -> None:
    async with shop_in(tmp_path, console__mask=("email",)) as shop:
        await shop.known("ann", email="ann@shop.example")
        for token, seen in ((READER, False), (OPERATOR, True)):
            await shop.client.sign_in(token)
            for path in (
                "/console/customer?id=ann",
                "/console/customer.json?id=ann",
                "/console/customers?q=ann",
            ):
                page = await shop.client.get(path)
                assert (page.status_code, "ann@shop.example" in page.text) == (200, seen)
