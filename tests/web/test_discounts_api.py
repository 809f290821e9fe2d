"""The discount API: discounts, their transitions, and pending moves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from adapter.model.operations import DiscountMove

Connect = Callable[..., httpx.AsyncClient]
CODE = "HV15-8K2F"


async def test_a_discount_is_read_as_the_data_model_shows_it(connect: Connect) -> None:
    response = await connect().get(f"/v1/discounts/{CODE}")
    assert response.status_code == 200
    assert list(response.json()) == ["code", "action", "expires_at", "metadata", "stackable", "status"]
    assert response.json()["action"] == {"type": "percentage_off", "value": 15, "max_amount": 40}
    assert response.json()["expires_at"] == "2024-07-16T18:24:10Z"


async def test_an_unknown_discount_is_not_found(connect: Connect) -> None:
    response = await connect().get("/v1/discounts/NONE")
    assert response.status_code == 404
    assert response.json() == {
        "error": {"code": "not_found", "message": "no discount `NONE` was issued here"}
    }


async def test_pending_moves_are_listed_by_customer_and_by_discount(connect: Connect) -> None:
    client = connect()
    [move] = (await client.get("/v1/customers/user%2F123/pending-moves")).json()["pending_moves"]
    assert (move["source_id"], move["verb"], move["code"]) == ("user/123", "redeem", CODE)
    assert move["reason"] == "it waits"
    [move] = (await client.get(f"/v1/discounts/{CODE}/pending-moves")).json()["pending_moves"]
    assert move["source_id"] == "user_9"
    assert (await client.get("/v1/discounts/NONE/pending-moves")).status_code == 404
    for path in ("/v1/customers/user%2F123/pending-moves", f"/v1/discounts/{CODE}/pending-moves"):
        assert (await connect(api__tokens=("new",)).get(path)).status_code == 401


async def test_a_transition_stores_customer_order_and_idempotency_key(
    connect: Connect, services: Any
) -> None:
    response = await connect().post(
        f"/v1/discounts/{CODE}/apply",
        json={"source_id": "u", "order_id": "o"},
        headers={"idempotency-key": "once"},
    )
    assert (response.status_code, response.json()["status"]) == (200, "applied")
    assert services.moves == [(DiscountMove("apply", CODE, "u", "o"), "once")]


async def test_a_redemption_says_how_many_units_it_takes(connect: Connect, services: Any) -> None:
    await connect().post(f"/v1/discounts/{CODE}/redeem", content=b'{"units": 2.50}')
    assert services.moves == [(DiscountMove("redeem", CODE, units=Decimal("2.50")), None)]


@pytest.mark.parametrize(
    ("verb", "units"),
    [
        ("redeem", "0"),
        ("redeem", "-1"),
        ("redeem", "1e-9"),
        ("redeem", "1e13"),
        ("redeem", '"NaN"'),
        ("apply", "1"),
    ],
)
async def test_units_are_a_number_above_zero_and_belong_to_a_redemption(
    verb: str, units: str, connect: Connect, services: Any
) -> None:
    response = await connect().post(f"/v1/discounts/{CODE}/{verb}", content=f'{{"units": {units}}}')
    assert (response.status_code, services.moves) == (400, [])
    assert "`units` is how many a redemption takes: a number above 0" in response.text


@pytest.mark.parametrize("verb", ["apply", "release", "revoke"])
async def test_a_move_needs_no_body(verb: str, connect: Connect, services: Any) -> None:
    assert (await connect().post(f"/v1/discounts/{CODE}/{verb}")).status_code == 200
    assert services.moves == [(DiscountMove(verb, CODE), None)]  # type: ignore[arg-type]


async def test_a_wrong_move_is_a_conflict_with_its_reason(connect: Connect) -> None:
    response = await connect().post(f"/v1/discounts/{CODE}/redeem")
    assert response.status_code == 409
    assert response.json()["error"] == {
        "code": "wrong_move", "message": "`HV15-8K2F` is issued; apply it first"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"nope", {}),
        (b'{"order": "o"}', {}),
        (b'{"order_id": 7}', {}),
        (b"[]", {}),
        (b"\xff", {}),
        (b"[" * 100_000, {}),
        (b"", {"idempotency-key": "k" * 256}),
    ],
)
async def test_an_invalid_move_is_rejected(
    body: bytes, headers: dict[str, str], connect: Connect, services: Any
) -> None:
    response = await connect().post(f"/v1/discounts/{CODE}/apply", content=body, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "unreadable")
    assert not services.moves
