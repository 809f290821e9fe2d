"""Discounts are listed, told about and revoked, and redemptions listed, on their pages."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.console.pages import discounts as pages
from adapter.services import revocations
from adapter.services.checkout.requests import Checkout
from tests.console.opened import OPERATOR, READER
from tests.console.pages.conftest import MARKUP, Shop

HOME = "/console/discounts"


async def codes(shop: Shop, **query: str) -> list[str]:
    found = (await shop.client.get(f"{HOME}.json", params=query)).json()["found"]
    return [each["discount"]["code"] for each in found["rows"]]


async def test_discounts_are_filtered_by_code_rule_status_and_customer(shop: Shop) -> None:
    [ann] = (await shop.started("ann")).discounts
    [bob] = (await shop.started("bob")).discounts
    await shop.client.sign_in(READER)
    assert await codes(shop) == [bob.code, ann.code]
    assert await codes(shop, code=ann.code.lower()) == [ann.code]
    assert await codes(shop, customer="bob", rule="gift", status="issued") == [bob.code]
    assert await codes(shop, status="revoked") == []
    assert (await shop.client.get(f"{HOME}?status=lost")).status_code == 400


async def test_a_discount_is_revoked_with_a_reason(shop: Shop) -> None:
    [gift] = (await shop.started("ann")).discounts
    await shop.client.sign_in(OPERATOR)
    page = f"/console/discount?code={gift.code}"
    assert (await shop.act("/console/discount/revoke", page, code=gift.code)).status_code == 400
    done = await shop.act("/console/discount/revoke", page, code=gift.code, reason="a mistake")
    assert f"{gift.code} was revoked." in done.text
    assert "a mistake" in done.text
    entry = (await shop.app.store.audit())[0]
    assert (entry.subject, entry.customer, bytes(entry.before)) == (gift.code, "ann", b'{"status":"issued"}')


async def test_all_discounts_of_a_rule_are_counted_and_revoked_in_slices(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "PAGE", 2)
    monkeypatch.setattr(pages, "_MOST", 2)
    for number in range(5):
        await shop.started(f"u{number}")
    await shop.client.sign_in(OPERATOR)
    act, page = f"{HOME}/revoke-rule", f"{HOME}/revoke-rule?rule=gift"
    assert "Revoke 5 discounts" in (await shop.client.get(page)).text
    form = {"rule": "gift", "reason": "a wrong rollout"}
    assert (await shop.act(act, page, typed="git", **form)).status_code == 400
    shown = await shop.act(act, page, typed="gift", **form)
    assert "2 discounts of" in shown.text
    while shown.url.path == act:
        fields = {name: value for name, value in shown.url.params.items() if name not in {"done", "seal"}}
        token = await shop.client.csrf(page)
        shown = await shop.client.post(
            act, data={"csrf": token, "typed": "gift", **fields}, follow_redirects=True
        )
    assert "5 discounts of gift were revoked." in shown.text
    assert len(await codes(shop, rule="gift", status="revoked")) == 5


async def test_a_link_of_somebody_else_does_not_go_on_with_a_revocation(shop: Shop) -> None:
    await shop.started("ann")
    await shop.client.sign_in(OPERATOR)
    page = (await shop.client.get(f"{HOME}/revoke-rule?rule=gift&after=0&reason=x")).text
    assert "Type the name of the rule to confirm" in page
    assert "data-goes-on" not in page


async def test_a_reader_cannot_revoke(shop: Shop) -> None:
    [gift] = (await shop.started("ann")).discounts
    await shop.client.sign_in(READER)
    page = f"/console/discount?code={gift.code}"
    acts: list[tuple[str, dict[str, Any]]] = [
        ("/console/discount/revoke", {"code": gift.code, "reason": "x"}),
        (f"{HOME}/revoke-rule", {"rule": "gift", "typed": "gift", "reason": "x"}),
    ]
    for path, form in acts:
        assert (await shop.act(path, page, **form)).status_code == 403
    assert await codes(shop, status="issued") == [gift.code]


async def test_a_discount_that_was_used_shows_its_redemption_with_its_amount(shop: Shop) -> None:
    [gift] = (await shop.started("ann")).discounts
    order = {"id": "o-1", "currency": "EUR", "lines": [{"id": "1", "quantity": 1, "unit_price": "20.00"}]}
    reply = await shop.app.bookings.redeem(
        Checkout(codes=(gift.code,), customer={"source_id": "ann"}, order=order, order_id="o-1")
    )
    assert reply.status == 200, reply
    await shop.client.sign_in(READER)
    life = (await shop.client.twin(f"/console/discount?code={gift.code}"))["life"]
    assert [each["what"] for each in life["steps"]] == ["issued", "redeemed"]
    for query in ("", f"?code={gift.code}", "?order=o-1", "?customer=ann"):
        [booked] = (await shop.client.twin(f"/console/redemptions{query}"))["booked"]
        assert (booked["amount"], booked["state"]) == ("5.00 EUR", "redeemed")
    page = await shop.client.get("/console/redemption", params={"id": booked["id"]})
    assert "5.00 EUR" in page.text
    assert (await shop.client.get("/console/redemptions?order=1&code=2")).status_code == 400


async def test_markup_in_rules_codes_and_customers_is_shown_as_text(shop: Shop) -> None:
    [gift] = (await shop.started(MARKUP)).discounts
    await shop.client.sign_in(OPERATOR)
    paths = [
        HOME, f"/console/discount?code={gift.code}",
    ]  # fmt: skip
    for path in paths:
        page = await shop.client.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text
    for name in ("rule", "code", "customer"):
        page = await shop.client.get(HOME, params={name: MARKUP})
        assert "<script>alert" not in page.text
