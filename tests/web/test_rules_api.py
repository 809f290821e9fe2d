"""The API of rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Connect = Callable[..., httpx.AsyncClient]
PATH = "/v1/rules/{}/revocations"


async def test_a_dry_run_answers_how_many_discounts_are_unused(connect: Connect, services: Any) -> None:
    response = await connect().post(PATH.format("gift"), json={"dry_run": True})
    assert response.json() == {"rule": "gift", "dry_run": True, "unused": 4, "issued": 3, "applied": 1}
    assert services.revocations.asked == []


async def test_a_revocation_answers_how_many_were_revoked(connect: Connect, services: Any) -> None:
    response = await connect().post(PATH.format("gift"), json={"reason": "wrong value", "after": "A1"})
    assert response.json() == {"rule": "gift", "revoked": 4, "left": 0, "next": None}
    assert services.revocations.asked == [("gift", "wrong value", "A1")]


@pytest.mark.parametrize(
    ("rule", "body", "status", "code"),
    [
        ("gifts", {}, 404, "not_found"),
        ("gift%2Fs", {}, 404, "not_found"),
        ("%ff", {}, 400, "unreadable"),
        ("gift", {"dry_run": 1}, 400, "unreadable"),
        ("gift", {"dry": True}, 400, "unreadable"),
        ("gift", {"dry_run": True, "after": "A1"}, 400, "unreadable"),
    ],
)
async def test_a_request_that_is_wrong_is_refused(
    connect: Connect, rule: str, body: dict[str, Any], status: int, code: str
) -> None:
    response = await connect().post(PATH.format(rule), json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_figures_are_sent_by_currency_and_day_with_the_digits_of_the_currency(connect: Connect) -> None:
    found = (await connect().get("/v1/rules/gift/figures")).json()
    assert found["rule"] == "gift"
    assert [(each["currency"], each["liability"]) for each in found["totals"]] == [
        ("EUR", "10.00"),
        ("JPY", "10"),
    ]
    assert found["days"][0] == {
        "day": "2024-07-15", "currency": "EUR", "issued": 2, "open": 1, "unbounded": 0, "liability": "10.00",
        "redeemed": 0, "amount_unknown": 0, "redeemed_amount": "0.00", "rolled_back": 0,
        "rolled_back_amount": "0.00", "expired": 0, "revoked": 0,
    }  # fmt: skip


async def test_figures_of_an_unknown_rule_are_not_found(connect: Connect) -> None:
    response = await connect().get("/v1/rules/gifts/figures")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
