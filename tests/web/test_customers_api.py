"""The customer API: customers, events, decisions, export and erasure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

Connect = Callable[..., httpx.AsyncClient]
CODE = "HV15-8K2F"


async def test_a_customer_is_found_also_under_an_id_with_a_slash(connect: Connect) -> None:
    client = connect()
    assert (await client.get("/v1/customers/user%2F123")).json()["source_id"] == "user/123"
    [discount] = (await client.get("/v1/customers/user/123/discounts")).json()["discounts"]
    assert discount["code"] == CODE
    [event] = (await client.get("/v1/customers/user%2F123/events")).json()["events"]
    assert event["occurred_at"] == "2024-07-15T18:24:10Z"


async def test_a_customer_is_erased_under_any_id_and_the_receipt_returned(
    connect: Connect, services: Any
) -> None:
    response = await connect().delete("/v1/customers/user%2F123")
    assert (response.status_code, response.json()["removed"]) == (200, {"customers": 1, "events": 2})
    assert services.erased == [("user/123", "api", "")]


@pytest.mark.parametrize(
    "source_id",
    ["nl1\n", "a\tb", "a\u200db", "a\u00a0b", "a\u3000b", "a\u202eb", "\ufeff", " a ", "a%41", "a%2Fb",
     "a?b#c", "/a/", "a/events", "a/export", "a/discounts", "é" * 512],
)  # fmt: skip
async def test_an_id_in_a_path_names_exactly_one_customer(
    source_id: str, connect: Connect, services: Any
) -> None:
    client, path = connect(), f"/v1/customers/{quote(source_id, safe='')}"
    assert (await client.get(path)).json()["source_id"] == source_id
    [event] = (await client.get(f"{path}/events")).json()["events"]
    assert event["user"]["id"] == source_id
    assert (await client.get(f"{path}/export")).json()["source_id"] == source_id
    asked = await client.get("/v1/decisions", params={"source_id": source_id})
    assert asked.json()["decisions"][0]["source_id"] == source_id
    assert (await client.delete(path)).status_code == 200
    assert services.erased == [(source_id, "api", "")]


@pytest.mark.parametrize(
    ("name", "exported"),
    [("", "blank"), ("%20%20", "blank"), ("%0A", "blank"), ("%E3%80%80", "blank"), ("a%00", "NUL"),
     ("device:a", "begins with `device:`"),
     ("a" * 513, "512"), ("a%FF", "UTF-8"), ("%ED%A0%80", "UTF-8")],
)  # fmt: skip
@pytest.mark.parametrize("what", ["", "/export", "/events", "/discounts"])
async def test_an_invalid_customer_id_is_refused(
    name: str, exported: str, what: str, connect: Connect, services: Any
) -> None:
    method = "GET" if what else "DELETE"
    response = await connect().request(method, f"/v1/customers/{name}{what}")
    assert (response.status_code, services.erased) == (400, [])
    assert exported in response.json()["error"]["message"]


async def test_an_export_is_complete(connect: Connect) -> None:
    exported = (await connect().get("/v1/customers/user/123/export")).json()
    assert (exported["source_id"], exported["quarantined"][0]["document"]) == ("user/123", {"userId": "u"})
    assert (await connect().get("/v1/customers/nobody/export")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/v1/customers/u"), ("GET", "/v1/customers/u/export")]
)
async def test_without_a_token_no_customer_is_erased_or_exported(
    method: str, path: str, connect: Connect, services: Any
) -> None:
    response = await connect(api__tokens=("new",)).request(method, path)
    assert (response.status_code, services.erased) == (401, [])


async def test_decisions_have_reasons(connect: Connect) -> None:
    [decision] = (await connect().get("/v1/decisions", params={"source_id": "u"})).json()["decisions"]
    assert decision["outcomes"][0]["reason"] == "every condition holds"


async def test_the_decisions_on_one_event_can_be_read(connect: Connect) -> None:
    asked = {"source_id": "u", "event_id": "evt_1"}
    [decision] = (await connect().get("/v1/decisions", params=asked)).json()["decisions"]
    assert decision["event_id"] == "evt_1"


async def test_decisions_name_the_quarantined_messages_of_the_customer(connect: Connect) -> None:
    asked = {"source_id": "u"}
    response = (await connect().get("/v1/decisions", params=asked)).json()
    assert response["quarantined"][0] == {
        "id": 8, "source": "segment", "key": "m", "reason": "no name", "whole": "/v1/quarantine/8",
        "received_at": response["quarantined"][0]["received_at"],
    }  # fmt: skip
    further = (await connect().get("/v1/decisions", params=asked | {"before": "x"})).json()
    assert "quarantined" not in further


async def test_decisions_without_a_customer_are_refused(connect: Connect) -> None:
    assert (await connect().get("/v1/decisions")).status_code == 400


async def test_a_page_has_the_cursor_of_the_next_one(connect: Connect) -> None:
    first = (await connect().get("/v1/customers/user/123/events")).json()
    assert (len(first["events"]), first["next"]) == (1, "more")
    rest = (await connect().get("/v1/customers/user/123/events", params={"before": first["next"]})).json()
    assert (rest["events"], rest["next"]) == ([], None)


async def test_customers_are_found_by_their_email_address(connect: Connect, services: Any) -> None:
    services.emails["u@x.test"] = ["u1", "u2"]
    found = (await connect().get("/v1/customers", params={"email": "u@x.test"})).json()
    assert len(found["customers"]) == 2
    assert (await connect().get("/v1/customers", params={"email": "other@x.test"})).json() == {
        "customers": []
    }
    refused = await connect().get("/v1/customers")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unreadable")
