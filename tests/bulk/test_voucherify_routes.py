"""Voucherify's routes of imports, as its SDKs call them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from adapter import app
from adapter.settings.scalars import Secret
from adapter.settings.values import Api
from tests.bulk.conftest import Shop
from tests.bulk.test_cases import CASES
from tests.bulk.test_uploads import runner

CUSTOMERS = "/voucherify/v1/customers/importCSV"


@pytest.fixture
async def client(shop1: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the shop's API."""
    transport = httpx.ASGITransport(shop1.app.asgi, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as found:
        yield found


def part(content: str | bytes) -> dict[str, Any]:
    """Return a form as the Python SDK sends it."""
    return {"files": {"file": ("file", content, "application/octet-stream")}}


async def test_customers_come_in_and_rows_count_without_the_header(
    shop1: Shop, client: httpx.AsyncClient
) -> None:
    accepted = await client.post(CUSTOMERS, **part(CASES["I48"]["input"]["text"]))
    assert (accepted.status_code, list(accepted.json())) == (202, ["async_action_id"])
    path = f"/voucherify/v1/async-actions/{accepted.json()['async_action_id']}"
    before = (await client.get(path)).json()
    assert (before["status"], before["operation_status"], before["result"]) == ("ENQUEUED", "UNKNOWN", None)
    assert await runner(shop1).run_next()
    found = (await client.get(path)).json()
    assert (found["type"], found["status"], found["object"]) == (
        "CUSTOMERS.IMPORT_CSV",
        "DONE",
        "async_action",
    )
    result = found["result"]
    assert result["message"] == "1 customer(s) imported successfully, 2 failed."
    assert (result["done_count"], result["failed_count"]) == (1, 2)
    assert [(each["source_id"], each["row"]) for each in result["failed"]] == [("", 2), ("c-3", 3)]
    assert all(each["reason"] for each in result["failed"])


async def test_vouchers_come_in_with_their_worth(shop1: Shop, client: httpx.AsyncClient) -> None:
    content = (
        "Code,Voucher Type,Discount Type,Value\nA,DISCOUNT_VOUCHER,PERCENT,10\nB,DISCOUNT_VOUCHER,AMOUNT,5\n"
    )
    path = "/voucherify/v1/vouchers/importCSV?currency=EUR"
    accepted = await client.post(path, **part(content))
    assert await runner(shop1).run_next()
    path = f"/voucherify/v1/async-actions/{accepted.json()['async_action_id']}"
    assert (await client.get(path)).json()["result"]["done_count"] == 2
    assert [each.code for each in await shop1.store.vouchers_after()] == ["A", "B"]


@pytest.mark.parametrize(
    "given", [{"content": b"Source_id\nc-1\n"}, {"files": {"other": ("x", b"Source_id\n")}}]
)
async def test_a_missing_part_is_an_invalid_payload(client: httpx.AsyncClient, given: dict[str, Any]) -> None:
    answer = await client.post(CUSTOMERS, **given)
    found = answer.json()
    assert (answer.status_code, found["code"], found["key"]) == (400, 400, "invalid_payload")
    assert found["message"] == "Payload should have required property 'file'"


@pytest.mark.parametrize("id_", ["aa_none", "imp_none"])
async def test_an_action_that_is_not_known_is_not_found(client: httpx.AsyncClient, id_: str) -> None:
    answer = await client.get(f"/voucherify/v1/async-actions/{id_}")
    assert (answer.status_code, answer.json()["key"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-App-Token": "wrong"}, 403),
        ({"X-App-Token": "reader"}, 403),
        ({"X-App-Id": "any", "X-App-Token": "operator"}, 202),
        ({"Authorization": "Bearer operator"}, 202),
    ],
)
async def test_the_token_comes_in_the_header_of_the_sdks(
    shop1: Shop, headers: dict[str, str], status: int
) -> None:
    settings = replace(
        shop1.settings, api=Api(operate_tokens=(Secret("operator"),), read_tokens=(Secret("reader"),))
    )
    guarded = app.compose(settings, shop1.store)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(guarded.asgi, client=("127.0.0.1", 1)), base_url="http://127.0.0.1"
    ) as found:
        answer = await found.post(CUSTOMERS, headers=headers, **part("Source_id\nc-1\n"))
    assert answer.status_code == status
    assert ("key" in answer.json()) == (status != 202)
