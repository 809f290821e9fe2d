"""The native API."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from adapter.errors import StoreUnavailable, Unavailable, Unreadable
from adapter.model.operations import DiscountMove
from adapter.web.openapi import document
from adapter.web.query_string import require_exact
from adapter.web.routes import ROUTES

Connect = Callable[..., httpx.AsyncClient]
CODE = "HV15-8K2F"
#: Served without Starlette, and without a query.
_HOT = re.compile("/v1/(identify|track|page|screen|group|alias|batch|import|[bitpm])$")


async def test_a_discount_is_read_as_the_data_model_shows_it(connect: Connect) -> None:
    answer = await connect().get(f"/v1/discounts/{CODE}")
    assert answer.status_code == 200
    assert list(answer.json()) == ["code", "action", "expires_at", "metadata", "stackable", "status"]
    assert answer.json()["action"] == {"type": "percentage_off", "value": 15, "max_amount": 40}
    assert answer.json()["expires_at"] == "2024-07-16T18:24:10Z"


async def test_an_unknown_discount_is_not_found(connect: Connect) -> None:
    answer = await connect().get("/v1/discounts/NONE")
    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": "not_found", "message": "no discount `NONE` was issued here"}}


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
    answer = await connect().delete("/v1/customers/user%2F123")
    assert (answer.status_code, answer.json()["removed"]) == (200, {"customers": 1, "events": 2})
    assert services.erased == [("user/123", "api", "")]


@pytest.mark.parametrize(
    "source_id",
    ["nl1\n", "a\tb", "a\u200db", "a\u00a0b", "a\u3000b", "a\u202eb", "\ufeff", " a ", "a%41", "a%2Fb",
     "a?b#c", "/a/", "a/events", "a/export", "a/discounts", "é" * 512],
)  # fmt: skip
async def test_an_id_in_a_path_means_exactly_one_customer(
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
    ("name", "told"),
    [("", "blank"), ("%20%20", "blank"), ("%0A", "blank"), ("%E3%80%80", "blank"), ("a%00", "NUL"),
     ("device:a", "begins with `device:`"),
     ("a" * 513, "512"), ("a%FF", "UTF-8"), ("%ED%A0%80", "UTF-8")],
)  # fmt: skip
@pytest.mark.parametrize("what", ["", "/export", "/events", "/discounts"])
async def test_an_invalid_customer_id_is_refused(
    name: str, told: str, what: str, connect: Connect, services: Any
) -> None:
    method = "GET" if what else "DELETE"
    answer = await connect().request(method, f"/v1/customers/{name}{what}")
    assert (answer.status_code, services.erased) == (400, [])
    assert told in answer.json()["error"]["message"]


async def test_an_export_is_complete(connect: Connect) -> None:
    told = (await connect().get("/v1/customers/user/123/export")).json()
    assert (told["source_id"], told["quarantined"][0]["document"]) == ("user/123", {"userId": "u"})
    assert (await connect().get("/v1/customers/nobody/export")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/v1/customers/u"), ("GET", "/v1/customers/u/export")]
)
async def test_without_a_token_no_customer_is_erased_or_exported(
    method: str, path: str, connect: Connect, services: Any
) -> None:
    answer = await connect(api__tokens=("new",)).request(method, path)
    assert (answer.status_code, services.erased) == (401, [])


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


async def test_decisions_say_why(connect: Connect) -> None:
    [decision] = (await connect().get("/v1/decisions", params={"source_id": "u"})).json()["decisions"]
    assert decision["outcomes"][0]["reason"] == "every condition holds"


async def test_the_decision_on_one_event_can_be_asked_for(connect: Connect) -> None:
    asked = {"source_id": "u", "event_id": "evt_1"}
    [decision] = (await connect().get("/v1/decisions", params=asked)).json()["decisions"]
    assert decision["event_id"] == "evt_1"


async def test_decisions_name_the_quarantined_messages_of_the_customer(connect: Connect) -> None:
    asked = {"source_id": "u"}
    answer = (await connect().get("/v1/decisions", params=asked)).json()
    assert answer["quarantined"][0] == {
        "id": 8, "source": "segment", "key": "m", "reason": "no name", "whole": "/v1/quarantine/8",
        "received_at": answer["quarantined"][0]["received_at"],
    }  # fmt: skip
    further = (await connect().get("/v1/decisions", params=asked | {"before": "x"})).json()
    assert "quarantined" not in further


async def test_unmapped_messages_are_listed(connect: Connect) -> None:
    [ignored] = (await connect().get("/v1/ignored")).json()["ignored"]
    assert (ignored["type"], ignored["event"], ignored["count"]) == ("track", "Product Viewed", 3)


async def test_decisions_without_a_customer_are_refused(connect: Connect) -> None:
    assert (await connect().get("/v1/decisions")).status_code == 400


async def test_a_list_has_the_cursor_of_its_next_page(connect: Connect) -> None:
    first = (await connect().get("/v1/customers/user/123/events")).json()
    assert (len(first["events"]), first["next"]) == (1, "more")
    rest = (await connect().get("/v1/customers/user/123/events", params={"before": first["next"]})).json()
    assert (rest["events"], rest["next"]) == ([], None)


async def test_the_quarantine_lists_messages_with_reasons(connect: Connect) -> None:
    latest, _ = (await connect().get("/v1/quarantine")).json()["quarantined"]
    assert latest == {
        "source": "segment", "key": "m", "document": {"userId": "u"}, "reason": "no name",
        "received_at": "2024-07-15T18:24:10Z", "id": 8, "replayed": False, "size": 14, "truncated": False,
        "whole": "/v1/quarantine/8",
    }  # fmt: skip


async def test_a_quarantined_message_is_found_whole_by_its_id(connect: Connect) -> None:
    [entry, _] = (await connect().get("/v1/quarantine")).json()["quarantined"]
    whole = (await connect().get(entry["whole"])).json()
    assert (whole["id"], whole["document"]) == (8, {"userId": "u"})


@pytest.mark.parametrize("id_", ["9", "x", "9" * 19, "-1"])
async def test_a_quarantined_message_that_is_not_there_is_not_found(id_: str, connect: Connect) -> None:
    answer = await connect().get(f"/v1/quarantine/{id_}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_the_quarantine_goes_back_before_an_id(connect: Connect) -> None:
    [older] = (await connect().get("/v1/quarantine?before=8")).json()["quarantined"]
    assert older["id"] == 7


@pytest.mark.parametrize("before", ["", "-1", "m1", "1e3", "\u0661", "9" * 19])
async def test_the_quarantine_goes_back_before_an_id_only(before: str, connect: Connect) -> None:
    answer = await connect().get("/v1/quarantine", params={"before": before})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unreadable")


async def test_a_transition_stores_customer_order_and_idempotency_key(
    connect: Connect, services: Any
) -> None:
    answer = await connect().post(
        f"/v1/discounts/{CODE}/apply",
        json={"source_id": "u", "order_id": "o"},
        headers={"idempotency-key": "once"},
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "applied")
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
    answer = await connect().post(f"/v1/discounts/{CODE}/{verb}", content=f'{{"units": {units}}}')
    assert (answer.status_code, services.moves) == (400, [])
    assert "`units` is how many a redemption takes: a number above 0" in answer.text


@pytest.mark.parametrize("verb", ["apply", "release", "revoke"])
async def test_a_move_needs_no_body(verb: str, connect: Connect, services: Any) -> None:
    assert (await connect().post(f"/v1/discounts/{CODE}/{verb}")).status_code == 200
    assert services.moves == [(DiscountMove(verb, CODE), None)]  # type: ignore[arg-type]


async def test_a_wrong_move_is_a_conflict_with_its_reason(connect: Connect) -> None:
    answer = await connect().post(f"/v1/discounts/{CODE}/redeem")
    assert answer.status_code == 409
    assert answer.json()["error"] == {
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
async def test_a_move_that_cannot_be_read_is_refused(
    body: bytes, headers: dict[str, str], connect: Connect, services: Any
) -> None:
    answer = await connect().post(f"/v1/discounts/{CODE}/apply", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unreadable")
    assert not services.moves


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"authorization": "Bearer wrong"}, 403), ({"authorization": "Basic new"}, 401),
     ({"authorization": "Bearer new"}, 200), ({"authorization": "bearer  old"}, 200)],
)  # fmt: skip
@pytest.mark.parametrize("path", [f"/v1/discounts/{CODE}", "/v1/customers/u", "/v1/quarantine", "/metrics"])
async def test_a_token_opens_the_api(
    path: str, headers: dict[str, str], status: int, connect: Connect
) -> None:
    answer = await connect(api__tokens=("new", "old")).get(path, headers=headers)
    assert answer.status_code == status
    assert status != 401 or "Bearer" in answer.headers["www-authenticate"]


async def test_the_api_is_shut_when_only_other_doors_have_secrets(connect: Connect) -> None:
    answer = await connect(segment__shared_secrets=("secret",)).get(f"/v1/discounts/{CODE}")
    assert answer.status_code == 403
    assert "ADAPTER_API_TOKENS" in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not_found"), ("DELETE", f"/v1/discounts/{CODE}", 405, "method_not_allowed"),
     ("GET", f"/v1/discounts/{CODE}/apply", 405, "method_not_allowed"),
     ("GET", "/v1/discounts/%00", 404, "not_found"), ("GET", f"/v1/discounts/{CODE}%0A", 404, "not_found"),
     ("GET", "/health/live%0A", 404, "not_found"), ("GET", "/v1/quarantine%0A", 404, "not_found")],
)  # fmt: skip
async def test_every_404_has_the_same_shape(
    method: str, path: str, status: int, code: str, connect: Connect
) -> None:
    answer = await connect().request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_trouble_of_the_store_may_be_tried_again(connect: Connect, services: Any) -> None:
    services.error = Unavailable("the store is locked", retry_after=3)
    answer = await connect().get(f"/v1/discounts/{CODE}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


async def test_responses_do_not_name_the_place_of_the_store(connect: Connect, services: Any) -> None:
    services.error = StoreUnavailable("the store postgresql://adapter@db1/adapter cannot be used now")
    answer = await connect().get(f"/v1/discounts/{CODE}")
    assert answer.json()["error"] == {"code": "unavailable", "message": "the store cannot be used now"}


async def test_an_unexpected_error_quotes_no_input(
    connect: Connect, services: Any, caplog: pytest.LogCaptureFixture
) -> None:
    services.error = KeyError("jane@example.com")
    answer = await connect().get(f"/v1/discounts/{CODE}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "unexpected")
    assert "jane" not in answer.text
    assert "unexpected error" in caplog.text


@pytest.mark.parametrize(
    "query",
    ["source_id=%FF", "source_id=u1&event_id=%FF", "source_id=u1&before=1%FF", "source_id=%ED%A0%80", "%FF=u",
     "source_id=u1%C3", "source_id=u1&other=%C3%28", "source_id=u1&source_id=u2", "source_id=u1&a=&a=1"],
)  # fmt: skip
async def test_every_route_refuses_a_query_that_cannot_be_read_exactly(
    query: str, connect: Connect, services: Any
) -> None:
    client, asked = connect(), 0
    for path, described in document(ROUTES)["paths"].items():
        for method in described if path.startswith("/v1/") and not _HOT.match(path) else ():
            filled = re.sub(r"\{.*?\}", "x", path)
            answer = await client.request(method.upper(), f"{filled}?{query}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unreadable"), path
            asked += 1
    assert (asked >= 12, services.erased, services.moves) == (True, [], [])


def test_a_query_of_raw_bytes_that_are_not_utf_8_is_refused() -> None:
    with pytest.raises(Unreadable):
        require_exact(b"source_id=\xff")
    require_exact("source_id=ü&event_id=%C3%BC&before=".encode())
